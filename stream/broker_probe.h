// A NATS server looked at without making anything there: what pgsluice check asks.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "sql/error.h"
#include "stream/broker.h"

namespace pgsluice {

struct BrokerServer {
    std::string name;  // its URL, without a password
    std::string version;
    std::string cluster;  // empty: a single server
    std::uint64_t max_payload = 0;
};

// What the account has of JetStream; a limit below 0 is none.
struct BrokerAccount {
    std::int64_t bytes = 0;
    std::int64_t max_bytes = -1;
    std::int64_t max_stream_bytes = -1;  // of one stream
    bool needs_max_bytes = false;        // of each stream
    std::int64_t streams = 0;
    std::int64_t max_streams = -1;
    std::int64_t consumers = 0;
    std::int64_t max_consumers = -1;
};

// A right to publish. `subject` is tried; `pattern` is what a configuration has to allow.
struct BrokerRight {
    std::string doing;  // "create stream 'pgsluice_shop'"
    std::string subject;
    std::string pattern;
};

// Why a right is missing. One to subscribe to answers is missing for all.
struct BrokerRefusal {
    bool of_answers = false;
    Error error;
};

class BrokerProbe {
   public:
    // Connects as Broker::connect() does, and throws so. JetStream is not asked for yet.
    BrokerProbe(const BrokerOptions& options, Log log, std::stop_token stop);
    ~BrokerProbe();
    BrokerProbe(const BrokerProbe&) = delete;
    BrokerProbe& operator=(const BrokerProbe&) = delete;

    [[nodiscard]] BrokerServer server() const;
    // A stop Error where there is no JetStream for us, as of Broker::connect().
    [[nodiscard]] BrokerAccount account() const;
    // Nothing when the user has it. What is published to try it is refused by every stream, and by each call of
    // JetStream's API that takes a request as JSON. Not for calls that take an empty one for an order, as STREAM.PURGE
    // does: a server may take ours for empty.
    [[nodiscard]] std::optional<BrokerRefusal> refusal(const BrokerRight& right) const;
    // The same for the right to remove messages of a stream. Only while there is no such stream; and what is asked for
    // then would remove nothing of one that is made at the same moment.
    [[nodiscard]] std::optional<BrokerRefusal> purge_refusal(const BrokerRight& right) const;
    // With the prefix of the domain, if there is one: "$JS.hub.API.INFO" for "INFO".
    [[nodiscard]] std::string api_subject(const std::string& call) const;
    [[nodiscard]] std::string key_subject(const Names& names, const std::string& key) const;

    [[nodiscard]] bool stream_exists(const std::string& stream) const;
    // All that Broker::ensure_stream() would refuse of a stream that is there, or of one that is to be made.
    [[nodiscard]] std::vector<Error> stream_faults(const Names& names, const StreamConfig& config) const;
    // Another stream than the group's that has its subjects; empty: none. Needs the right to publish to
    // $JS.API.STREAM.NAMES.
    [[nodiscard]] std::string stream_of_subjects(const Names& names) const;

   private:
    [[nodiscard]] std::optional<BrokerRefusal> refusal_of(const BrokerRight& right, const char* request) const;

    std::shared_ptr<nats::Link> link_;
};

}  // namespace pgsluice
