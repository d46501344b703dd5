// Each sink's own options.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sinks/ddl/ddl_policy.h"
#include "sql/connection.h"
#include "stream/table_pattern.h"

namespace pgsluice {

enum class LineFormat { pg_flo, debezium };
enum class OnError { stop, dead_letter };
enum class OnConflict { upsert, ignore, error };
enum class ExistingRows { error, truncate, keep };
enum class SchemaFrom { definitions, pg_dump };
enum class OnMissingColumn { stop, ignore, add };

struct ConflictPolicy {
    OnConflict otherwise = OnConflict::upsert;
    std::vector<std::pair<TablePattern, OnConflict>> tables{};  // as on the target; the last that matches holds

    // What is said of this table by name.
    [[nodiscard]] std::optional<OnConflict> named(const std::string& schema, const std::string& table) const {
        for (auto entry = tables.rbegin(); entry != tables.rend(); ++entry)
            if (entry->first.matches(schema, table)) return entry->second;
        return std::nullopt;
    }
    [[nodiscard]] OnConflict of(const std::string& schema, const std::string& table) const {
        return named(schema, table).value_or(otherwise);
    }
};

struct StdoutSinkOptions {
    LineFormat format = LineFormat::pg_flo;
    std::string checkpoint_file;  // empty: the position is kept in KV only
    std::string group;            // written into the checkpoint file, which is refused for another group
    std::string share;            // the same for another share: "2/4"; empty: all rows
    int fd = 1;                   // where the lines go
    int stop_grace_ms = 2000;     // for a slow reader, once we are asked to stop
    // Whether the last write to `fd` ended within a line: shared by the sinks that write to it one after another. Of a
    // file that an earlier process wrote the sink finds it out.
    std::shared_ptr<bool> mid_line = std::make_shared<bool>(false);
};

struct FileSinkOptions {
    std::string output_dir;
    std::string group;  // the directory belongs to it and is refused for another
    std::string share;  // the same: "2/4"; empty: all rows
    LineFormat format = LineFormat::pg_flo;
    std::uint64_t max_size_bytes = 100ULL << 20;
    std::int64_t max_age_ms = 3600000;
    bool zstd = false;
    int commit_interval_ms = 1000;  // how often, at most, what was written is synced and counted
};

struct ConflictMetrics;

struct PostgresSinkOptions {
    std::shared_ptr<ConflictMetrics> conflicts;  // of this process; may be null
    sql::ConnectOptions target;
    std::string group;  // names the row in pgsluice.progress, with `worker`
    std::string worker;
    bool sync_schema = false;  // create the source's schema on the target first
    SchemaFrom schema_from = SchemaFrom::definitions;
    sql::ConnectOptions source;  // for sync_schema
    std::string target_owner;    // the role that what is made belongs to; empty: the worker's
    bool disable_foreign_keys = false;
    int copy_workers = 2;  // connections that load the snapshot
    ExistingRows existing_rows = ExistingRows::error;
    OnError on_error = OnError::stop;
    ConflictPolicy on_conflict;
    OnMissingColumn on_missing_column = OnMissingColumn::stop;
    bool apply_ddl = true;                    // false: captured DDL is logged and skipped
    DdlPolicy ddl_policy;                     // for what is derived from definitions
    bool build_indexes_concurrently = false;  // of the same: beside the stream, not in its transaction
    bool synchronous_commit = true;
    bool unmarked = false;              // write without a replication origin even where a group reads from the target
    bool set_based = true;              // false: row by row always, for tests and comparison
    int incomplete_timeout_ms = 60000;  // how long to wait for the rest of a transaction
    int incomplete_polite_ms = 3000;    // the same where another session waits for what is open
    int lock_wait_ms = 10000;           // how long to wait for another worker of this name
};

struct RequestMetrics;

struct WebhookSinkOptions {
    std::shared_ptr<RequestMetrics> metrics;  // of this process; may be null
    std::string url;
    std::string group;  // named in the lines of the debezium format
    std::string share;  // "2/4"; empty: all rows
    std::size_t batch_size = 1;
    int concurrency = 1;
    int timeout_ms = 30000;
    LineFormat format = LineFormat::pg_flo;
    std::vector<std::string> headers;  // "Name: value"
    std::string bearer_token;
    std::string hmac_secret;
    std::string ca_file;
    int stop_grace_ms = 3000;  // for requests in flight, once we are asked to stop
    int retry_first_ms = 200;  // doubled with every failure
    int retry_max_ms = 30000;
    // An answer that the receiver failed (500 and such, not that it is away) so often to one request counts as a
    // refusal; 0: never.
    int max_attempts = 0;
    OnError on_error = OnError::stop;
};

struct NatsSinkOptions {
    std::string group;  // named in the lines of the debezium format
    std::string share;  // "2/4"; empty: all rows
    std::string url;    // empty: the group's own server
    std::string subject = "cdc.{schema}.{table}.{op}";
    LineFormat format = LineFormat::pg_flo;
    int stop_grace_ms = 3000;  // for what is under way, once we are asked to stop
};

}  // namespace pgsluice
