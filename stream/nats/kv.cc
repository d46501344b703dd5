// The broker's KV bucket.
#include <span>

#include "stream/broker.h"
#include "stream/nats/bucket_cache.h"
#include "stream/nats/link.h"
#include "stream/nats/seals.h"

namespace pgsluice {

using namespace nats;

namespace {

// A bucket is a stream.
std::string stream_of(const Names& names) { return "KV_" + names.bucket; }

std::string subject_of(const Names& names, const std::string& key) {
    return fmt::format("$KV.{}.{}", names.bucket, key);
}

}  // namespace

std::optional<KvValue> Broker::kv_get(const Names& names, const std::string& key) {
    auto found = kv_get_stored(names, key);
    if (found) found->text = seals_.check({names.bucket, key}, std::move(found->text));
    return found;
}

std::optional<KvValue> Broker::kv_get_stored(const Names& names, const std::string& key) {
    const auto store = buckets_->find(names);
    if (store == nullptr) return std::nullopt;
    kvEntry* made = nullptr;
    const auto status = kvStore_Get(&made, store.get(), key.c_str());
    const KvEntry entry(made);
    if (status == NATS_NOT_FOUND) return std::nullopt;
    link_->check(status, fmt::format("read key '{}' of KV bucket '{}'", key, names.bucket), "GET.KV_" + names.bucket);
    return KvValue{{static_cast<const char*>(kvEntry_Value(made)), static_cast<std::size_t>(kvEntry_ValueLen(made))},
                   kvEntry_Revision(made)};
}

std::uint64_t Broker::kv_put(const Names& names, const std::string& key, std::string_view value) {
    std::uint64_t revision = 0;
    const std::string text = seals_.sign({names.bucket, key}, value);
    const auto status = kvStore_Put(&revision, buckets_->find_or_create(names).get(), key.c_str(), text.data(),
                                    static_cast<int>(text.size()));
    link_->check(status, fmt::format("write key '{}' of KV bucket '{}'", key, names.bucket), subject_of(names, key));
    return revision;
}

std::optional<std::uint64_t> Broker::kv_update(const Names& names, const std::string& key, std::string_view value,
                                               std::uint64_t revision) {
    const auto store = buckets_->find_or_create(names);
    const std::string text = seals_.sign({names.bucket, key}, value);
    const auto size = static_cast<int>(text.size());
    std::uint64_t now = 0;
    const auto status = revision == 0 ? kvStore_Create(&now, store.get(), key.c_str(), text.data(), size)
                                      : kvStore_Update(&now, store.get(), key.c_str(), text.data(), size, revision);
    if (status == NATS_OK) return now;
    const auto doing = fmt::format("write key '{}' of KV bucket '{}'", key, names.bucket);
    if (status == NATS_TIMEOUT) link_->check_permitted(doing, subject_of(names, key));
    const auto failed = nats::error(doing, status);
    if (failed.action() == Action::retry) throw failed;
    // nats.c does not return the error's number here; the key's revision shows whether the fence was the reason.
    const auto found = kv_get(names, key);
    if ((found ? found->revision : 0) == revision) throw failed;
    return std::nullopt;
}

void Broker::kv_delete(const Names& names, const std::string& key) {
    // Purged, not deleted through the library: that would leave a marker, which kv_keys() would list.
    const auto subject = subject_of(names, key);
    jsOptions options;
    jsOptions_Init(&options);
    options.Stream.Purge.Subject = subject.c_str();
    jsErrCode js_error{};
    const auto status = js_PurgeStream(link_->js(), stream_of(names).c_str(), &options, &js_error);
    if (status == NATS_NOT_FOUND || js_error == JSStreamNotFoundErr) return;
    link_->check(status, fmt::format("delete key '{}' of KV bucket '{}'", key, names.bucket),
                 "STREAM.PURGE." + stream_of(names), js_error);
}

// By the stream's subjects: listing keys through the library makes a consumer each time.
std::vector<std::string> Broker::kv_keys(const Names& names) {
    const auto prefix = fmt::format("$KV.{}.", names.bucket);
    const auto info = link_->stream_info(stream_of(names), (prefix + ">").c_str());
    std::vector<std::string> keys;
    if (!info || info->State.Subjects == nullptr) return keys;
    for (const auto& each :
         std::span(info->State.Subjects->List, static_cast<std::size_t>(info->State.Subjects->Count)))
        keys.emplace_back(std::string_view(each.Subject).substr(prefix.size()));
    return keys;
}

void Broker::delete_bucket(const Names& names) {
    buckets_->forget();
    // Deleting the stream says clearly whether it was there.
    delete_stream(stream_of(names));
}

}  // namespace pgsluice
