// Broker over nats.c.
#pragma once

#include <mutex>

#include "stream/broker.h"
#include "stream/nats/link.h"

namespace pgsluice::nats {

class NatsBroker : public Broker {
   public:
    NatsBroker(const BrokerOptions& options, Log log, std::stop_token stop);

    std::optional<StreamState> stream_state(const std::string& stream) override;
    void ensure_stream(const Names& names, const StreamConfig& config) override;
    void ensure_dead_letters(const Names& names) override;
    void delete_stream(const std::string& stream) override;
    std::optional<LastMessage> last_message(const std::string& stream) override;
    std::optional<LastMessage> message_at(const std::string& stream, StreamSeq seq) override;
    std::optional<StoredMessage> stored_message(const std::string& stream, StreamSeq seq) override;
    void erase_message(const std::string& stream, StreamSeq seq) override;
    void trim(const std::string& stream, StreamSeq keep_from) override;

    std::unique_ptr<Publisher> publisher(const Names& names, StreamSeq last_seq,
                                         const PublisherLimits& limits) override;
    std::unique_ptr<Consumer> consumer(const Names& names, StreamSeq from) override;

    std::optional<KvValue> kv_get(const Names& names, const std::string& key) override;
    std::uint64_t kv_put(const Names& names, const std::string& key, std::string_view value) override;
    std::optional<std::uint64_t> kv_update(const Names& names, const std::string& key, std::string_view value,
                                           std::uint64_t revision) override;
    void kv_delete(const Names& names, const std::string& key) override;
    std::vector<std::string> kv_keys(const Names& names) override;
    void delete_bucket(const Names& names) override;

    std::unique_ptr<SubjectPublisher> subject_publisher() override;
    StreamSeq publish_one(const std::string& subject, std::string_view body,
                          const std::vector<std::pair<std::string, std::string>>& headers) override;

    [[nodiscard]] std::string server_version() const override;
    [[nodiscard]] std::uint64_t max_payload() const override;
    [[nodiscard]] bool connected() const override { return link_->connected(); }

   private:
    void check_jetstream();
    void check_account(const Names& names, const StreamConfig& config) const;
    void add_stream(const std::string& stream, std::vector<const char*> subjects, const StreamConfig& config);
    void check_config(const jsStreamConfig& config, const Names& names) const;
    void check_replicas(const jsStreamInfo& info, const StreamConfig& wanted) const;
    void apply_limits(jsStreamConfig& current, const StreamConfig& wanted);
    // To a stream that belongs to the group, if it exists.
    void apply_replicas(const std::string& stream, int replicas);
    void update_stream(jsStreamConfig& config);
    // The sequence of the first part of the last complete message at or below `last`; nothing when there is none.
    [[nodiscard]] std::optional<StreamSeq> last_complete(const std::string& stream, StreamSeq last,
                                                         StreamSeq first) const;
    // The bucket, from the cache; null when it does not exist and should not be created.
    std::shared_ptr<kvStore> bucket(const Names& names, std::optional<int> create_with_replicas);
    std::shared_ptr<kvStore> open_bucket(const Names& names, std::optional<int> create_with_replicas);
    void make_bucket_first(const Names& names, const StreamConfig& config);
    // Created with as many replicas as the stream has.
    std::shared_ptr<kvStore> bucket_to_write(const Names& names);

    std::shared_ptr<Link> link_;
    std::int64_t account_bytes_ = -1;  // what the account may store; -1: unlimited
    std::mutex mutex_;                 // of the two below; not held during a request
    std::shared_ptr<kvStore> bucket_;
    std::string bucket_name_;
};

}  // namespace pgsluice::nats
