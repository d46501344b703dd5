#include "replicator/replicator.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <vector>

#include "replicator/column_types.h"
#include "replicator/drain.h"
#include "replicator/group_state.h"
#include "replicator/housekeeper.h"
#include "replicator/lsn_copy.h"
#include "replicator/publication.h"
#include "replicator/slot.h"
#include "replicator/snapshot.h"
#include "replicator/source_session.h"
#include "replicator/start_up.h"
#include "replicator/tables.h"
#include "replicator/wait_watch.h"
#include "replicator/wal_source.h"
#include "replicator/wal_stream.h"
#include "sql/error.h"
#include "sql/timestamp.h"
#include "stream/failpoint.h"
#include "stream/markers.h"

namespace pgsluice {

namespace {

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
    void prepare(const StartPlan& plan);
    void write_group();
    ResumePoint begin_stream();
    ResumePoint copy();
    void stream(const ResumePoint& resume, const Housekeeper& housekeeper);

    const ReplicatorOptions& options_;
    const Log& log_;
    const std::function<void()>& running_;
    std::stop_token stop_;
    sql::Connection source_;  // ordinary; for looking and for the catalog
    std::vector<sql::CatalogTable> tables_;
    std::unique_ptr<Broker> broker_;
    StartFacts facts_;
    std::unique_ptr<Publisher> publisher_;
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
    lock_group(source_, options_.names.slot);
    facts.publication_exists = publication_exists(source_, options_.names.publication);
    facts.slot = find_slot(source_, options_.names.slot);
    if (facts.slot && facts.slot->being_created()) {
        facts.slot = end_abandoned_creation(source_, options_.names.slot, *facts.slot, log_);
    }
    facts.stream = broker_->stream_state(options_.names.stream);
    if (facts.stream) facts.last = broker_->last_message(options_.names.stream);
    facts.group = GroupState(*broker_, options_.names).group(facts.stream);
    facts.wal_end = wal_end(source_);
    return facts;
}

void ReplicatorSession::prepare(const StartPlan& plan) {
    const bool resuming = plan.then == StartPlan::Then::resume;
    if (plan.drop_slot) {
        log_(LogLevel::info, fmt::format("dropping slot '{}', which an unfinished start left", options_.names.slot));
        drop_slot(source_, options_.names.slot);
    }
    if (!resuming) check_free_slot(source_);
    if (options_.mode != ReplicatorMode::copy) {
        ensure_publication(source_, options_.names.publication, tables_, options_.publish_via_partition_root, resuming,
                           log_);
        warn_of_missing_identity(source_, tables_, log_);
    }
    broker_->ensure_stream(options_.names, options_.stream);
    const StreamSeq last_seq = facts_.stream ? facts_.stream->last_seq : StreamSeq{0};
    publisher_ = broker_->publisher(options_.names, last_seq, options_.publisher);
    if (plan.write_group) write_group();
}

void ReplicatorSession::write_group() {
    const GroupInfo info{options_.names.group, facts_.source.system_identifier,        facts_.source.timeline,
                         facts_.source.dbname, version_text(source_.server_version()), PGSLUICE_VERSION};
    // Behind an older copy (--resnapshot) positions still must not fall.
    MessageMeta meta{MessageKind::group, {}, {}};
    if (facts_.last) meta = {MessageKind::group, facts_.last->meta.position, facts_.last->meta.confirmable};
    publisher_->publish(meta, encode(info));
    drain(*publisher_, stop_);
    GroupState(*broker_, options_.names).remember(info);
    PGSLUICE_FAILPOINT("after-group");
}

ResumePoint ReplicatorSession::begin_stream() {
    const std::string& name = options_.names.slot;
    SlotGuard guard(options_.source, name);
    sql::ReplicationConnection creator = connect_replication(options_.source, stop_);
    WaitWatch watch(source_, log_, fmt::format("creating slot '{}'", name));
    const int pid = creator.connection().backend_pid();
    const Lsn point =
        creator.create_slot(name, sql::SlotLife::permanent, sql::SlotSnapshot::nothing, [&] { watch.look(pid); })
            .consistent_point;
    PGSLUICE_FAILPOINT("after-slot");
    const ResumePoint resume{{point, 0}, point};
    publisher_->publish({MessageKind::progress, resume.position, point},
                        encode(Progress{point, sql::postgres_time_us()}));
    drain(*publisher_, stop_);
    guard.keep();
    log_(LogLevel::info, fmt::format("streaming begins at {}", to_string(point)));
    running_();
    return resume;
}

ResumePoint ReplicatorSession::copy() {
    GroupState state(*broker_, options_.names);
    SnapshotJob job;
    job.epoch = state.next_epoch(facts_.stream, facts_.last);
    job.tables = tables_;
    job.begun = running_;
    job.keep_progress = [&](std::string_view figures) { state.show_copy(figures); };
    state.remember_epoch(job.epoch);
    const Lsn point = copy_snapshot(options_, job, source_, *publisher_, log_, stop_);
    return {{point, 0}, point};
}

void ReplicatorSession::stream(const ResumePoint& resume, const Housekeeper& housekeeper) {
    sql::ReplicationConnection replication = connect_replication(options_.source, stop_);
    replication.start_replication(options_.names.slot, options_.names.publication);
    ReplicationWalSource wal(replication, wal_sender_timeout(source_));
    ColumnTypes types(source_);
    GroupState state(*broker_, options_.names);
    WalStreamHooks hooks;
    hooks.types.complete = [&](std::span<Column> columns) { types.fill(columns); };
    hooks.types.forget = [&](Oid type) { types.forget(type); };
    LsnCopy copy([&](Lsn lsn) { state.show_confirmed(lsn); });
    hooks.confirmed = [&](Lsn lsn) {
        housekeeper.check();
        copy.set(lsn);
    };
    if (options_.confirm == ConfirmMode::applied) hooks.confirm_limit = [&] { return housekeeper.applied(); };
    hooks.log = log_;
    running_();
    stream_wal(wal, *publisher_, resume, options_, hooks, stop_);
}

void ReplicatorSession::run() {
    facts_ = find_facts();
    const StartPlan plan = decide_start(facts_);
    if (plan.then == StartPlan::Then::finished) {
        log_(LogLevel::info, fmt::format("the copy of group '{}' is complete already", options_.names.group));
        running_();
        return;
    }
    prepare(plan);
    const Housekeeper housekeeper(options_, log_);
    ResumePoint resume;
    switch (plan.then) {
        case StartPlan::Then::new_slot:
            resume = begin_stream();
            break;
        case StartPlan::Then::copy:
            resume = copy();
            break;
        default:
            resume = resume_point(facts_.last->meta);
    }
    if (options_.mode != ReplicatorMode::copy) stream(resume, housekeeper);
}

}  // namespace

void run_replicator(const ReplicatorOptions& options, const Log& log, const std::function<void()>& running,
                    std::stop_token stop) {
    ReplicatorSession(options, log, running, std::move(stop)).run();
}

}  // namespace pgsluice
