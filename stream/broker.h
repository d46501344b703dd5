// A connection to NATS and what pgsluice keeps there: streams, messages, a KV bucket. Implemented in stream/nats, the
// only place that sees nats.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stream/base/log.h"
#include "stream/consumer.h"
#include "stream/message.h"
#include "stream/names.h"
#include "stream/publisher.h"
#include "stream/subject_publisher.h"

namespace pgsluice {

namespace nats {
class BucketCache;
class Link;
class Seals;
class SharedWires;
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
    // Whether a stream's last message must have a body that can be read; false only where tests write bodies of their
    // own.
    bool check_bodies = true;
    // Keys that streams are sealed with (stream/seal/stream_keys.h); empty: they are not sealed.
    std::string stream_key_file;
    // Called, from any thread, when the connection is lost or cannot be made; must not throw. May be empty.
    std::function<void()> on_lost{};
    // Where beside_data() finds a connection; null: it makes one.
    std::shared_ptr<nats::SharedWires> beside{};
    // Use a connection of `beside`, with all others that do so and reach NATS in the same way.
    bool shares = false;
};

// What connections beside the data's share: one of a process, or of a part of it.
std::shared_ptr<nats::SharedWires> share_connections();

// For what is beside the way that the data takes: it holds nothing up, and no one counts its losses.
inline BrokerOptions beside_data(BrokerOptions nats, int request_timeout_ms, int stop_grace_ms) {
    nats.request_timeout_ms = request_timeout_ms;
    nats.stop_grace_ms = stop_grace_ms;
    nats.on_lost = {};
    nats.shares = nats.beside != nullptr;
    return nats;
}

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
    std::int64_t oldest_ns = 0;    // the same of its first message; 0 when there is none
    bool limits_messages = false;  // in number, in all or per subject
    std::string copies_away;       // the servers whose copy is offline or behind: "n1, n2"; empty: none, as one knows
};

// Seconds since the oldest message was stored, by the server's clock and ours; nothing when there is no message.
std::optional<double> oldest_age(const StreamState& state);

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
    std::string fault{};  // of a dead letter in a sealed group: why it cannot be read; the body is then empty
};

// A message of a group's stream, whoever wrote it; for looking at them.
struct GroupMessage {
    std::string foreign;  // why it is not the replicator's own; empty: it is
    ParsedHeaders headers;
    StreamSeq follows;  // the own message before it
    bool whole = true;  // it is not one of several parts, or the last: `body` is the message's, put together
    std::string body;
    std::string fault{};  // why its body cannot be read, which is then empty; it may be more than that is wrong with it
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
    // is there. Before reporting an *error* about a stream that ends too early, wait and look again: see EarlyEnd.
    std::optional<StreamState> stream_state(const std::string& stream);
    // Creates the group's stream with both subjects, file storage, discard new, no expiry; or checks that an existing
    // one has these.
    void ensure_stream(const Names& names, const StreamConfig& config);
    // Creates the group's dead-letter stream if it is missing.
    void ensure_dead_letters(const Names& names);
    // Does nothing when it does not exist.
    void delete_stream(const std::string& stream);
    // The last message that the group's replicator wrote; `seq` is the stream's last. Nothing when it holds none.
    std::optional<LastMessage> last_message(const std::string& stream);
    // A stored message by sequence; nothing when it does not exist, or another program wrote it.
    std::optional<LastMessage> message_at(const std::string& stream, StreamSeq seq);
    // The last one of the replicator's own at or below this sequence, or of its parts; nothing when there is none.
    std::optional<LastMessage> message_at_or_before(const std::string& stream, StreamSeq seq);
    // Where the stream begins for a reader: at its first message, or before it, where the messages that were removed
    // there were of other programs.
    StreamSeq begin_of(const std::string& stream, const StreamState& state);
    // Whether no message that is missing between the first and the last can have been the replicator's own.
    bool holes_are_foreign(const std::string& stream);
    // Nothing when it does not exist.
    std::optional<StoredMessage> stored_message(const std::string& stream, StreamSeq seq);
    // Nothing when it does not exist.
    std::optional<GroupMessage> group_message(const std::string& stream, StreamSeq seq);
    // Removes one message and overwrites its bytes on disk. Does nothing when it does not exist.
    void erase_message(const std::string& stream, StreamSeq seq);
    // Removes messages before `keep_from`; never the last complete one.
    void trim(const std::string& stream, StreamSeq keep_from);

    // A publisher that continues after `last_seq` (0: the stream is new). What other programs published there is passed
    // over, with a warning.
    // `zstd_level`: that bodies are compressed with; 0: they are not.
    std::unique_ptr<Publisher> publisher(const Names& names, StreamSeq last_seq, const PublisherLimits& limits,
                                         int zstd_level = 0);
    std::unique_ptr<Consumer> consumer(const Names& names, StreamSeq from);

    // Sealing (FORMAT.md, "Sealed streams"), where options.stream_key_file is given; otherwise these do nothing but say
    // that a sealed stream needs it.
    // For readers, before they read: a stop Error when the stream is not sealed, or there are keys for one that is.
    void check_sealed(const Names& names);
    // For the replicator that seals a group from now on: what is in the bucket is not its own.
    void remove_unsigned_keys(const Names& names);
    // For the replicator, before it publishes. A stop Error when the stream was written to without being sealed, unless
    // it is written over: then what is before the next message counts for nothing.
    void seal_stream(const Names& names, bool over);

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
    // Parks and reads dead letters, sealed where the group is.
    void publish_dead_letter(const Names& names, std::string_view body,
                             const std::vector<std::pair<std::string, std::string>>& headers);
    std::optional<StoredMessage> dead_letter(const Names& names, StreamSeq seq);
    // Stores one message on any subject and waits for its ack.
    StreamSeq publish_one(const std::string& subject, std::string_view body,
                          const std::vector<std::pair<std::string, std::string>>& headers);

    [[nodiscard]] std::string server_version() const;  // "2.9.10"
    [[nodiscard]] std::uint64_t max_payload() const;   // bytes, as the server says now; includes headers
    [[nodiscard]] bool connected() const;

   private:
    Broker(const BrokerOptions& options, Log log, std::stop_token stop);
    void check_jetstream();
    // As it is stored, with its signature.
    std::optional<KvValue> kv_get_stored(const Names& names, const std::string& key);

    std::shared_ptr<nats::Link> link_;
    nats::Seals& seals_;  // the link's
    std::unique_ptr<nats::BucketCache> buckets_;
    std::int64_t account_bytes_ = -1;  // what the account may store; -1: unlimited
};

}  // namespace pgsluice
