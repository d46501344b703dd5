// Everything the command line, the environment and the configuration file can set, as the structs the parts take.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cmd/check/options.h"
#include "cmd/cutover/options.h"
#include "cmd/finding/options.h"
#include "cmd/http/listen_address.h"
#include "cmd/http/options.h"
#include "cmd/status/options.h"
#include "cmd/supervise.h"
#include "cmd/terminal/log_writer.h"
#include "replicator/options.h"
#include "sinks/options.h"
#include "worker/compare/options.h"
#include "worker/import/options.h"
#include "worker/options.h"

namespace pgsluice {

struct CommandInfo;
struct PartSettings;

struct Settings {
    std::string group;
    bool mode_stream = false;  // as given; `replicator.mode` follows from these
    bool mode_copy = false;
    bool mode_copy_and_stream = false;
    BrokerOptions nats;  // copied to both loops
    RetryPolicy retry;
    LogOptions log;
    std::optional<ListenAddress> http_listen;  // nothing: no HTTP server
    HttpOptions http;
    ReplicatorOptions replicator;
    WorkerOptions worker;
    StdoutSinkOptions standard_output;
    FileSinkOptions file;
    PostgresSinkOptions postgres;
    WebhookSinkOptions webhook;
    NatsSinkOptions nats_sink;
    CompareOptions compare;
    ImportOptions import_options;
    CutoverOptions cutover;
    StatusOptions status;
    CheckOptions check;
    FindingOptions finding;
    int sample = 0;                           // check rules: rows to show of each table
    std::string decrypted_column;             // decrypt: "users.email"
    bool ready = false;                       // health: ask whether it makes progress, too
    bool json = false;                        // tables: as JSON
    bool yes = false;                         // teardown, dlq discard, cutover: do it, do not only list
    std::vector<std::uint64_t> dead_letters;  // dlq: only these messages; empty: all
    std::vector<PartSettings> parts;          // run: what it runs
};

// A replicator or worker that `pgsluice run` runs.
struct PartSettings {
    std::string name;  // "shop replicator", "shop worker postgres"
    const CommandInfo* command = nullptr;
    Settings settings;
};

// Whether a database was named at all: there is no default to connect to.
inline bool is_given(const sql::ConnectOptions& options) {
    return !options.url.empty() || !options.host.empty() || !options.dbname.empty();
}

}  // namespace pgsluice
