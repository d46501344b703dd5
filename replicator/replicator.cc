#include "replicator/replicator.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "replicator/await_acks.h"
#include "replicator/group_state.h"
#include "replicator/housekeeper.h"
#include "replicator/kv_mirror.h"
#include "replicator/snapshot/snapshot.h"
#include "replicator/source/column_types.h"
#include "replicator/source/ddl_capture.h"
#include "replicator/source/lock_wait_monitor.h"
#include "replicator/source/publication.h"
#include "replicator/source/session.h"
#include "replicator/source/slot.h"
#include "replicator/source/table_selection.h"
#include "replicator/source/tables.h"
#include "replicator/start_up.h"
#include "replicator/wal/source.h"
#include "replicator/wal/stream.h"
#include "sql/error.h"
#include "sql/timestamp.h"
#include "stream/failpoint.h"
#include "stream/format/markers.h"
#include "stream/group/info.h"
#include "stream/group/snapshot_start.h"
#include "stream/group/tables.h"
#include "stream/pause.h"

namespace pgsluice {

namespace {

// Its replicator was cut off or is ending; a walsender in the middle of sending takes a moment to see that.
constexpr std::chrono::seconds left_walsender_patience(5);

std::string version_text(int server_version) {
    return fmt::format("{}.{}", server_version / 10000, server_version % 10000);
}

class ReplicatorSession {
   public:
    ReplicatorSession(const ReplicatorOptions& options, const Log& log, const std::function<void()>& running,
                      std::stop_token stop)
        : options_(options),
          log_(log),
          running_(running),
          stop_(std::move(stop)),
          source_(connect_source(options.source, stop_)) {}

    void run();

   private:
    StartFacts find_facts();
    void find_stream(StartFacts& facts);
    void prepare(const StartDecision& plan);
    void prepare_ddl_capture();
    void find_replicated();
    void write_group();
    void show_tables();
    [[nodiscard]] std::string described() const;
    ResumePoint begin_stream();
    ResumePoint mark_progress(Lsn point);
    ResumePoint copy(Housekeeper& housekeeper);
    ResumePoint copy_added(const ResumePoint& resume, Housekeeper& housekeeper);
    void call_off_added(const ResumePoint& resume);
    ResumePoint leave_out(const std::set<Oid>& tables, const ResumePoint& resume, Housekeeper& housekeeper);
    Lsn make_copy(SnapshotJob& job, Housekeeper& housekeeper);
    // True when it came to `until`, see WalStreamHooks.
    bool stream(const ResumePoint& resume, Housekeeper& housekeeper, std::optional<Lsn> until = {},
                std::set<Oid> left_out = {});

