// The end of both capturing functions, a pattern for filled(): notes the message `content` under the id `event` in
// table pgsluice.ddl_event, which proves who wrote it (ddl_events.h), and writes it into the WAL.
#pragma once

namespace pgsluice::ddl {

// Notes of transactions that the slot will not send again are removed: those older than its catalog_xmin. Only at each
// 16th command and by way of their index, so that a command costs the same however many notes a replicator that is
// stopped leaves. Not those that another session removes just now, nor where a transaction would fail over it. The
// slot's number has no epoch; it is at most 2^31 below that of this transaction, which is open.
inline constexpr const char* note_message = R"(
    IF left(event, 1) = '0' AND current_setting('transaction_isolation') = 'read committed' THEN
        DELETE FROM pgsluice.ddl_event d WHERE d.ctid = ANY (ARRAY(
            SELECT e.ctid FROM pgsluice.ddl_event e
            WHERE e."group" = {0} AND e.xid < (
                SELECT (x.newest - ((x.newest - s.catalog_xmin::text::int8) & 4294967295))::text::xid8
                FROM (SELECT pg_current_xact_id()::text::int8) x(newest), pg_replication_slots s
                WHERE s.slot_name = {4})
            ORDER BY e.xid LIMIT 200 FOR UPDATE SKIP LOCKED));
    END IF;
    INSERT INTO pgsluice.ddl_event VALUES ({0}, event, pg_current_xact_id(), sha256(content));
    PERFORM pg_logical_emit_message(true, {3} || event, content);
)";

}  // namespace pgsluice::ddl
