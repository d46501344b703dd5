// The broker's KV bucket.
#include "stream/nats/broker.h"

#include <span>

namespace pgsluice::nats {

namespace {

// A bucket is a stream.
std::string stream_of(const Names& names) { return "KV_" + names.bucket; }

}  // namespace

std::shared_ptr<kvStore> NatsBroker::bucket(const Names& names, std::optional<int> create_with_replicas) {
    {
        const std::lock_guard lock(mutex_);
        if (bucket_ && bucket_name_ == names.bucket) return bucket_;
    }
    auto opened = open_bucket(names, create_with_replicas);  // two threads may both open it; the later one is kept
    if (!opened) return nullptr;
    const std::lock_guard lock(mutex_);
    bucket_ = opened;
    bucket_name_ = names.bucket;
    return opened;
}

std::shared_ptr<kvStore> NatsBroker::open_bucket(const Names& names, std::optional<int> create_with_replicas) {
    kvStore* made = nullptr;
    auto status = js_KeyValue(&made, link_->js(), names.bucket.c_str());
    if (status == NATS_NOT_FOUND) {
        if (!create_with_replicas) return nullptr;
        kvConfig config;
        kvConfig_Init(&config);
        config.Bucket = names.bucket.c_str();
        config.History = 1;
        config.StorageType = js_FileStorage;
        config.Replicas = *create_with_replicas;
        status = js_CreateKeyValue(&made, link_->js(), &config);
    }
    check(status, fmt::format("open KV bucket '{}'", names.bucket));
    return {made, kvStore_Destroy};
}

std::shared_ptr<kvStore> NatsBroker::bucket_to_write(const Names& names) {
    if (auto found = bucket(names, std::nullopt)) return found;
    const auto stream = link_->stream_info(names.stream);
    return bucket(names, stream ? static_cast<int>(stream->Config->Replicas) : 1);
}

std::optional<KvValue> NatsBroker::kv_get(const Names& names, const std::string& key) {
    const auto store = bucket(names, std::nullopt);
    if (store == nullptr) return std::nullopt;
    kvEntry* made = nullptr;
    const auto status = kvStore_Get(&made, store.get(), key.c_str());
    const KvEntry entry(made);
    if (status == NATS_NOT_FOUND) return std::nullopt;
    check(status, fmt::format("read key '{}' of KV bucket '{}'", key, names.bucket));
    return KvValue{{static_cast<const char*>(kvEntry_Value(made)), static_cast<std::size_t>(kvEntry_ValueLen(made))},
                   kvEntry_Revision(made)};
}

std::uint64_t NatsBroker::kv_put(const Names& names, const std::string& key, std::string_view value) {
    std::uint64_t revision = 0;
    const auto status =
        kvStore_Put(&revision, bucket_to_write(names).get(), key.c_str(), value.data(), static_cast<int>(value.size()));
    check(status, fmt::format("write key '{}' of KV bucket '{}'", key, names.bucket));
    return revision;
}

std::optional<std::uint64_t> NatsBroker::kv_update(const Names& names, const std::string& key, std::string_view value,
                                                   std::uint64_t revision) {
    const auto store = bucket_to_write(names);
    const auto size = static_cast<int>(value.size());
    std::uint64_t now = 0;
    const auto status = revision == 0 ? kvStore_Create(&now, store.get(), key.c_str(), value.data(), size)
                                      : kvStore_Update(&now, store.get(), key.c_str(), value.data(), size, revision);
    if (status == NATS_OK) return now;
    const auto failed = error(fmt::format("write key '{}' of KV bucket '{}'", key, names.bucket), status);
    if (failed.action() == Action::retry) throw failed;
    // nats.c does not return the error's number here; the key's revision shows whether the fence was the reason.
    const auto found = kv_get(names, key);
    if ((found ? found->revision : 0) == revision) throw failed;
    return std::nullopt;
}

void NatsBroker::kv_delete(const Names& names, const std::string& key) {
    // Purged, not deleted through the library: that would leave a marker, which kv_keys() would list.
    const auto subject = fmt::format("$KV.{}.{}", names.bucket, key);
    jsOptions options;
    jsOptions_Init(&options);
    options.Stream.Purge.Subject = subject.c_str();
    jsErrCode js_error{};
    const auto status = js_PurgeStream(link_->js(), stream_of(names).c_str(), &options, &js_error);
    if (status == NATS_NOT_FOUND || js_error == JSStreamNotFoundErr) return;
    check(status, fmt::format("delete key '{}' of KV bucket '{}'", key, names.bucket), js_error);
}

// By the stream's subjects: listing keys through the library makes a consumer each time.
std::vector<std::string> NatsBroker::kv_keys(const Names& names) {
    const auto prefix = fmt::format("$KV.{}.", names.bucket);
    const auto info = link_->stream_info(stream_of(names), (prefix + ">").c_str());
    std::vector<std::string> keys;
    if (!info || info->State.Subjects == nullptr) return keys;
    for (const auto& each :
         std::span(info->State.Subjects->List, static_cast<std::size_t>(info->State.Subjects->Count)))
        keys.emplace_back(std::string_view(each.Subject).substr(prefix.size()));
    return keys;
}

void NatsBroker::delete_bucket(const Names& names) {
    {
        const std::lock_guard lock(mutex_);
        bucket_.reset();
        bucket_name_.clear();
    }
    // Deleting the stream says clearly whether it was there.
    delete_stream(stream_of(names));
}

}  // namespace pgsluice::nats
