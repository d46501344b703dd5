#include "cmd/check/source/transactions.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include "stream/base/pause.h"

namespace pgsluice {

namespace {

constexpr double long_s = 10;
constexpr std::chrono::seconds second_look(1);

// One that has a number, so that it has written: a session's, or one that was prepared.
struct Writing {
    std::string xid;
    std::string pid;                // empty: prepared
    std::string whom;               // the application's name, or the prepared transaction's
    std::optional<double> seconds;  // since it began; nothing where our role may not know
};

std::vector<Writing> writing_now(sql::Connection& connection) {
    const auto rows = connection.query(
        "SELECT DISTINCT ON (l.pid) l.transactionid::pg_catalog.text, l.pid::pg_catalog.text, "
        "coalesce(a.application_name, ''), extract(epoch FROM pg_catalog.clock_timestamp() - "
        "a.xact_start)::pg_catalog.int8 "
        "FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid "
        "WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted AND l.pid IS NOT NULL "
        "ORDER BY l.pid, pg_catalog.age(l.transactionid) DESC",
        {}, {4});
    std::vector<Writing> all;
    for (int row = 0; row < rows.rows(); ++row) {
        std::optional<double> seconds;
        if (rows.get(row, 3)) seconds = static_cast<double>(rows.integer(row, 3));
        all.push_back({rows.text(row, 0), rows.text(row, 1), rows.text(row, 2), seconds});
    }
    const auto prepared = connection.query(
        "SELECT transaction::pg_catalog.text, gid, extract(epoch FROM pg_catalog.clock_timestamp() - "
        "prepared)::pg_catalog.int8 FROM pg_catalog.pg_prepared_xacts ORDER BY gid",
        {}, {3});
    for (int row = 0; row < prepared.rows(); ++row)
        all.push_back(
            {prepared.text(row, 0), {}, prepared.text(row, 1), static_cast<double>(prepared.integer(row, 2))});
    return all;
}

bool has(const std::vector<Writing>& all, const Writing& wanted) {
    return std::ranges::any_of(all, [&](const auto& each) { return each.xid == wanted.xid; });
}

// Of those whose age we may not know, the ones that are still there a moment later.
void keep_lasting(std::vector<Writing>& all, sql::Connection& connection, const std::stop_token& stop) {
    if (std::ranges::all_of(all, [](const auto& each) { return each.seconds.has_value(); })) return;
    pause(stop, second_look);
    const auto later = writing_now(connection);
    std::erase_if(all, [&](const auto& each) { return !each.seconds && !has(later, each); });
}

std::string age_of(const Writing& each) {
    if (each.seconds) return fmt::format("for {:.0f} s", *each.seconds);
    return "for more than a second (a member of pg_read_all_stats sees since when)";
}

void tell(const Writing& each, Findings& found) {
    if (each.pid.empty())
        return found.warn(
            fmt::format("transaction '{}' has been prepared {}: the slot cannot be made before it ends", each.whom,
                        age_of(each)),
            fmt::format("End it, in its database: COMMIT PREPARED '{0}', or ROLLBACK PREPARED '{0}'.", each.whom));
    found.warn(fmt::format("server process {} ({}) has been writing in one transaction {}: the slot cannot be made "
                           "before it ends",
                           each.pid, each.whom.empty() ? "no name" : each.whom, age_of(each)),
               fmt::format("Let it commit, or end it: SELECT pg_terminate_backend({}).", each.pid));
}

}  // namespace

void look_at_transactions(CheckedSource& source, Findings& found, const std::stop_token& stop) {
    if (source.slot) return;
    auto all = writing_now(*source.connection);
    std::erase_if(all, [](const auto& each) { return each.seconds && *each.seconds < long_s; });
    keep_lasting(all, *source.connection, stop);
    for (const Writing& each : all) tell(each, found);
    if (all.empty()) found.ok("no transaction has been writing for long");
}

}  // namespace pgsluice
