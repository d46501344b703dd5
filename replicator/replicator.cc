#include "replicator/replicator.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "replicator/await_acks.h"
#include "replicator/begin_stream.h"
#include "replicator/bootstrap/prepare.h"
#include "replicator/bootstrap/watch.h"
#include "replicator/ddl_tracking.h"
#include "replicator/ends.h"
#include "replicator/epoch.h"
#include "replicator/failover/lease_keeper.h"
#include "replicator/failover/standby.h"
#include "replicator/failover/timeline.h"
#include "replicator/group_state.h"
#include "replicator/heartbeat.h"
#include "replicator/log_reading.h"
#include "replicator/rules/source_rules.h"
#include "replicator/source/group_lock.h"
#include "replicator/source/publication.h"
#include "replicator/source/recovery.h"
#include "replicator/source/references.h"
#include "replicator/source/session.h"
#include "replicator/source/slot/failover.h"
#include "replicator/source/slot/health.h"
#include "replicator/source/slot/slot.h"
#include "replicator/source/slot/wal_limits.h"
#include "replicator/source/tables.h"
#include "replicator/source/writing_workers.h"
#include "replicator/start_up.h"
#include "replicator/tables/gate.h"
#include "replicator/tables/joined.h"
#include "replicator/tables/monitor.h"
#include "replicator/tables/owed.h"
#include "replicator/tables/replicated.h"
#include "replicator/tables/taking_in.h"
#include "replicator/tables/wanted.h"
#include "sql/error.h"
#include "stream/base/failpoint.h"
#include "stream/base/pause.h"
#include "stream/format/markers.h"
#include "stream/format/version.h"
#include "stream/full_name.h"
#include "stream/group/format_check.h"
#include "stream/group/info.h"

namespace pgsluice {

namespace {

// A walsender whose replicator was cut off, or is ending, takes a moment to notice when it is sending.
constexpr std::chrono::seconds left_walsender_patience(5);

// The group's tables were changed while the session was at work: a new one takes that in.
struct TablesChanged {};

class ReplicatorSession {
   public:
    // `again`: an earlier session of this run ended because the group's tables had changed.
    ReplicatorSession(const ReplicatorOptions& options, WantedTables& wanted, bool again, const Log& log,
                      const std::function<void()>& running, std::stop_token stop)
        : options_(options),
          wanted_(wanted),
          again_(again),
          log_(log),
          running_(running),
          stop_(std::move(stop)),
          source_(connect_source(options.source, stop_)) {}

    // False when it ended because the group's tables have changed: another one takes that in.
    bool run();

   private:
    StartFacts find_facts();
    TakeOver take_over_lock();
    void find_stream(StartFacts& facts);
    void check_rules(bool resuming);
    void begin_rules(bool resuming);
    void prepare(const StartDecision& decision);
    void prepare_for_slot();
    void publish_tables(bool resuming);
    void follow_promotion();
    void write_group();
    ResumePoint begin(const ReplicatorEnds& ends, StartDecision::Then then);
    void choose_again_if_made(sql::Connection& reader);
    ResumePoint resume(const ReplicatorEnds& ends);
    void read_until(const ReplicatorEnds& ends, const ResumePoint& from, Lsn until, const std::set<Oid>& left_out);
    [[nodiscard]] StartDecision decide();
    [[nodiscard]] std::uint64_t next_epoch(bool starts_over);

