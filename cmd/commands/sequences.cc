#include "cmd/commands/sequences.h"

#include <fmt/format.h>

#include "cmd/terminal/say.h"
#include "sinks/postgres/progress.h"
#include "sinks/postgres/sequences/sequences.h"
#include "sql/connection.h"
#include "sql/error.h"

namespace pgsluice {

namespace {

std::vector<std::string> workers_on(sql::Connection& target, const std::string& group, const std::string& only) {
    if (!target.query("SELECT to_regclass('pgsluice.progress') IS NOT NULL", {}, {1, 1, 1}).boolean(0, 0)) return {};
    return target
        .query("SELECT worker FROM pgsluice.progress WHERE \"group\" = $1 AND ($2 = '' OR worker = $2) ORDER BY worker",
               {group, only}, {1})
        .texts(0);
}

std::size_t level(sql::Connection& target, TableGuard& guard, const Settings& settings, const std::string& worker,
                  const Log& log) {
    PostgresProgress progress(target, settings.postgres.group, worker);
    progress.open(settings.postgres.lock_wait_ms);
    PostgresSequences sequences(target, guard, settings.postgres.group, worker, log);
    const auto moved = sequences.level(progress.written_tables());
    for (const auto& each : moved) say(each.text());
    return moved.size();
}

}  // namespace

void run_sequences(Settings settings, const Log& log, std::stop_token stop) {
    sql::Connection target(settings.postgres.target, std::move(stop));
    const auto workers = workers_on(target, settings.postgres.group, settings.worker.worker);
    if (workers.empty()) {
        throw stop_error(fmt::format("unable to set sequences: no worker of group '{}' has written to target {}",
                                     settings.postgres.group, sql::describe(target.options())),
                         "Give the group, the target and, if any, the --worker-name of a postgres worker.");
    }
    TableGuard guard(true);
    std::size_t moved = 0;
    for (const std::string& worker : workers) moved += level(target, guard, settings, worker, log);
    say(fmt::format("{} sequences were set to their tables' rows", moved));
}

}  // namespace pgsluice
