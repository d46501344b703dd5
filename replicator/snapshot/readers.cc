#include "replicator/snapshot/readers.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "replicator/source/lock_wait_monitor.h"
#include "replicator/source/session.h"
#include "replicator/source/slot/failover.h"
#include "sql/error.h"
#include "sql/lock_timeout.h"
#include "sql/quote.h"
#include "sql/range_copy.h"
#include "stream/base/failpoint.h"

namespace pgsluice {

namespace {

// A partitioned table is locked with all its partitions, any other without what inherits from it.
std::string lock_statement(std::span<const sql::CatalogTable> tables) {
    std::vector<std::string> places;
    for (const auto& table : tables)
        places.push_back((table.kind == 'p' ? "" : "ONLY ") + sql::quote_qualified(table.schema, table.name));
    return sql::lock_statement(places);
}

// One reader with its locks. The first waits as long as it takes; the others must not queue after a session that waits
// for the first.
void begin_and_lock(sql::Connection& reader, const std::string& lock, bool first) {
    reader.exec(sql::begin_range_reader, "begin the snapshot");
    if (!first) reader.exec("SET LOCAL lock_timeout = '2s'");
    reader.exec(lock, "lock the tables of the snapshot");
    if (!first) reader.exec("SET LOCAL lock_timeout = 0");
}

std::vector<sql::Connection> lock_tables(const ReplicatorOptions& options, std::span<const sql::CatalogTable> tables,
                                         sql::Connection& observer, const Log& log, const std::stop_token& stop) {
    const std::string lock = lock_statement(tables);
    std::vector<sql::Connection> readers;
    const auto wanted = static_cast<std::size_t>(reader_count(options));
    while (readers.size() < wanted) {
        try {
            readers.push_back(connect_source(options.source, stop));
        } catch (const SqlError& error) {
            if (error.sqlstate() != "53300" || readers.empty()) throw;
            log(LogLevel::warning, fmt::format("copying on {} connections instead of {}: the source has no more free",
                                               readers.size(), wanted));
            return readers;
        }
        sql::Connection& reader = readers.back();
        const bool first = readers.size() == 1;
        LockWaitMonitor watch(observer, log, "the snapshot's lock");
        const int pid = reader.backend_pid();
        if (first) reader.on_tick([&] { watch.look(pid); });
        try {
            begin_and_lock(reader, lock, first);
        } catch (const SqlError& error) {
            if (sql::is_lock_timeout(error)) throw Deadlocked{"a session that waits for our locks"};
            if (error.sqlstate() != "42P01") throw;
            throw retry_error("unable to lock the tables of the snapshot: one of them was just dropped");
        }
        reader.on_tick({});
    }
    return readers;
}

// The publication holds the tables that were there when it was made.
void check_unchanged(sql::Connection& connection, std::span<const sql::CatalogTable> tables) {
    for (const auto& table : tables) {
        const auto found = sql::find_table(connection, table.schema, table.name);
        if (found && found->oid == table.oid) continue;
        throw retry_error(
            fmt::format("unable to copy '{}.{}': it was just replaced by another table", table.schema, table.name));
    }
}

// A temporary slot lives as long as the session that makes it, which a killed replicator may have left waiting.
void end_abandoned(const SnapshotSlot& slot, sql::Connection& observer, const Log& log) {
    const auto found = slot.stays ? std::nullopt : find_slot(observer, slot.name);
    if (found && found->active_pid != 0) end_abandoned_creation(observer, slot.name, *found, log);
}

// After an attempt that was given up: its slot may still be waiting to be created, in a session that does not see yet
// that we are gone, so that SlotGuard could not drop it. Before the first attempt there was none.
void remove_left(const SnapshotSlot& slot, sql::Connection& observer, const Log& log) {
    const auto found = slot.stays ? find_slot(observer, slot.name) : std::nullopt;
    if (!found || !found->ours) return;
    if (found->active_pid != 0) end_abandoned_creation(observer, slot.name, *found, log);
    if (find_slot(observer, slot.name)) drop_slot(observer, slot.name);
}

SnapshotReaders attempt(const ReplicatorOptions& options, const SnapshotSlot& wanted,
                        std::span<const sql::CatalogTable> tables, sql::Connection& observer, const Log& log,
                        const std::stop_token& stop) {
    SnapshotReaders result;
    result.connections = lock_tables(options, tables, observer, log, stop);
    check_unchanged(observer, tables);
    std::vector<int> pids;
    for (const auto& reader : result.connections) pids.push_back(reader.backend_pid());

    const bool temporary = !wanted.stays;
    const std::string& name = wanted.name;
    end_abandoned(wanted, observer, log);
    SlotGuard guard(options.source, temporary ? "" : name);
    sql::ReplicationConnection creator = connect_replication(options.source, stop);
    const auto slot = create_slot(creator, name, temporary ? sql::SlotLife::temporary : lasting_slot(observer),
                                  sql::SlotSnapshot::exported, observer, log, std::move(pids));
    PGSLUICE_FAILPOINT("after-slot");
    for (auto& reader : result.connections) {
        reader.exec("SET TRANSACTION SNAPSHOT " + sql::quote_literal(slot.snapshot), "import the slot's snapshot");
    }
    guard.keep();
    if (temporary) creator.drop_slot(name);
    result.consistent_point = slot.consistent_point;
    return result;
}

}  // namespace

ReplicatorOptions with_one_reader(ReplicatorOptions options) {
    options.max_copy_workers = 1;
    return options;
}

int reader_count(const ReplicatorOptions& options) {
    if (options.max_copy_workers > 0) return options.max_copy_workers;
    return std::max(2, static_cast<int>(std::thread::hardware_concurrency()));
}

SnapshotReaders open_snapshot(const ReplicatorOptions& options, const SnapshotSlot& slot,
                              std::span<const sql::CatalogTable> tables, sql::Connection& observer, const Log& log,
                              const std::stop_token& stop) {
    for (;;) {
        try {
            return attempt(options, slot, tables, observer, log, stop);
        } catch (const Deadlocked& conflict) {
            log(LogLevel::warning,
                fmt::format(
                    "the snapshot releases its locks and starts over: it waited for {}, which waits for the snapshot",
                    conflict.whom));
        }
        // Let the other session have its lock first.
        observer.exec("SELECT pg_catalog.pg_sleep(0.3)");
        remove_left(slot, observer, log);
    }
}

}  // namespace pgsluice
