// A connection to NATS and what pgsluice keeps there: streams, messages, a KV bucket. Implemented in stream/nats, the
// only place that sees nats.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stream/consumer.h"
#include "stream/log.h"
#include "stream/message.h"
#include "stream/names.h"
#include "stream/publisher.h"
#include "stream/subject_publisher.h"

namespace pgsluice {

namespace nats {
class BucketCache;
class Link;
}  // namespace nats

struct BrokerOptions {
    std::string url = "nats://localhost:4222";  // comma separated for a cluster; user:password@ or token@ allowed
    std::string credentials_file;               // NATS .creds; empty when not used
    std::string nkey_file;                      // seed of a user's NKey
    std::string tls_ca_file;                    // own CA; empty for the system's
    std::string tls_cert_file;                  // client certificate, and its private key; both or none
    std::string tls_key_file;
    bool tls_first = false;         // TLS before the server's greeting
    std::string js_domain;          // JetStream's domain; empty for that of the server
    std::string inbox_prefix;       // of the subjects that answers come to; empty: _INBOX
    int request_timeout_ms = 5000;  // of a JetStream API call
    // How long calls may continue after a stop. Then the connection is closed under those that still wait for a server
    // that hangs, and they throw a retry Error. With the shutdown that follows this stays below 5 s.
    int stop_grace_ms = 3500;
};

struct StreamConfig {
    std::int64_t max_bytes = -1;  // -1: unlimited
    int replicas = 1;
};

struct StreamState {
    StreamSeq first_seq;         // as JetStream reports it: last_seq + 1 when empty
    StreamSeq last_seq;          // 0 when nothing was ever stored
    std::uint64_t messages = 0;  // stored now; fewer than last_seq - first_seq + 1 means holes
    std::uint64_t bytes = 0;
    std::int64_t max_bytes = -1;
    std::int64_t max_age_ns = 0;
    bool discard_new = true;
    bool file_storage = true;
    int replicas = 1;
    std::string leader;            // the server that leads the stream, where the server says so
    std::int64_t created_ns = 0;   // since 1970, by the server's clock: tells the stream from a later one of its name
    bool limits_messages = false;  // in number, in all or per subject
};

// How long a replicated stream may appear to end too early, because its new leader has not applied everything yet.
constexpr int leader_settle_ms = 10'000;

// The stream's last message, as far as a replicator needs it to continue. If that is a part of a message that was never
// completed, everything but `seq` is from the last complete message before it.
struct LastMessage {
    StreamSeq seq;  // of the last message stored: where a publisher continues
    MessageMeta meta;
    CopyHeader copy;   // kind copy only
    std::string body;  // of markers; empty for kinds copy and changes
};

// A message of any stream as it is stored; for dead letters.
struct StoredMessage {
    StreamSeq seq;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
};

struct PublisherLimits {
    std::uint64_t max_in_flight_bytes = 16ULL << 20;  // above 64 MiB the server closes the connection
    std::uint64_t max_in_flight_messages = 4096;
    int ack_timeout_ms = 15000;  // a missing ack breaks the generation
};

// A value in the KV bucket and its revision (for compare-and-set).
struct KvValue {
    std::string text;
    std::uint64_t revision = 0;
};

class Broker {
   public:
    // Connects once; a retry Error when no server answers, a stop Error when it has no JetStream or refuses us. After
    // that it reconnects forever; Publisher and Consumer say what a disconnect means for them.
    // All calls may come from several threads at a time.
    static std::unique_ptr<Broker> connect(const BrokerOptions& options, Log log, std::stop_token stop);
    ~Broker();
    Broker(const Broker&) = delete;
    Broker& operator=(const Broker&) = delete;

    // Nothing when the stream does not exist.
    //
    // In a cluster the stream's leader answers this and the reads below. A new leader may not have applied everything
    // that is stored (nats-server 2.9 leads before it has), so the answer may be slightly old: last_seq and last
    // message too low. That is detected later: a publisher's first message is refused, because its fence is compared
    // when it is applied, after everything stored before it; a consumer receives nothing until the message it waits for
    // is there. Before reporting an *error* about a stream that ends too early, wait and look again: see replicas and
    // leader_settle_ms.
    std::optional<StreamState> stream_state(const std::string& stream);
    // Creates the group's stream with both subjects, file storage, discard new, no expiry; or checks that an existing
    // one has these.
    void ensure_stream(const Names& names, const StreamConfig& config);
    // Creates the group's dead-letter stream if it is missing.
    void ensure_dead_letters(const Names& names);
    // Does nothing when it does not exist.
    void delete_stream(const std::string& stream);
    // Nothing when the stream is empty. A stop Error when the message was not written by pgsluice.
    std::optional<LastMessage> last_message(const std::string& stream);
    // A stored message by sequence; nothing when it does not exist.
    std::optional<LastMessage> message_at(const std::string& stream, StreamSeq seq);
    // Nothing when it does not exist.
    std::optional<StoredMessage> stored_message(const std::string& stream, StreamSeq seq);
    // Removes one message and overwrites its bytes on disk. Does nothing when it does not exist.
    void erase_message(const std::string& stream, StreamSeq seq);
    // Removes messages before `keep_from`; never the last complete one.
    void trim(const std::string& stream, StreamSeq keep_from);

    // A publisher that continues after `last_seq` (0: the stream is new).
    std::unique_ptr<Publisher> publisher(const Names& names, StreamSeq last_seq, const PublisherLimits& limits);
    std::unique_ptr<Consumer> consumer(const Names& names, StreamSeq from);

    // The group's KV bucket. ensure_stream() creates it before the stream; a put creates it if it is missing.
    // Whether a value of this size fits into one message, with its headers.
    [[nodiscard]] bool takes_value(std::size_t bytes) const { return bytes + 4096 <= max_payload(); }
    std::optional<KvValue> kv_get(const Names& names, const std::string& key);
    std::uint64_t kv_put(const Names& names, const std::string& key, std::string_view value);
    // Sets the key only if its revision is still this (0: the key does not exist). Returns the new revision; nothing
    // when the revision was another. After a retry Error the outcome is unknown; read the key again.
    std::optional<std::uint64_t> kv_update(const Names& names, const std::string& key, std::string_view value,
                                           std::uint64_t revision);
    void kv_delete(const Names& names, const std::string& key);
    std::vector<std::string> kv_keys(const Names& names);
    void delete_bucket(const Names& names);

    // Publishes to subjects of other streams, many messages at a time (the nats sink).
    std::unique_ptr<SubjectPublisher> subject_publisher();
    // Stores one message on any subject (dead letters) and waits for its ack.
    StreamSeq publish_one(const std::string& subject, std::string_view body,
                          const std::vector<std::pair<std::string, std::string>>& headers);

    [[nodiscard]] std::string server_version() const;  // "2.9.10"
    [[nodiscard]] std::uint64_t max_payload() const;   // bytes, as the server says now; includes headers
    [[nodiscard]] bool connected() const;

   private:
    Broker(const BrokerOptions& options, Log log, std::stop_token stop);
    void check_jetstream();

    std::shared_ptr<nats::Link> link_;
    std::unique_ptr<nats::BucketCache> buckets_;
    std::int64_t account_bytes_ = -1;  // what the account may store; -1: unlimited
};

}  // namespace pgsluice