    const ReplicatorOptions& options_;
    WantedTables& wanted_;
    const bool again_;
    const Log& log_;
    const std::function<void()>& running_;
    std::stop_token stop_;
    sql::Connection source_;  // ordinary; for looking and for the catalog
    std::optional<GroupLock> lock_;
    std::vector<sql::CatalogTable> tables_;
    std::optional<OwedTables> owed_;
    std::unique_ptr<Broker> broker_;
    std::optional<LeaseKeeper> lease_;  // with --standby
    StartFacts facts_;
    BootstrapStart bootstrap_ = BootstrapStart::none;
    std::unique_ptr<Publisher> publisher_;
    std::optional<sql::ReplicationConnection> replication_;  // until it reads, or a copy comes first
    DdlTracking ddl_;
    std::optional<SourceRules> rules_;
    bool rules_end_ = false;  // the group had some, and none are given any more
    std::optional<ReplicatedTables> replicated_;
};

// Everything that can fail for the user's sake is asked before anything is made.
StartFacts ReplicatorSession::find_facts() {
    check_source(source_, options_.from_standby);
    const bool from_cut_off = options_.standby && take_over_lock() == TakeOver::ended;
    tables_ = again_ ? wanted_.resolve_present(source_, log_) : wanted_.resolve(source_, log_);
    StartFacts facts;
    facts.mode = options_.mode;
    facts.resnapshot = options_.resnapshot;
    facts.names = options_.names;
    replication_.emplace(connect_replication(options_.source, stop_));
    facts.source = replication_->identify_system();
    if (!broker_) broker_ = Broker::connect(options_.nats, log_, stop_);
    if (!options_.resnapshot) {
        broker_->check_sealed(options_.names);
        check_format(*broker_, options_.names);
    }
    if (!lock_) lock_.emplace(source_, options_.names.slot);
    if (options_.resnapshot) broker_->remove_unsigned_keys(options_.names);
    facts.publication_exists = publication_exists(source_, options_.names.publication);
    facts.slot = find_slot(source_, options_.names.slot);
    if (facts.slot && facts.slot->being_created()) {
        facts.slot = end_abandoned_creation(source_, options_.names.slot, *facts.slot, log_);
    }
    facts.slot = end_left_walsender(source_, options_.names.slot, facts.slot,
                                    from_cut_off ? std::chrono::seconds(0) : left_walsender_patience, log_);
    facts.wal_end = wal_end(source_);
    facts.in_recovery = in_recovery(source_);
    find_stream(facts);
    return facts;
}

// With --standby, before anything else is looked at: it may have changed when this one takes over.
TakeOver ReplicatorSession::take_over_lock() {
    broker_ = Broker::connect(options_.nats, log_, stop_);
    const TakeOver found = stand_by(options_, source_, *broker_, log_, running_, stop_);
    lock_.emplace(source_, options_.names.slot);
    lease_.emplace(options_, lock_->holder(), log_);
    return found;
}

// A replicated stream's new leader that has not applied everything yet reports too early an end, and for that we would
// drop a good slot, or stop. So it is asked again for a while. This narrows the gap and proves nothing: only the fence
// of the first message published proves last_seq, and the slot is dropped before that. What remains: a leader that lags
// for longer than leader_settle_ms, with an end at which a slot is to be dropped (a snapshot unfinished, or just
// begun). Its slot is lost, the fence then refuses the new snapshot's first message, and the next start, which sees the
// true end, says that the slot is gone.
void ReplicatorSession::find_stream(StartFacts& facts) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(leader_settle_ms);
    bool replicated = false;
    while (true) {
        find_stream_facts(facts, *broker_);
        find_timeline_history(facts, options_.source, stop_);
        replicated = replicated || (facts.stream && facts.stream->replicas > 1);
        if (!replicated || !depends_on_the_end(facts) || std::chrono::steady_clock::now() >= deadline) return;
        if (!pause(stop_, std::chrono::milliseconds(200))) throw Interrupted{};
    }
}

void ReplicatorSession::check_rules(bool resuming) {
    rules_end_ = check_source_rules(options_, *broker_, resuming, log_);
    if (options_.rules == nullptr) return;
    if (bootstrap_ == BootstrapStart::prepare)
        throw usage_error("unable to begin with a dump and --rules-config: the dump would hold what the rules hide",
                          "Copy the tables with --copy-and-stream, which applies the rules. Or give the rules to the "
                          "workers and to pgsluice import, and not to the replicator.");
    rules_.emplace(options_, *broker_, log_);
    if (resuming) return;
    ColumnTypes types(source_);
    std::vector<Relation> relations;
    for (SourceTable& table : tables_to_copy(source_, tables_, options_.publish_via_partition_root, types))
        relations.push_back(std::move(table.relation));
    rules_->check(relations, references_of(source_, relations));
}

// Before anything of the session is published, or written that shows definitions.
void ReplicatorSession::begin_rules(bool resuming) {
    if (rules_end_) end_source_rules(*broker_, options_.names);
    if (!rules_) return;
    rules_->begin(
        replicated_->now(), [this] { return replicated_->references(); },
        resuming ? std::optional(facts_.last->meta.position) : std::nullopt);
}

void ReplicatorSession::prepare(const StartDecision& decision) {
    const bool resuming = decision.then == StartDecision::Then::resume;
    if (!resuming && facts_.last && facts_.last->meta.kind != MessageKind::group)
        DdlTracking::warn_of_unread(source_, options_.names, log_);
    if (decision.drop_slot) {
        log_(LogLevel::info, fmt::format("dropping slot '{}', {}", options_.names.slot,
                                         facts_.slot && facts_.slot->invalidated ? "which the source invalidated"
                                         : options_.resnapshot ? "to take the snapshot again (--resnapshot)"
                                                               : "left by an unfinished start"));
        drop_slot(source_, options_.names.slot);
    }
    if (resuming) keep_through_failover(options_.source, source_, options_.names.slot, *facts_.slot, log_, stop_);
    if (!resuming) prepare_for_slot();
    if (options_.mode != ReplicatorMode::copy) log_writing_workers(source_, options_.origin, log_);
    if (options_.mode != ReplicatorMode::copy) publish_tables(resuming);
    broker_->ensure_stream(options_.names, options_.stream);
    broker_->seal_stream(options_.names, decision.write_group);
    begin_or_end_bootstrap(bootstrap_, *broker_, options_.names, resuming, stop_);
    ddl_.announce(*broker_, options_.names, facts_.stream);
    const StreamSeq last_seq = facts_.stream ? facts_.stream->last_seq : StreamSeq{0};
    publisher_ = broker_->publisher(options_.names, last_seq, options_.publisher, options_.stream_zstd_level);
    replicated_.emplace(source_, tables_, *broker_, options_, rules_ ? &*rules_ : nullptr);
    begin_rules(resuming);
    replicated_->show(*broker_, options_.names, log_);
    if (decision.write_group) {
        write_group();
    } else if (was_promoted(facts_)) {
        follow_promotion();
    } else {
        note_format(*broker_, options_.names, group_info(options_, facts_, source_.server_version()));
    }
}

// What the slot will do to the source is said once, before it is made.
void ReplicatorSession::prepare_for_slot() {
    replication_.reset();
    check_free_slot(source_);
    check_standby_settings(source_, log_);
    if (options_.mode == ReplicatorMode::copy) return;
    for (const WalLimit& limit : look_at_wal_limits(source_))
        if (!limit.well) log_(LogLevel::info, fmt::format("{}. {}", limit.text, limit.way_out));
}

void ReplicatorSession::publish_tables(bool resuming) {
    if (resuming)
        take_in_changes({options_, source_, *broker_, wanted_, *owed_, *facts_.last, facts_.wal_end, again_, log_},
                        tables_);
    else
        keep_left_out({options_, source_, wanted_, *owed_, log_}, tables_);
    if (tables_.empty())
        throw stop_error(
            fmt::format("unable to replicate group '{}': it has no tables any more", options_.names.group),
            "The log says why each is left out: mend that, or select others with --tables, --schemas or --schema.");
    const std::string& publication = options_.names.publication;
    ensure_publication(source_, publication, tables_, options_.publish_via_partition_root, log_);
    owed_->note_publication(publication_version(source_, publication));
    PGSLUICE_FAILPOINT("after-publication");
    // Now that they are captured, those that are still empty need no copy.
    if (resuming) owed_->apply(wanted_.reconcile_with(source_, owed_->all(), tables_));
    warn_of_refused_updates(source_, tables_, log_);
    ddl_.prepare(source_, options_, facts_.in_recovery, log_);
}

// Before anything of the new timeline is published: what comes next is compared with where that one ends.
void ReplicatorSession::follow_promotion() {
    log_(LogLevel::info, fmt::format("the source was promoted: it is on timeline {} now, which has all that was "
                                     "replicated from timeline {}; continuing",
                                     facts_.source.timeline, facts_.group->timeline));
    GroupState(*broker_, options_.names).remember(group_info(options_, facts_, source_.server_version()));
}

void ReplicatorSession::write_group() {
    const GroupInfo info = group_info(options_, facts_, source_.server_version());
    // After an older snapshot (--resnapshot) positions still must not fall.
    MessageMeta meta{MessageKind::group, {}, {}};
    if (facts_.last) meta = {MessageKind::group, facts_.last->meta.position, facts_.last->meta.safe_flush_lsn};
    publisher_->publish(meta, encode(info));
    await_acks(*publisher_, *options_.metrics, stop_);
    GroupState(*broker_, options_.names).remember(info);
    PGSLUICE_FAILPOINT("after-group");
}

std::uint64_t ReplicatorSession::next_epoch(bool starts_over) {
    return GroupState(*broker_, options_.names).next_epoch(facts_.stream, facts_.last, starts_over);
}

void ReplicatorSession::read_until(const ReplicatorEnds& ends, const ResumePoint& from, Lsn until,
                                   const std::set<Oid>& left_out) {
    TableGate gate(ends, *owed_, wanted_, nullptr);
    switch (read_log(ends, *replicated_, gate, nullptr, {from, ddl_.prefixes(), until, left_out})) {
        case WalEnd::stopped:
            throw Interrupted{};
        case WalEnd::session_end:
            throw TablesChanged{};
        case WalEnd::reached:
            break;
    }
}

ResumePoint ReplicatorSession::resume(const ReplicatorEnds& ends) {
    const MessageMeta& last = facts_.last->meta;
    ResumePoint resume = resume_point(last);
    resume.comes_again = resume.position.ordinal > 0 && facts_.slot->confirmed <= resume.position.commit;
    JoinedTables joined(ends, *owed_, tables_,
                        [&](Lsn until, const std::set<Oid>& left_out) { read_until(ends, resume, until, left_out); });
    if (last.added && last.kind != MessageKind::snapshot_end)
        joined.discard_interrupted(*facts_.last, next_epoch(false));
    if (owed_->due().empty()) return resume;
    replication_.reset();
    return options_.mode == ReplicatorMode::copy_and_stream ? joined.copy(next_epoch(false)) : joined.leave_out();
}

// A table that was made after the tables were chosen and before the slot's consistent point, which can take as long as
// other transactions do, would join. But no message has its CREATE, so that no target could apply the DDL that follows
// until then.
void ReplicatorSession::choose_again_if_made(sql::Connection& reader) {
    if (!options_.track_ddl) return;
    const auto made = wanted_.made_since(reader);
    if (!made) return;
    log_(LogLevel::info,
         fmt::format("table '{}' was made before the slot was there: choosing the tables again", full_name(*made)));
    throw TablesChanged{};
}

ResumePoint ReplicatorSession::begin(const ReplicatorEnds& ends, StartDecision::Then then) {
    if (bootstrap_ == BootstrapStart::prepare) return prepare_bootstrap(ends, *owed_, tables_);
    switch (then) {
        case StartDecision::Then::new_slot:
            return begin_stream(ends, *owed_, tables_, *replicated_);
        case StartDecision::Then::copy:
            return take_snapshot(ends, *owed_, tables_, next_epoch(options_.resnapshot),
                                 [this](sql::Connection& reader) { choose_again_if_made(reader); });
        default:
            return resume(ends);
    }
}

// The last report of a replicator that stops shows the slot as it is now: gone, or lost.
StartDecision ReplicatorSession::decide() {
    try {
        return decide_replicator_start(facts_);
    } catch (const Error&) {
        options_.activity->slot.set(look_at_slot(source_, options_.names.slot));
        throw;
    }
}

bool ReplicatorSession::run() {
    facts_ = find_facts();
    bootstrap_ = find_bootstrap_start(options_, *broker_, facts_);
    facts_.resnapshot = facts_.resnapshot || bootstrap_ == BootstrapStart::prepare;
    const StartDecision decision = decide();
    if (decision.then == StartDecision::Then::finished) {
        log_(LogLevel::info, fmt::format("the snapshot of group '{}' is complete already", options_.names.group));
        running_();
        return true;
    }
    check_rules(decision.then == StartDecision::Then::resume);
    owed_.emplace(*broker_, options_.names, log_);
    // Not before there is a stream: what reports to the group would make its bucket, without the stream's replicas.
    if (facts_.stream) options_.activity->owns_group = true;
    prepare(decision);
    options_.activity->owns_group = true;
    Housekeeper housekeeper(options_, log_);
    const ReplicatorEnds ends{
        options_, log_, running_, stop_, source_, *broker_, *publisher_, housekeeper, rules_ ? &*rules_ : nullptr};
    try {
        const ResumePoint resume = begin(ends, decision.then);
        if (options_.mode == ReplicatorMode::copy) return true;
        std::optional<BootstrapWatch> watch;
        if (bootstrap_ != BootstrapStart::none) watch.emplace(options_, log_);
        TableMonitor monitor(options_, wanted_, owed_->all(), owed_->publication(), log_);
        TableGate gate(ends, *owed_, wanted_, &monitor);
        const Heartbeat heartbeat(options_, log_);
        LogReading reading{resume, ddl_.prefixes()};
        reading.connection = std::exchange(replication_, std::nullopt);
        return read_log(ends, *replicated_, gate, &monitor, std::move(reading)) != WalEnd::session_end;
    } catch (const TablesChanged&) {
        return false;
    }
}

}  // namespace

void run_replicator(const ReplicatorOptions& options, const Log& log, const std::function<void()>& running,
                    std::stop_token stop) {
    WantedTables wanted(options);
    if (ReplicatorSession(options, wanted, false, log, running, stop).run()) return;
    ReplicatorOptions again = options;
    again.resnapshot = false;
    again.bootstrap.verb = BootstrapVerb::none;
    while (!ReplicatorSession(again, wanted, true, log, running, stop).run()) {
    }
}

}  // namespace pgsluice
