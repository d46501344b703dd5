#include "cmd/check/source/room.h"

#include <fmt/format.h>

#include "replicator/snapshot/readers.h"
#include "replicator/source/session.h"

namespace pgsluice {

namespace {

// What a replicator has open beside those that copy: for looking, for the slot, for its monitors.
constexpr int other_connections = 4;

struct Use {
    std::string what;     // "replication slots"
    std::string setting;  // that limits them
    std::int64_t used = 0;
    std::int64_t limit = 0;

    [[nodiscard]] std::int64_t free() const { return limit - used; }
};

Use use_of(sql::Connection& connection, const std::string& what, const std::string& setting, const std::string& count) {
    const auto found =
        connection.query(fmt::format("SELECT ({}), pg_catalog.current_setting($1)::pg_catalog.int8", count),
                         {sql::Param(setting)}, {2, 1, 1});
    return {what, setting, found.integer(0, 0), found.integer(0, 1)};
}

// A table that joins is copied under a slot of its own, while the group's is read.
void look_for_second(const Use& use, std::int64_t needed, bool joins, Findings& found) {
    if (joins && use.free() < needed) {
        found.warn(fmt::format("{} of {} {} are in use: when a table joins the group, its copy takes one more for a "
                               "while, and would find none",
                               use.used, use.limit, use.what),
                   fmt::format("Raise {} on the source and restart it.", use.setting));
        return;
    }
    found.ok(fmt::format("{} of {} {} are in use ({})", use.used, use.limit, use.what, use.setting));
}

// Sessions of other roles do not say what they are, so those of background workers count, too.
Use connections_in_use(sql::Connection& connection) {
    Use use = use_of(connection, "connections", "max_connections",
                     "SELECT count(*) FROM pg_catalog.pg_stat_get_activity(NULL) a WHERE a.datid <> 0 AND a.pid NOT IN "
                     "(SELECT pid FROM pg_catalog.pg_stat_get_wal_senders()) AND a.pid <> pg_catalog.pg_backend_pid()");
    const auto kept = connection.query(
        "SELECT pg_catalog.current_setting('superuser_reserved_connections')::pg_catalog.int8 + "
        "coalesce(pg_catalog.current_setting('reserved_connections', true), '0')::pg_catalog.int8",
        {}, {1, 1, 1});
    use.limit -= kept.integer(0, 0);
    return use;
}

void look_at_connections(const ReplicatorOptions& options, sql::Connection& connection, Findings& found) {
    const bool copies = options.mode != ReplicatorMode::stream;
    const int needed = other_connections + (copies ? reader_count(options) : 0);
    const Use use = connections_in_use(connection);
    if (use.free() < needed) {
        found.warn(fmt::format("about {} connections are free, and a replicator takes up to {}", use.free(), needed),
                   "Raise max_connections on the source and restart it, or lower --max-copy-workers.");
        return;
    }
    found.ok(fmt::format("about {} of {} connections are in use, and a replicator takes up to {}", use.used, use.limit,
                         needed));
}

}  // namespace

void look_at_room(const ReplicatorOptions& options, CheckedSource& source, Findings& found) {
    sql::Connection& connection = *source.connection;
    const bool joins = options.mode == ReplicatorMode::copy_and_stream;
    const bool has_slot = source.slot && !options.resnapshot;
    const bool runs = source.slot && source.slot->active_pid != 0;
    const Use slots = use_of(connection, "replication slots", "max_replication_slots",
                             "SELECT count(*) FROM pg_catalog.pg_replication_slots");
    const bool room = source.slot || found.attempt([&](const Log&) { check_free_slot(connection); });
    if (room) look_for_second(slots, has_slot ? 1 : 2, joins, found);
    // That none is free, the attempt to replicate has found.
    const Use senders = use_of(
        connection, "walsenders", "max_wal_senders",
        fmt::format("SELECT count(*) FROM pg_catalog.pg_stat_get_wal_senders() WHERE pid <> {}", source.walsender));
    if (senders.free() > 0) look_for_second(senders, runs ? 1 : 2, joins, found);
    look_at_connections(options, connection, found);
}

void look_at_locks(const ReplicatorOptions& options, CheckedSource& source, std::size_t tables, Findings& found) {
    if (options.mode == ReplicatorMode::stream || source.slot || tables == 0) return;
    const auto limit = source.connection->query(
        "SELECT pg_catalog.current_setting('max_locks_per_transaction')::pg_catalog.int8 * "
        "(pg_catalog.current_setting('max_connections')::pg_catalog.int8 + "
        "pg_catalog.current_setting('max_prepared_transactions')::pg_catalog.int8)",
        {}, {1, 1, 1});
    const auto needed = static_cast<std::int64_t>(tables) * (reader_count(options) + 1);
    if (needed * 4 > limit.integer(0, 0) * 3)
        found.warn(fmt::format("a copy takes {} locks ({} tables on {} connections), of {} that all sessions share",
                               needed, tables, reader_count(options) + 1, limit.integer(0, 0)),
                   "Raise max_locks_per_transaction on the source and restart it, or lower --max-copy-workers.");
}

}  // namespace pgsluice