    const ReplicatorOptions& options_;
    const Log& log_;
    const std::function<void()>& running_;
    std::stop_token stop_;
    sql::Connection source_;  // ordinary; for looking and for the catalog
    std::optional<GroupLock> lock_;
    std::vector<sql::CatalogTable> tables_;
    DueTables due_;
    std::unique_ptr<Broker> broker_;
    StartFacts facts_;
    std::unique_ptr<Publisher> publisher_;
    std::string ddl_prefix_;
    std::map<Oid, Relation> described_;  // the tables that changes come from, as last seen
    std::map<Oid, Relation> former_;     // those that they came from once
};

// Everything that can fail for the user's sake is asked before anything is made.
StartFacts ReplicatorSession::find_facts() {
    check_source(source_);
    tables_ = resolve_tables(source_, options_, log_);
    StartFacts facts;
    facts.mode = options_.mode;
    facts.resnapshot = options_.resnapshot;
    facts.names = options_.names;
    facts.source = connect_replication(options_.source, stop_).identify_system();
    broker_ = Broker::connect(options_.nats, log_, stop_);
    lock_.emplace(source_, options_.names.slot);
    facts.publication_exists = publication_exists(source_, options_.names.publication);
    facts.slot = find_slot(source_, options_.names.slot);
    if (facts.slot && facts.slot->being_created()) {
        facts.slot = end_abandoned_creation(source_, options_.names.slot, *facts.slot, log_);
    }
    facts.slot = end_left_walsender(source_, options_.names.slot, facts.slot, left_walsender_patience, log_);
    facts.wal_end = wal_end(source_);
    find_stream(facts);
    return facts;
}

// A replicated stream's new leader that has not applied all yet tells of too early an end, and by that we would drop a
// good slot, or stop. So it is asked again for a while. This narrows the gap, it proves nothing: only the fence of the
// first message published proves last_seq, and the slot is dropped before that. What remains: a leader that stays
// behind for longer than leader_settle_ms, with an end at which a slot is to be dropped (a copy unfinished, or just
// begun). Its slot is lost, the fence then refuses the new copy's first message, and the next start, which sees the
// true end, says that the slot is gone.
void ReplicatorSession::find_stream(StartFacts& facts) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(leader_settle_ms);
    bool replicated = false;
    while (true) {
        facts.stream = broker_->stream_state(options_.names.stream);
        facts.last = facts.stream ? broker_->last_message(options_.names.stream) : std::nullopt;
        facts.group = find_group_info(*broker_, options_.names, facts.stream);
        replicated = replicated || (facts.stream && facts.stream->replicas > 1);
        if (!replicated || !depends_on_the_end(facts) || std::chrono::steady_clock::now() >= deadline) return;
        if (!pause(stop_, std::chrono::milliseconds(200))) throw Interrupted{};
    }
}

void ReplicatorSession::prepare(const StartDecision& plan) {
    const bool resuming = plan.then == StartDecision::Then::resume;
    if (plan.drop_slot) {
        log_(LogLevel::info, fmt::format("dropping slot '{}', which an unfinished start left", options_.names.slot));
        drop_slot(source_, options_.names.slot);
    }
    if (!resuming) check_free_slot(source_);
    if (options_.mode != ReplicatorMode::copy) {
        const auto rows = !resuming                                          ? PublishedRows::all_copied
                          : options_.mode == ReplicatorMode::copy_and_stream ? PublishedRows::copy_is_due
                                                                             : PublishedRows::not_copied;
        const auto& last = facts_.last;
        const bool copied = last && last->meta.added && last->meta.kind == MessageKind::snapshot_end &&
                            !decode_snapshot_end(last->body).called_off;
        due_ = ensure_publication(source_, options_.names.publication, tables_, options_.publish_via_partition_root,
                                  rows, copied, log_);
        warn_of_refused_updates(source_, tables_, log_);
        prepare_ddl_capture();
    }
    broker_->ensure_stream(options_.names, options_.stream);
    const StreamSeq last_seq = facts_.stream ? facts_.stream->last_seq : StreamSeq{0};
    publisher_ = broker_->publisher(options_.names, last_seq, options_.publisher);
    find_replicated();
    show_tables();
    if (plan.write_group) write_group();
}

void ReplicatorSession::find_replicated() {
    ColumnTypes types(source_);
    for (SourceTable& table : tables_to_copy(source_, tables_, options_.publish_via_partition_root, types))
        described_[table.relation.oid] = std::move(table.relation);
}

// Rows of a table that is not replicated any more are still in the targets.
void ReplicatorSession::show_tables() {
    const auto before = find_tables(*broker_, options_.names).value_or(GroupTables{});
    for (const auto& tables : {before.former, before.now})
        for (Relation table : tables) {
            table.columns.clear();
            former_[table.oid] = std::move(table);
        }
    for (const auto& [oid, relation] : described_) former_.erase(oid);
    if (GroupState(*broker_, options_.names).show_tables(described())) return;
    log_(
        LogLevel::warning,
        fmt::format("the definitions of the {} tables do not fit into one message of the NATS server (max_payload {}): "
                    "workers check rules and routes only when they meet a table",
                    described_.size(), broker_->max_payload()));
}

std::string ReplicatorSession::described() const {
    GroupTables tables;
    for (const auto& [oid, relation] : described_) tables.now.push_back(relation);
    for (const auto& [oid, relation] : former_) tables.former.push_back(relation);
    return encode(tables);
}

void ReplicatorSession::prepare_ddl_capture() {
    const Names& names = options_.names;
    if (options_.track_ddl) {
        const std::string joining = selection_of(options_).condition("n.nspname", "t.relname");
        ddl_prefix_ = ensure_ddl_capture(source_, names, {names.publication, joining});
    } else if (!ddl_capture_objects(source_, names).empty()) {
        end_ddl_capture(source_, names, log_);
    }
}

void ReplicatorSession::write_group() {
    const GroupInfo info{options_.names.group, facts_.source.system_identifier,        facts_.source.timeline,
                         facts_.source.dbname, version_text(source_.server_version()), PGSLUICE_VERSION};
    // Behind an older copy (--resnapshot) positions still must not fall.
    MessageMeta meta{MessageKind::group, {}, {}};
    if (facts_.last) meta = {MessageKind::group, facts_.last->meta.position, facts_.last->meta.safe_flush_lsn};
    publisher_->publish(meta, encode(info));
    await_acks(*publisher_, stop_);
    GroupState(*broker_, options_.names).remember(info);
    PGSLUICE_FAILPOINT("after-group");
}

ResumePoint ReplicatorSession::mark_progress(Lsn point) {
    const ResumePoint resume{{point, 0}, point};
    publisher_->publish({MessageKind::progress, resume.position, point},
                        encode(Progress{point, sql::postgres_time_us()}));
    await_acks(*publisher_, stop_);
    return resume;
}

ResumePoint ReplicatorSession::begin_stream() {
    const std::string& name = options_.names.slot;
    SlotGuard guard(options_.source, name);
    sql::ReplicationConnection creator = connect_replication(options_.source, stop_);
    LockWaitMonitor watch(source_, log_, fmt::format("creating slot '{}'", name));
    const int pid = creator.connection().backend_pid();
    const Lsn point =
        creator.create_slot(name, sql::SlotLife::permanent, sql::SlotSnapshot::nothing, [&] { watch.look(pid); })
            .consistent_point;
    PGSLUICE_FAILPOINT("after-slot");
    guard.keep();  // the marker may be stored, whether we hear of it or not; without it, the next start drops the slot
    const ResumePoint resume = mark_progress(point);
    log_(LogLevel::info, fmt::format("streaming begins at {}", to_string(point)));
    running_();
    return resume;
}

Lsn ReplicatorSession::make_copy(SnapshotJob& job, Housekeeper& housekeeper) {
    GroupState state(*broker_, options_.names);
    KvMirror progress([&](const std::string& figures) { state.show_copy(figures); });
    job.check = [&](bool all_stored) {
        housekeeper.stream_refuses(!publisher_->full().empty());
        // The housekeeper looks now and then; behind the end marker nobody would copy anew.
        if (all_stored) {
            housekeeper.check(*broker_);
        } else {
            housekeeper.check();
        }
    };
    job.keep_progress = [&](std::string_view figures) { progress.set(std::string(figures)); };
    return copy_snapshot(options_, job, source_, *publisher_, log_, stop_);
}

ResumePoint ReplicatorSession::copy(Housekeeper& housekeeper) {
    SnapshotJob job;
    job.epoch = GroupState(*broker_, options_.names).next_epoch(facts_.stream, facts_.last, options_.resnapshot);
    job.tables = tables_;
    job.slot = {options_.names.slot, options_.mode != ReplicatorMode::copy};
    // All that was published is acknowledged, and nobody else publishes.
    const StreamSeq begin{broker_->stream_state(options_.names.stream).value().last_seq.value + 1};
    job.begun = [&](Lsn point) {
        await_acks(*publisher_, stop_);
        remember_snapshot_start(*broker_, options_.names, {job.epoch, begin, point});
        running_();
    };
    announce_epoch(*broker_, options_.names, job.epoch);
    const Lsn point = make_copy(job, housekeeper);
    return {{point, 0}, point};
}

// Tables that joined a running group: their rows are copied as of a slot made for that, and put into the stream where
// its consistent point is. Up to there the log is published without their changes, which the copy holds; from there on
// with them. The group's slot waits meanwhile.
ResumePoint ReplicatorSession::copy_added(const ResumePoint& resume, Housekeeper& housekeeper) {
    const MessageMeta& last = facts_.last->meta;
    if (last.added && last.kind != MessageKind::snapshot_end) call_off_added(resume);
    if (due_.copy.empty()) return due_.call_off.empty() ? resume : leave_out(due_.call_off, resume, housekeeper);
    std::vector<sql::CatalogTable> added;
    std::ranges::copy_if(tables_, std::back_inserter(added),
                         [&](const auto& table) { return due_.copy.contains(table.oid); });
    SnapshotJob job;
    job.epoch = GroupState(*broker_, options_.names).next_epoch(facts_.stream, facts_.last, false);
    job.tables = added;
    job.slot = {options_.names.slot + "_added", false};
    job.added = true;
    job.reach = [&](Lsn point, std::span<const SourceTable> tables) {
        std::set<Oid> left_out = with_partitions(source_, due_.call_off);
        for (const SourceTable& table : tables) left_out.insert(table.relation.oid);
        if (!stream(resume, housekeeper, point, std::move(left_out))) throw Interrupted{};
        PGSLUICE_FAILPOINT("before-added-copy");
    };
    check_free_slot(source_);
    log_(LogLevel::info,
         fmt::format("{} tables are new in the group: what they hold is copied first, the log is read on "
                     "behind that",
                     added.size()));
    announce_added_epoch(*broker_, options_.names, job.epoch);
    const Lsn point = make_copy(job, housekeeper);
    PGSLUICE_FAILPOINT("after-added-copy");
    copy_is_done(source_, options_.names.publication);
    return {{point, 0}, point};
}

// A copy of added tables that did not end: a copy of nothing behind it makes the workers throw away what they have of
// it, so that changes can follow.
void ReplicatorSession::call_off_added(const ResumePoint& resume) {
    log_(LogLevel::info, "the copy of tables that had joined the group did not end and is called off");
    const std::uint64_t epoch = GroupState(*broker_, options_.names).next_epoch(facts_.stream, facts_.last, false);
    announce_added_epoch(*broker_, options_.names, epoch);
    MessageMeta meta{MessageKind::snapshot_begin, resume.position, resume.safe_flush_lsn, true};
    publisher_->publish(meta, encode(SnapshotBegin{epoch, resume.safe_flush_lsn, {}, {}}));
    meta.kind = MessageKind::snapshot_end;
    publisher_->publish(meta, encode(SnapshotEnd{epoch, resume.safe_flush_lsn, 0, true}));
    await_acks(*publisher_, stop_);
    PGSLUICE_FAILPOINT("after-call-off");
}

// Tables that were to be copied and are not any more, for they left again, or nothing is to be copied: the changes from
// the time when they belonged to the group would come without the rows they are about.
ResumePoint ReplicatorSession::leave_out(const std::set<Oid>& tables, const ResumePoint& resume,
                                         Housekeeper& housekeeper) {
    const Lsn point = wal_end(source_);
    if (!stream(resume, housekeeper, point, with_partitions(source_, tables))) throw Interrupted{};
    const ResumePoint behind = mark_progress(point);
    copy_is_done(source_, options_.names.publication);
    return behind;
}

bool ReplicatorSession::stream(const ResumePoint& resume, Housekeeper& housekeeper, std::optional<Lsn> until,
                               std::set<Oid> left_out) {
    sql::ReplicationConnection replication = connect_replication(options_.source, stop_);
    raise_decoding_memory(replication.connection(), options_.decoding_memory_bytes);
    replication.start_replication(options_.names.slot, options_.names.publication);
    ReplicationWalSource wal(replication, wal_sender_timeout(source_));
    ColumnTypes types(source_);
    std::set<Oid> expected;
    for (const auto& [oid, relation] : described_) expected.insert(oid);
    types.expect(std::move(expected));
    GroupState state(*broker_, options_.names);
    WalStreamHooks hooks;
    KvMirror tables([&](const std::string& all) { state.show_tables(all); });
    hooks.types.complete = [&](Relation& relation, Lsn committed) {
        types.fill_from_log(relation, committed);
        Relation& before = described_[relation.oid];
        if (before == relation) return;
        before = relation;
        tables.set(described());
    };
    hooks.types.forget = [&](Oid type) { types.forget(type); };
    hooks.ddl_prefix = ddl_prefix_;
    KvMirror copy([&](const std::string& lsn) { state.show_confirmed(lsn); });
    hooks.confirmed = [&](Lsn lsn) {
        housekeeper.stream_refuses(!publisher_->full().empty());
        housekeeper.check();
        copy.set(to_string(lsn));
    };
    if (options_.confirm == ConfirmMode::applied) {
        const Lsn slot_at = find_slot(source_, options_.names.slot).value_or(SlotState{}).confirmed;
        hooks.confirm_limit = [&housekeeper, slot_at] { return std::max(slot_at, housekeeper.applied()); };
    }
    hooks.log = log_;
    hooks.until = until;
    hooks.left_out = std::move(left_out);
    running_();
    return stream_wal(wal, *publisher_, resume, options_, hooks, stop_);
}

void ReplicatorSession::run() {
    facts_ = find_facts();
    const StartDecision plan = decide_replicator_start(facts_);
    if (plan.then == StartDecision::Then::finished) {
        log_(LogLevel::info, fmt::format("the copy of group '{}' is complete already", options_.names.group));
        running_();
        return;
    }
    prepare(plan);
    Housekeeper housekeeper(options_, log_);
    ResumePoint resume;
    switch (plan.then) {
        case StartDecision::Then::new_slot:
            resume = begin_stream();
            break;
        case StartDecision::Then::copy:
            resume = copy(housekeeper);
            break;
        default:
            resume = resume_point(facts_.last->meta);
            resume.comes_again = resume.position.ordinal > 0 && facts_.slot->confirmed <= resume.position.commit;
            resume = copy_added(resume, housekeeper);
    }
    if (options_.mode != ReplicatorMode::copy) stream(resume, housekeeper);
}

}  // namespace

void run_replicator(const ReplicatorOptions& options, const Log& log, const std::function<void()>& running,
                    std::stop_token stop) {
    ReplicatorSession(options, log, running, std::move(stop)).run();
}

}  // namespace pgsluice
