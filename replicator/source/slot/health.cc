#include "replicator/source/slot/health.h"

#include "replicator/source/session.h"
#include "replicator/source/slot/slot.h"
#include "sql/timestamp.h"
#include "stream/health/replicator_entry.h"

namespace pgsluice {

namespace {

Lsn lsn_of(const sql::Result& result, int column) {
    const auto text = result.get(0, column);
    return text ? parse_lsn(*text).value_or(Lsn{}) : Lsn{};
}

}  // namespace

SlotHealth look_at_slot(sql::Connection& source, const std::string& name) {
    SlotHealth slot;
    slot.name = name;
    slot.seen_us = sql::postgres_time_us();
    const auto state = find_slot(source, name);
    if (!state) return slot;
    slot.exists = true;
    slot.active = state->active_pid != 0;
    slot.invalidated = state->invalidated;
    slot.confirmed = state->confirmed;
    // The walsender's lag is shown to its own role, and to those that may read statistics.
    const auto found = source.query(
        std::string("SELECT coalesce(s.wal_status, ''), s.restart_lsn, ") + wal_end_sql +
            ", s.safe_wal_size, "
            "(extract(epoch FROM r.flush_lag) * 1000)::pg_catalog.int8 "
            "FROM pg_catalog.pg_replication_slots s LEFT JOIN pg_catalog.pg_stat_replication r ON r.pid = s.active_pid "
            "WHERE s.slot_name = $1",
        {sql::Param(name)}, {5, 0, 1});
    if (found.rows() == 0) return slot;
    slot.wal_status = found.text(0, 0);
    slot.restart = lsn_of(found, 1);
    slot.wal_end = lsn_of(found, 2);
    if (found.get(0, 3)) slot.safe_bytes = found.integer(0, 3);
    if (found.get(0, 4)) slot.behind_seconds = static_cast<double>(found.integer(0, 4)) / 1000;
    measure(slot);
    return slot;
}

}  // namespace pgsluice
