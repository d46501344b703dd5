#include "replicator/log_reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "replicator/await_acks.h"
#include "replicator/failover/timeline_watch.h"
#include "replicator/group_state.h"
#include "replicator/kv_mirror.h"
#include "replicator/rules/source_rules.h"
#include "replicator/source/column_types.h"
#include "replicator/source/publication.h"
#include "replicator/source/recovery.h"
#include "replicator/source/session.h"
#include "replicator/source/slot/slot.h"
#include "replicator/tables/recopied.h"
#include "replicator/wal/open_transactions.h"
#include "replicator/wal/source.h"
#include "sql/error.h"
#include "sql/sqlstate.h"
#include "sql/timestamp.h"
#include "stream/format/markers.h"
#include "stream/group/last_changes.h"

namespace pgsluice {

namespace {

void limit_confirmed(WalStreamHooks& hooks, const ReplicatorEnds& ends) {
    if (ends.options.confirm != ConfirmMode::applied) return;
    const Lsn slot_at = find_slot(ends.source, ends.options.names.slot).value_or(SlotState{}).confirmed;
    hooks.confirm_limit = [&housekeeper = ends.housekeeper, slot_at] {
        return std::max(slot_at, housekeeper.applied());
    };
}

// Saves their way over the network. Not while a transaction must come again that the stream may hold the beginning of,
// from before --origin was changed: the encoder tells that one from others.
bool server_drops_marked(const sql::ReplicationConnection& replication, const ReplicatorOptions& options,
                         const ResumePoint& resume) {
    return options.origin == OriginMode::none && !resume.comes_again && replication.filters_origins();
}

// Which transactions the encoder is to drop it must know before they are kept, and a running one's origin may be
// unknown yet.
bool reads_ahead(const ReplicatorOptions& options, bool unmarked_only) {
    return options.read_ahead_bytes > 0 && !options.activity->no_spool &&
           (unmarked_only || options.origin == OriginMode::any);
}

void start(sql::ReplicationConnection& replication, const ReplicatorOptions& options, const ResumePoint& resume) {
    sql::PgoutputOptions wanted;
    wanted.unmarked_only = server_drops_marked(replication, options, resume);
    wanted.streaming = reads_ahead(options, wanted.unmarked_only);
    if (wanted.streaming)
        set_decoding_memory(replication.connection(), options.read_ahead_bytes);
    else
        raise_decoding_memory(replication.connection(), options.decoding_memory_bytes);
    replication.start_replication(options.names.slot, options.names.publication, wanted);
}

// Mostly the next try passes. Where the log cannot be decoded for this slot at all, as server bugs can have it, each
// try fails at the same place, and native replication would stay there, too.
void say_undecodable(const ReplicatorEnds& ends, const SqlError& error) {
    const int times = ends.options.activity->decoding.count(error.what());
    if (times % 5 != 0) return;
    ends.log(LogLevel::warning,
             fmt::format("the source has failed to decode its log {} times at the same place. If it does not pass, the "
                         "log cannot be read with this slot any more: stop the replicator, and run it once with "
                         "--copy-and-stream --resnapshot",
                         times));
}

// By the monitor's last look at it. The next start says what to do about one that is lost.
bool slot_in_danger(const ReplicatorOptions& options) {
    const auto slot = options.activity->slot.get();
    if (slot && slot->invalidated)
        throw retry_error(fmt::format("unable to continue reading: the source invalidated slot '{}'", slot->name));
    return slot && slot->wal_status == "unreserved";
}

std::vector<sql::CatalogColumn> columns_of(const TableDefinition& table) {
    std::vector<sql::CatalogColumn> columns;
    for (const ColumnDefinition& column : table.columns) {
        auto& added = columns.emplace_back();
        added.number = column.number;
        added.name = column.name;
        added.type_oid = column.type_oid;
        added.typmod = column.typmod;
        added.generated = column.generated;
    }
    return columns;
}

// Returns what is to be published of a captured command.
std::string take_in(std::string_view content, ColumnTypes& types, RecopiedTables& recopied) {
    if (!holds_definitions(content)) return std::string(content);
    DefinitionMessage message = decode_definitions(content);
    for (const DefinitionChange& change : message.objects)
        if (const auto* table = change.after ? std::get_if<TableDefinition>(&*change.after) : nullptr)
            types.captured(change.oid, columns_of(*table));
    const auto other = recopied.pass_on(std::move(message));
    return other ? encode(*other) : std::string(content);
}

enum Key : std::size_t { tables_key, lsn_key, changes_key };

KvMirror keys_of(GroupState& state) {
    return KvMirror({[&state](const std::string& all) { state.show_tables(all); },
                     [&state](const std::string& lsn) { state.show_confirmed(lsn); },
                     [&state](const std::string& all) { state.show_last_changes(all); }});
}

std::optional<std::string> ddl_content(const ReplicatorEnds& ends, DdlEvents& ddl, ColumnTypes& types,
                                       RecopiedTables& recopied, std::uint32_t xid,
                                       const pgoutput::LogicalMessage& message) {
    if (!ddl.holds({xid, message.lsn, message.prefix, message.content})) return std::nullopt;
    std::string content = take_in(message.content, types, recopied);
    return ends.rules == nullptr ? std::optional(std::move(content)) : ends.rules->ddl(content);
}

WalEnd stream(const ReplicatorEnds& ends, WalSource& wal, ResumePoint resume, const WalStreamHooks& hooks) {
    try {
        return stream_wal(wal, ends.publisher, resume, ends.options, hooks, ends.stop);
    } catch (const SpoolError&) {
        ends.options.activity->no_spool = true;
        ends.log(LogLevel::warning, "no transaction is read any more before it has committed (--read-ahead)");
        throw;
    } catch (const SqlError& error) {
        if (sql::is_internal_error(error.sqlstate())) say_undecodable(ends, error);
        const std::string& publication = ends.options.names.publication;
        if (error.sqlstate() != "42704" || publication_exists(ends.source, publication)) throw;
        // The next start says what to do.
        throw retry_error(fmt::format("unable to read the log: publication '{}' is gone", publication));
    }
}

}  // namespace

WalEnd read_log(const ReplicatorEnds& ends, ReplicatedTables& tables, TableGate& gate, TableMonitor* monitor,
                LogReading reading) {
    const ReplicatorOptions& options = ends.options;
    sql::ReplicationConnection replication =
        reading.connection ? std::move(*reading.connection) : connect_replication(options.source, ends.stop);
    start(replication, options, reading.resume);
    ReplicationWalSource wal(std::move(replication), wal_sender_timeout(ends.source));
    ColumnTypes types(ends.source);
    types.expect(tables.oids());
    GroupState state(ends.broker, options.names);
    KvMirror keys = keys_of(state);
    LastChanges changes = find_last_changes(ends.broker, options.names);
    std::erase_if(changes, [replicated = tables.oids()](const auto& each) { return !replicated.contains(each.first); });
    WalStreamHooks hooks;
    hooks.changed = [&](const LastChanges& newest) {
        for (const auto& [oid, change] : newest) changes[oid] = change;
        keys.set(changes_key, encode(changes));
    };
    hooks.types.complete = [&](Relation& relation, Lsn committed, std::uint32_t xid) {
        types.fill_from_log(relation, committed, xid);
        if (!tables.update(relation)) return;
        tables.show_references(ends.broker, options.names, ends.log);  // before the first row that they count for
        keys.set(tables_key, tables.encoded());
    };
    hooks.types.verdict = [&](const Relation& relation, Lsn committed) { return gate.verdict(relation, committed); };
    hooks.types.published_from = [&](Oid table) { return gate.published_from(table); };
    hooks.types.came_as = [&](const Relation& relation) { return gate.came_as(relation); };
    if (monitor != nullptr) hooks.types.ddl = [monitor] { monitor->look_now(); };
    std::optional<TimelineWatch> timeline;
    if (in_recovery(ends.source)) timeline.emplace(ends);
    hooks.session_must_end = [&] {
        ends.source.require_open();
        if (timeline) timeline->look();
        return gate.session_must_end();
    };
    if (ends.rules != nullptr)
        hooks.types.rules = [&](const RelationPtr& relation, Position position) {
            return ends.rules->accept(relation, position);
        };
    hooks.types.forget = [&](Oid type) { types.forget(type); };
    DdlEvents ddl(ends.source, options.names, reading.ddl, ends.log);
    RecopiedTables recopied(ends, gate);
    if (!reading.ddl.none())
        hooks.types.ddl_content = [&](std::uint32_t xid, const pgoutput::LogicalMessage& message) {
            return ddl_content(ends, ddl, types, recopied, xid, message);
        };
    hooks.confirmed = [&](Lsn lsn) {
        ends.housekeeper.stream_refuses(!ends.publisher.full().empty());
        ends.housekeeper.check();
        ends.housekeeper.confirmed(lsn);
        keys.set(lsn_key, to_string(lsn));
    };
    limit_confirmed(hooks, ends);
    hooks.slot_in_danger = [&] { return slot_in_danger(options); };
    hooks.log = ends.log;
    hooks.until = reading.until;
    hooks.left_out = reading.left_out;
    ends.running();
    return stream(ends, wal, reading.resume, hooks);
}

namespace {

ResumePoint publish_marker(const ReplicatorEnds& ends, Lsn point, const std::string& body) {
    const ResumePoint resume{{point, 0}, point};
    ends.publisher.publish({MessageKind::progress, resume.position, point}, body);
    await_acks(ends.publisher, *ends.options.metrics, ends.stop);
    return resume;
}

}  // namespace

ResumePoint mark_progress(const ReplicatorEnds& ends, Lsn point) {
    return publish_marker(ends, point, encode(Progress{point, sql::postgres_time_us()}));
}

ResumePoint mark_dump(const ReplicatorEnds& ends, Lsn point) {
    return publish_marker(ends, point, encode_dump_marker(Progress{point, sql::postgres_time_us()}));
}

}  // namespace pgsluice
