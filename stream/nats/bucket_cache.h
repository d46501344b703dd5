// The group's KV bucket, opened once per connection.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "stream/names.h"
#include "stream/nats/link.h"

namespace pgsluice::nats {

// Calls may come from several threads at a time.
class BucketCache {
   public:
    explicit BucketCache(std::shared_ptr<Link> link) : link_(std::move(link)) {}

    // Null when it does not exist.
    std::shared_ptr<kvStore> find(const Names& names);
    // Created with as many replicas as the group's stream has.
    std::shared_ptr<kvStore> find_or_create(const Names& names);
    // Before the stream is created: whoever finds the stream must find a bucket that answers, but for a moment after
    // nats-server lists a new stream, it drops requests for its messages. If this fails, creating the stream reports
    // why, since nats.c returns the error's number there; if that succeeds, the first put creates the bucket.
    void try_to_create(const Names& names, int replicas);
    void forget();

   private:
    std::shared_ptr<kvStore> keep(const Names& names, std::shared_ptr<kvStore> opened);
    // Null when it does not exist.
    [[nodiscard]] std::shared_ptr<kvStore> open(const Names& names) const;
    [[nodiscard]] std::shared_ptr<kvStore> open_or_create(const Names& names, int replicas) const;

    std::shared_ptr<Link> link_;
    std::mutex mutex_;  // of the two below; not held during a request
    std::shared_ptr<kvStore> bucket_;
    std::string bucket_name_;
};

}  // namespace pgsluice::nats
