#include "sinks/postgres/snapshot/source_readers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "sinks/postgres/origins.h"
#include "sql/quote.h"
#include "sql/range_copy.h"
#include "sql/recovery.h"
#include "stream/direct_sessions.h"

namespace pgsluice {

namespace {

constexpr const char* undefined_table = "42P01";

// PostgreSQL says so in several ways: there is no such file, or whoever exported it has ended.
bool is_gone(const SqlError& error) {
    constexpr std::array states{"22023", "42704", "55000"};
    return std::ranges::find(states, error.sqlstate()) != states.end();
}

sql::ConnectOptions named(const PostgresSinkOptions& options) {
    sql::ConnectOptions source = options.source;
    std::erase_if(source.settings, [](const auto& setting) { return setting.first == "application_name"; });
    source.settings.emplace_back("application_name", direct_sessions_name(options.group));
    return source;
}

void check_source(sql::Connection& reader, const std::string& source) {
    constexpr const char* hint = "Give --source-url of the database that the replicator reads.";
    if (sql::in_recovery(reader))
        throw stop_error(fmt::format("unable to load the snapshot from '{}': it is a standby, and the snapshot is its "
                                     "primary's",
                                     sql::describe(reader.options())),
                         hint);
    const std::string found = home_database(reader);
    if (source.empty() || found.empty() || found == source) return;
    throw stop_error(fmt::format("unable to load the snapshot from '{}': the replicator reads another database, '{}'",
                                 sql::describe(reader.options()), source),
                     hint);
}

// Imported first: what is gone need not be waited for. The replicator holds the locks, too, as long as the snapshot is
// of use, so that nothing is rewritten before these have theirs.
bool import(sql::Connection& reader, const std::string& snapshot) {
    reader.exec(sql::begin_range_reader, "begin the snapshot");
    try {
        reader.exec("SET TRANSACTION SNAPSHOT " + sql::quote_literal(snapshot), "import the replicator's snapshot");
    } catch (const SqlError& error) {
        if (!is_gone(error)) throw;
        return false;
    }
    return true;
}

std::string lock_statement(const DirectPlan& plan) {
    std::vector<std::string> places;
    for (const DirectPart& part : plan.parts) places.push_back("ONLY " + sql::quote_qualified(part.schema, part.name));
    return sql::lock_statement(places);
}

bool lock(sql::Connection& reader, const DirectPlan& plan) {
    if (plan.parts.empty()) return true;
    try {
        reader.exec(lock_statement(plan), "lock the tables of the snapshot");
    } catch (const SqlError& error) {
        if (error.sqlstate() != undefined_table) throw;
        return false;
    }
    return true;
}

}  // namespace

std::optional<SourceReaders> open_source_readers(const PostgresSinkOptions& options, const DirectPlan& plan,
                                                 const std::string& source, const std::function<void()>& tell,
                                                 const std::stop_token& stop) {
    SourceReaders readers;
    const std::stop_callback link(stop, [&] { readers.stop.request_stop(); });
    for (int i = 0; i < std::max(1, options.copy_workers); ++i) {
        sql::Connection reader(named(options), readers.stop.get_token());
        if (i == 0) check_source(reader, source);
        reader.on_tick(tell);
        if (!import(reader, plan.snapshot) || !lock(reader, plan)) return std::nullopt;
        reader.on_tick({});
        readers.connections.push_back(std::move(reader));
    }
    return readers;
}

}  // namespace pgsluice
