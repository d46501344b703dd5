// A connection to NATS and what pgsluice keeps there: streams, messages, a KV bucket.
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

struct BrokerOptions {
    std::string url = "nats://localhost:4222";  // comma separated for a cluster; user:password@ or token@ allowed
    std::string credentials_file;               // NATS .creds; empty when not used
    std::string tls_ca_file;                    // own CA; empty for the system's
    int request_timeout_ms = 5000;              // of a JetStream API call
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
    virtual ~Broker() = default;

    // Nothing when the stream does not exist.
    //
    // In a cluster the stream's leader answers this and the reads below. A new leader may not have applied everything
    // that is stored (nats-server 2.9 leads before it has), so the answer may be slightly old: last_seq and last
    // message too low. That is detected later: a publisher's first message is refused, because its fence is compared
    // when it is applied, after everything stored before it; a consumer receives nothing until the message it waits for
    // is there. Before reporting an *error* about a stream that ends too early, wait and look again: see replicas and
    // leader_settle_ms.
    virtual std::optional<StreamState> stream_state(const std::string& stream) = 0;
    // Creates the group's stream with both subjects, file storage, discard new, no expiry; or checks that an existing
    // one has these.
    virtual void ensure_stream(const Names& names, const StreamConfig& config) = 0;
    // Creates the group's dead-letter stream if it is missing.
    virtual void ensure_dead_letters(const Names& names) = 0;
    // Does nothing when it does not exist.
    virtual void delete_stream(const std::string& stream) = 0;
    // Nothing when the stream is empty. A stop Error when the message was not written by pgsluice.
    virtual std::optional<LastMessage> last_message(const std::string& stream) = 0;
    // A stored message by sequence; nothing when it does not exist.
    virtual std::optional<LastMessage> message_at(const std::string& stream, StreamSeq seq) = 0;
    // Nothing when it does not exist.
    virtual std::optional<StoredMessage> stored_message(const std::string& stream, StreamSeq seq) = 0;
    // Removes one message and overwrites its bytes on disk. Does nothing when it does not exist.
    virtual void erase_message(const std::string& stream, StreamSeq seq) = 0;
    // Removes messages before `keep_from`; never the last complete one.
    virtual void trim(const std::string& stream, StreamSeq keep_from) = 0;

    // A publisher that continues after `last_seq` (0: the stream is new).
    virtual std::unique_ptr<Publisher> publisher(const Names& names, StreamSeq last_seq,
                                                 const PublisherLimits& limits) = 0;
    virtual std::unique_ptr<Consumer> consumer(const Names& names, StreamSeq from) = 0;

    // The group's KV bucket. ensure_stream() creates it before the stream; a put creates it if it is missing.
    // Whether a value of this size fits into one message, with its headers.
    [[nodiscard]] bool takes_value(std::size_t bytes) const { return bytes + 4096 <= max_payload(); }
    virtual std::optional<KvValue> kv_get(const Names& names, const std::string& key) = 0;
    virtual std::uint64_t kv_put(const Names& names, const std::string& key, std::string_view value) = 0;
    // Sets the key only if its revision is still this (0: the key does not exist). Returns the new revision; nothing
    // when the revision was another. After a retry Error the outcome is unknown; read the key again.
    virtual std::optional<std::uint64_t> kv_update(const Names& names, const std::string& key, std::string_view value,
                                                   std::uint64_t revision) = 0;
    virtual void kv_delete(const Names& names, const std::string& key) = 0;
    virtual std::vector<std::string> kv_keys(const Names& names) = 0;
    virtual void delete_bucket(const Names& names) = 0;

    // Publishes to subjects of other streams, many messages at a time (the nats sink).
    virtual std::unique_ptr<SubjectPublisher> subject_publisher() = 0;
    // Stores one message on any subject (dead letters) and waits for its ack.
    virtual StreamSeq publish_one(const std::string& subject, std::string_view body,
                                  const std::vector<std::pair<std::string, std::string>>& headers) = 0;

    [[nodiscard]] virtual std::string server_version() const = 0;  // "2.9.10"
    [[nodiscard]] virtual std::uint64_t max_payload() const = 0;   // bytes, as the server says now; includes headers
    [[nodiscard]] virtual bool connected() const = 0;
};

}  // namespace pgsluice
