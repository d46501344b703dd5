#include "replicator/ddl_tracking.h"

#include <fmt/format.h>

#include <algorithm>

#include "replicator/source/ddl_capture.h"
#include "replicator/source/recovery.h"
#include "stream/group/ddl_record.h"

namespace pgsluice {

namespace {

// A note's transaction is older than what the slot still needs once the slot is past it. The slot's number has no
// epoch; it is at most 2^31 below that of the next transaction.
constexpr const char* unread_commands =
    "SELECT pg_catalog.count(*) FROM pgsluice.ddl_event e LEFT JOIN pg_catalog.pg_replication_slots s "
    "ON s.slot_name = $2, LATERAL (SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())"
    "::pg_catalog.text::pg_catalog.int8) x(next) WHERE e.\"group\" = $1 AND (s.catalog_xmin IS NULL OR "
    "e.xid::pg_catalog.text::pg_catalog.int8 >= x.next - "
    "((x.next - s.catalog_xmin::pg_catalog.text::pg_catalog.int8) & 4294967295))";

}  // namespace

void DdlTracking::prepare(sql::Connection& source, const ReplicatorOptions& options, bool in_recovery, const Log& log) {
    if (options.track_ddl) {
        check_ddl_on_standby(source);
        prefixes_ = ensure_ddl_capture(source, options.names, ddl_scope_of(options), log);
    } else if (!in_recovery && !ddl_capture_objects(source, options.names).empty()) {
        was_captured_ = true;
        end_ddl_capture(source, options.names, log);
    }
}

void DdlTracking::warn_of_unread(sql::Connection& source, const Names& names, const Log& log) {
    const auto readable = source.query(
        "SELECT pg_catalog.bool_or(pg_catalog.has_table_privilege(c.oid, 'SELECT')) IS TRUE FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'pgsluice' AND c.relname = 'ddl_event'",
        {}, {1, 1, 1});
    if (!readable.boolean(0, 0)) return;
    const std::int64_t count =
        source.query(unread_commands, {sql::Param(names.group), sql::Param(names.slot)}, {1, 1, 1}).integer(0, 0);
    if (count == 0) return;
    log(LogLevel::warning,
        fmt::format("{} captured commands (DDL) may not have been read from the log before the slot is made again, and "
                    "the new copy brings only rows. Where a PostgreSQL target's tables differ from the source's, alter "
                    "them there, or drop them and start the worker with --target-sync-schema",
                    count));
}

void DdlTracking::announce(Broker& broker, const Names& names, const std::optional<StreamState>& stream) const {
    const auto before = stream ? find_ddl_record(broker, names) : std::nullopt;
    // No more than there is: a record of a stream that was there before, or of another's making.
    DdlRecord record{!prefixes_.none(), before ? std::min(before->until, stream->last_seq) : StreamSeq{0}};
    if (!record.tracked && stream && (was_captured_ || (before && before->tracked)))
        record.until = stream->last_seq;  // what is in the stream was tracked
    remember_ddl(broker, names, record);
}

}  // namespace pgsluice
