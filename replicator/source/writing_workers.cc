#include "replicator/source/writing_workers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <string>

#include "stream/origin.h"

namespace pgsluice {

namespace {

// "'postgres' of group 'shop'"
std::set<std::string> writing_workers(sql::Connection& source) {
    const auto rows = source.query(
        "SELECT roname, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) "
        "FROM pg_catalog.pg_replication_origin",
        {}, {2});
    std::set<std::string> workers;
    for (int row = 0; row < rows.rows(); ++row) {
        const auto origin = parse_origin_name(rows.text(row, 0));
        if (origin && origin->database == static_cast<Oid>(rows.integer(row, 1)))
            workers.insert(fmt::format("'{}' of group '{}'", origin->worker, origin->group));
    }
    return workers;
}

}  // namespace

void log_writing_workers(sql::Connection& source, OriginMode mode, const Log& log) {
    const auto workers = writing_workers(source);
    if (workers.empty()) return;
    log(LogLevel::info,
        fmt::format("this source is also the target of worker {}: what it writes is {}", fmt::join(workers, ", "),
                    mode == OriginMode::none ? "left out (--origin none)"
                                             : "passed on, but not to where it was made (--origin any)"));
}

}  // namespace pgsluice
