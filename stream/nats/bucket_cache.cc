#include "stream/nats/bucket_cache.h"

#include "stream/nats/stream_setup.h"

namespace pgsluice::nats {

namespace {

std::shared_ptr<kvStore> owner_of(const Link& link, kvStore* made, natsStatus status, const Names& names) {
    link.check(status, fmt::format("open KV bucket '{}'", names.bucket), "KV_" + names.bucket);
    return {made, kvStore_Destroy};
}

}  // namespace

std::shared_ptr<kvStore> BucketCache::find(const Names& names) {
    {
        const std::lock_guard lock(mutex_);
        if (bucket_ && bucket_name_ == names.bucket) return bucket_;
    }
    return keep(names, open(names));
}

std::shared_ptr<kvStore> BucketCache::find_or_create(const Names& names) {
    if (auto found = find(names)) return found;
    const auto stream = link_->stream_info(names.stream);
    return keep(names, open_or_create(names, stream ? static_cast<int>(stream->Config->Replicas) : 1));
}

void BucketCache::try_to_create(const Names& names, int replicas) {
    try {
        if (!find(names)) keep(names, open_or_create(names, replicas));
    } catch (const Error& error) {
        link_->log(LogLevel::debug, error.what());
    }
}

void BucketCache::forget() {
    const std::lock_guard lock(mutex_);
    bucket_.reset();
    bucket_name_.clear();
}

// Two threads may both open it; the later one is kept.
std::shared_ptr<kvStore> BucketCache::keep(const Names& names, std::shared_ptr<kvStore> opened) {
    if (!opened) return nullptr;
    const std::lock_guard lock(mutex_);
    bucket_ = opened;
    bucket_name_ = names.bucket;
    return opened;
}

std::shared_ptr<kvStore> BucketCache::open(const Names& names) const {
    kvStore* made = nullptr;
    const auto status = js_KeyValue(&made, link_->js(), names.bucket.c_str());
    if (status == NATS_NOT_FOUND) return nullptr;
    return owner_of(*link_, made, status, names);
}

std::shared_ptr<kvStore> BucketCache::open_or_create(const Names& names, int replicas) const {
    if (auto found = open(names)) return found;  // another process may have created it
    add_bucket(*link_, names.bucket, replicas);
    return open(names);
}

}  // namespace pgsluice::nats
