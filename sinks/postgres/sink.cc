#include "sinks/postgres/sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "sinks/ddl/derive.h"
#include "sinks/definition_rules.h"
#include "sinks/postgres/apply.h"
#include "sinks/postgres/ddl/ddl_wait.h"
#include "sinks/postgres/ddl/index_builds.h"
#include "sinks/postgres/origins.h"
#include "sinks/postgres/plannable.h"
#include "sinks/postgres/rights/target_owner.h"
#include "sinks/postgres/schema/late_tables.h"
#include "sinks/postgres/schema/schema_sync.h"
#include "sinks/postgres/sequences/sequence_keeper.h"
#include "sinks/postgres/snapshot_load.h"
#include "sql/quote.h"

namespace pgsluice {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto progress_interval = std::chrono::seconds(1);       // of progress without data
constexpr auto polite_interval = std::chrono::milliseconds(500);  // of asking who waits for what is open
constexpr auto counts_interval = std::chrono::seconds(60);

// The source's tables behind those that are not left out.
std::vector<const Relation*> sources_of(const SnapshotBegin& begin, const std::vector<RelationPtr>& tables) {
    std::vector<const Relation*> all;
    for (std::size_t i = 0; i < tables.size() && i < begin.tables.size(); ++i) {
        if (tables[i]) all.push_back(&begin.tables[i]);
    }
    return all;
}

// Those met last are looked at first.
void add_once(std::vector<const Relation*>& relations, const Relation* relation) {
    if (std::find(relations.rbegin(), relations.rend(), relation) == relations.rend()) relations.push_back(relation);
}

class PostgresSink : public Sink, public MakesTables {
   public:
    PostgresSink(const PostgresSinkOptions& options, const Log& log, std::stop_token stop, DeadLetters* dead_letters,
                 DdlDecisions* decisions)
        : options_(options),
          log_(log),
          stop_(std::move(stop)),
          sequences_(options_, log_),
          session_(open_session(options_, stop_)),
          progress_(session_.connection, options_.group, options_.worker),
          mappings_(session_.connection, options_.on_missing_column, log_),
          origins_(options_, log_),
          load_({options_, log_, session_, progress_, mappings_, origins_, dead_letters}, stop_),
          builds_(options_, decisions, log_, stop_),
          applier_(session_, progress_, mappings_, options_, log_, dead_letters, decisions, builds_),
          decisions_(decisions),
          schema_(options_, origins_, log_, stop_),
          late_tables_(session_.connection, progress_, schema_, options_, stop_) {
        schema_.when_read([this](Lsn upto) {
            sql::Connection other(options_.target, stop_);
            progress_.note_schema(other, upto);
        });
    }

    std::optional<SinkState> open() override;
    void read_from(const GroupInfo& source) override { origins_.open(session_.connection, source); }
    std::string home() override { return home_database(session_.connection); }
    bool reads(const std::string& stream) override { return progress_.reads(stream); }
    std::optional<std::map<Oid, std::string>> table_notes() override { return progress_.table_notes(); }
    void note_tables(const std::map<Oid, std::string>& notes) override;
    [[nodiscard]] bool snapshot_replaces_rows() const override { return options_.existing_rows != ExistingRows::keep; }
    [[nodiscard]] bool kept_rows_against_options() const override;
    [[nodiscard]] bool takes_back() const override { return snapshot_replaces_rows(); }
    void start_over() override { load_.start_over(); }
    void shares_targets(const std::map<std::uint32_t, std::set<std::string>>& others) override {
        load_.shares_targets(others);
    }
    void rule_definitions(RuleDefinitions rules) override;
    void while_waiting(std::function<void()> tell) override;
    void begin_snapshot(const SnapshotBegin& begin, const std::vector<RelationPtr>& tables,
                        const Checkpoint& upto) override;
    [[nodiscard]] bool takes_copy() const override { return true; }
    void copy(const CopyBlock& block) override { load_.add(block); }
    void end_snapshot(const SnapshotEnd& end, const Checkpoint& upto) override;
    void apply(const Batch& batch) override;
    void flush() override;
    [[nodiscard]] Checkpoint durable() const override { return durable_; }
    void close() override;

   private:
    void apply_rows(const Batch& batch);
    void apply_before(const std::vector<Change>& changes, std::size_t count);
    void apply_with_ddl(const Batch& batch, std::size_t first);
    void apply_ddl_transaction(const Batch& batch, std::size_t from);
    void finish_builds_before(const std::vector<Change>& changes);
    void finish_builds();
    void await_decision(const UndecidedDdl& command);
    void apply_changes(const Batch& batch, const std::vector<Change>& changes);
    void create_missing(const std::vector<Change>& changes);
    void note_written(const std::vector<Change>& changes);
    [[nodiscard]] SinkState state_at(const Checkpoint& checkpoint) const;
    void move_alone(const SinkState& next);
    void committed();
    void flush_durable();
    bool holds_others_up();
    void check_incomplete();
    void log_counts();

    const PostgresSinkOptions options_;  // the other members refer to these three
    const Log log_;
    std::stop_token stop_;
    SequenceKeeper sequences_;  // before the session: it levels sequences when the connection is gone
    PostgresSession session_;
    PostgresProgress progress_;
    TargetMappings mappings_;
    TargetOrigins origins_;
    SnapshotLoad load_;
    IndexBuilds builds_;
    PostgresApplier applier_;
    DdlDecisions* decisions_;
    std::function<void()> tell_ = [] {};

    std::optional<Checkpoint> pending_;  // after changes that were none of ours; written when there is time
    Clock::time_point moved_at_;
    Clock::time_point piece_at_;  // when the last piece of an incomplete transaction came
    Position piece_end_;          // its last change
    Clock::time_point next_polite_;
    Checkpoint durable_;
    // With synchronous_commit off: committed, and durable once the server's WAL is flushed up to here.
    std::optional<std::pair<Checkpoint, Lsn>> unflushed_;
    SchemaSync schema_;
    LateTables late_tables_;
    ConflictCounts logged_;
    Clock::time_point logged_at_ = Clock::now();
};

std::optional<SinkState> PostgresSink::open() {
    auto state = progress_.open(options_.lock_wait_ms);
    log_(LogLevel::info, fmt::format("target: {}", replication_role_text(session_.replica)));
    require_target_owner(session_.connection, options_);
    if (options_.sync_schema) {
        warn_of_rights(session_.connection, options_, log_);
    }
    sequences_.open(session_.connection, progress_);
    builds_.resume(session_.connection);
    if (!state) return state;
    durable_ = state->checkpoint;
    load_.open();
    return state;
}

void PostgresSink::rule_definitions(RuleDefinitions rules) {
    schema_.rule_definitions(std::move(rules));
    if (options_.sync_schema) late_tables_.finish_noted();
}

void PostgresSink::while_waiting(std::function<void()> tell) {
    tell_ = tell;
    session_.connection.on_tick(tell);
    schema_.while_waiting(tell);
    load_.while_waiting(std::move(tell));
}

SinkState PostgresSink::state_at(const Checkpoint& checkpoint) const {
    SinkState next = progress_.state();
    next.checkpoint = checkpoint;
    return next;
}

void PostgresSink::move_alone(const SinkState& next) {
    applier_.apply({}, &next);
    committed();
}

// After every commit that moved the progress.
void PostgresSink::committed() {
    pending_.reset();
    builds_.committed();
    moved_at_ = Clock::now();
    if (session_.synchronous) durable_ = progress_.state().checkpoint;
}

void PostgresSink::begin_snapshot(const SnapshotBegin& begin, const std::vector<RelationPtr>& tables,
                                  const Checkpoint& upto) {
    if (load_.continues(begin, tables, upto.resume_seq)) return;
    if (applier_.open()) {
        applier_.roll_back();  // the rest of that transaction never comes: a copy begins
        sequences_.forget_noted();
    }
    if (options_.sync_schema) schema_.create_tables(pointers(tables), sources_of(begin, tables));
    load_.begin(begin, upto);
    committed();
}

// A snapshot that began with "error" found no rows; but while it loads, it can still be had as it is asked for now.
bool PostgresSink::kept_rows_against_options() const {
    if (options_.existing_rows != ExistingRows::truncate) return false;
    return progress_.existing_rows() == "keep" || (load_.running() && progress_.existing_rows() == "error");
}

// Never in a transaction of rows: that may be rolled back, and the worker takes what it noted for kept.
void PostgresSink::note_tables(const std::map<Oid, std::string>& notes) {
    if (!applier_.open()) return PostgresProgress::note_tables(session_.connection, progress_, notes);
    sql::Connection other(options_.target, stop_);
    PostgresProgress::note_tables(other, progress_, notes);
}

void PostgresSink::end_snapshot(const SnapshotEnd&, const Checkpoint& upto) {
    load_.close_loader();
    const auto loaded = pointers(load_.tables());
    if (options_.sync_schema) {
        const auto names = names_of(loaded);
        schema_.create_rest(names, loaded);
        schema_.set_sequences(names);
        mappings_.forget();
    }
    std::vector<std::string> quoted;
    for (const Relation* table : loaded) quoted.push_back(sql::quote_qualified(table->schema, table->table));
    sequences_.note_written(quoted);
    load_.end(upto);
    sequences_.level();
    committed();
}

// Tables that changes are about for the first time; some may have to be created in the middle of the stream.
void PostgresSink::create_missing(const std::vector<Change>& changes) {
    if (!options_.sync_schema) return;
    std::vector<const Relation*> relations;
    for (const Change& change : changes) {
        for (const RelationPtr& relation : change.truncated) add_once(relations, relation.get());
        if (change.relation != nullptr && change.truncated.empty()) add_once(relations, change.relation);
    }
    late_tables_.create_missing(relations, applier_.open());
}

void PostgresSink::note_written(const std::vector<Change>& changes) {
    std::vector<const Relation*> filled;
    for (const Change& change : changes)
        if (change.op == Op::insert || change.op == Op::update) add_once(filled, change.relation);
    std::vector<std::string> names;
    for (const Relation* relation : filled) names.push_back(mappings_.at(*relation)->table.name);
    sequences_.note_written(names);
}

void PostgresSink::apply(const Batch& batch) {
    // Rows that went through the rules: the checkpoint must not pass blocks that are still being loaded.
    load_.await_loaded();
    if (!batch.changes.empty() && !applier_.open()) origins_.use(session_.connection, batch.made_in);
    if (batch.changes.empty() && batch.complete && !applier_.open()) {
        pending_ = batch.upto;
        return;
    }
    const auto is_ddl = [](const Change& change) { return change.op == Op::message; };
    const auto ddl = std::find_if(batch.changes.begin(), batch.changes.end(), is_ddl);
    if (ddl == batch.changes.end()) return apply_rows(batch);
    apply_with_ddl(batch, static_cast<std::size_t>(ddl - batch.changes.begin()));
}

// Where a row's table is not as the source says, what was committed before is applied, and only that: to make the table
// fit the row may mean that it no longer fits those before.
void PostgresSink::apply_rows(const Batch& batch) {
    create_missing(batch.changes);
    if (const auto stopped = first_unplannable(batch.changes, mappings_)) {
        apply_before(batch.changes, stopped->change);
        throw Error(stopped->error);
    }
    note_written(batch.changes);
    apply_changes(batch, batch.changes);
}

// Applies the transactions that end before the one of the change at `count`, and commits. All of them can be planned.
void PostgresSink::apply_before(const std::vector<Change>& changes, std::size_t count) {
    if (progress_.state().loading_epoch != 0) return;
    const std::size_t end = before_transaction(changes, count);
    const bool ends_open = applier_.open() && piece_end_.commit != changes[count].position.commit;
    if (end == 0 && !ends_open) return;
    const std::vector<Change> before(changes.begin(), changes.begin() + static_cast<std::ptrdiff_t>(end));
    // A worker without a checkpoint reads from the first message.
    const StreamSeq resume = std::max(progress_.state().checkpoint.resume_seq, StreamSeq{1});
    const SinkState next = state_at({resume, end == 0 ? piece_end_ : before.back().position});
    note_written(before);
    applier_.apply(before, &next);
    committed();
    late_tables_.finish();
}

// Transactions before the one with DDL are committed first. Where an operator has to decide about a command, nothing of
// its transaction is kept meanwhile; afterwards it is applied from its beginning, which is read again if it came in
// an earlier batch.
void PostgresSink::apply_with_ddl(const Batch& batch, std::size_t first) {
    const std::size_t whole = before_transaction(batch.changes, first);
    const std::vector<Change> before(batch.changes.begin(), batch.changes.begin() + static_cast<std::ptrdiff_t>(whole));
    create_missing(before);
    const auto stopped = first_unplannable(before, mappings_);
    apply_before(batch.changes, stopped ? stopped->change : first);
    if (stopped) throw Error(stopped->error);
    finish_builds_before(batch.changes);
    const bool begins_here = !applier_.open();
    for (bool applied = false; !applied;) {
        try {
            apply_ddl_transaction(batch, whole);
            applied = true;
        } catch (const UndecidedDdl& command) {
            await_decision(command);
            if (!begins_here) throw retry_error("a command was decided about: reading its transaction again");
        }
    }
}

// A command may need an index that is being built.
void PostgresSink::finish_builds_before(const std::vector<Change>& changes) {
    if (!builds_.pending()) return;
    std::vector<DerivedStatement> commands;
    for (const Change& change : changes) {
        if (change.op != Op::message) continue;
        const bool derived = holds_definitions(change.content);
        auto more = derived ? derive(decode_definitions(change.content)) : std::vector(1, DerivedStatement{});
        std::move(more.begin(), more.end(), std::back_inserter(commands));
    }
    if (!builds_.concern(session_.connection, commands)) return;
    const bool open = applier_.open();
    applier_.roll_back();
    finish_builds();
    if (open) throw retry_error("an index was being built: reading the transaction of the next command again");
}

void PostgresSink::finish_builds() {
    while (builds_.pending()) {
        builds_.finish(tell_);
        if (const auto refused = builds_.refused()) {
            if (builds_.awaits_decision()) await_decision(*refused);
            builds_.decided(session_.connection);
        }
    }
    mappings_.forget();
}

void PostgresSink::await_decision(const UndecidedDdl& command) {
    applier_.roll_back();
    sequences_.forget_noted();
    mappings_.forget();
    late_tables_.forget();
    DdlWait(*decisions_, options_, log_, stop_).await(command, [this] {
        tell_();
        session_.connection.require_open();
    });
}

// DDL runs between the changes before and after it, all in one transaction. Later changes may be about tables that it
// makes or alters, so nothing is looked up beforehand.
void PostgresSink::apply_ddl_transaction(const Batch& batch, std::size_t from) {
    std::vector<Change> changes;
    for (std::size_t i = from; i < batch.changes.size(); ++i) {
        const Change& change = batch.changes[i];
        if (change.op != Op::message) {
            changes.push_back(change);
            continue;
        }
        create_missing(changes);
        note_written(changes);
        if (!changes.empty()) applier_.apply(changes, nullptr);
        changes.clear();
        applier_.apply_ddl(change);
        late_tables_.forget();
    }
    create_missing(changes);
    note_written(changes);
    apply_changes(batch, changes);
}

void PostgresSink::apply_changes(const Batch& batch, const std::vector<Change>& changes) {
    if (batch.complete) {
        const SinkState next = state_at(batch.upto);
        applier_.apply(changes, &next);
        load_.passed(StreamSeq{batch.upto.resume_seq.value - 1});
        committed();
        late_tables_.finish();
    } else {
        applier_.apply(changes, nullptr);
        piece_at_ = Clock::now();
        if (!changes.empty()) piece_end_ = changes.back().position;
    }
}

// Whether another session waits for the open transaction's end. A replicator that makes a slot on the same server does:
// then the rest would not come before the transaction has ended.
bool PostgresSink::holds_others_up() {
    return session_.connection
        .query(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE NOT l.granted AND l.locktype = 'transactionid' AND "
            "l.transactionid = pg_catalog.xid(pg_catalog.pg_current_xact_id_if_assigned()))",
            {}, {1, 1, 1})
        .boolean(0, 0);
}

void PostgresSink::check_incomplete() {
    if (!applier_.open()) return;
    const auto waited = Clock::now() - piece_at_;
    const bool given_up = waited >= std::chrono::milliseconds(options_.incomplete_timeout_ms);
    if (!given_up && (waited < std::chrono::milliseconds(options_.incomplete_polite_ms) || Clock::now() < next_polite_))
        return;
    next_polite_ = Clock::now() + polite_interval;
    const bool polite = !given_up && holds_others_up();
    if (!given_up && !polite) return;
    applier_.roll_back();
    throw retry_error(fmt::format("no more of an incomplete transaction came for {} s{}: rolled back on the target, "
                                  "reading it again",
                                  std::chrono::duration_cast<std::chrono::seconds>(waited).count(),
                                  polite ? ", and another session waits for it" : ""),
                      "Start the group's replicator if it does not run: the rest of the transaction comes from it.");
}

// synchronous_commit = off: a crash of the target takes back data and progress together, so applying stays exact; but
// the stream may only be trimmed up to what no crash can take back.
void PostgresSink::flush_durable() {
    if (session_.synchronous || progress_.state().checkpoint == durable_) return;
    const auto wal =
        session_.connection.query("SELECT pg_current_wal_insert_lsn(), pg_current_wal_flush_lsn()", {}, {2, 1, 1});
    if (unflushed_ && parse_lsn(wal.text(0, 1)).value_or(Lsn{}) >= unflushed_->second) {
        durable_ = unflushed_->first;
        unflushed_.reset();
    }
    if (!unflushed_) unflushed_ = {progress_.state().checkpoint, parse_lsn(wal.text(0, 0)).value_or(Lsn{})};
}

void PostgresSink::log_counts() {
    const ConflictCounts& now = applier_.counts();
    if (now == logged_) return;
    log_(LogLevel::info,
         fmt::format("target rows that differed from the source's: {} inserts found a row and updated it, {} found one "
                     "and were ignored, {} updates found none and inserted it, {} deletes found none, {} changes "
                     "parked",
                     now.upserted, now.ignored, now.inserted_missing, now.deleted_missing, now.parked));
    logged_ = now;
    logged_at_ = Clock::now();
}

void PostgresSink::flush() {
    session_.connection.require_open();
    check_incomplete();
    if (builds_.ended()) mappings_.forget();
    if (applier_.open()) return;
    builds_.see_refused(session_.connection);
    load_.check();
    if (Clock::now() - moved_at_ >= progress_interval) {
        if (load_.running() && load_.move_on()) committed();
        if (!load_.running() && pending_) move_alone(state_at(*pending_));
    }
    flush_durable();
    sequences_.keep_ahead_if_due();
    origins_.check_if_due(session_.connection);
    if (Clock::now() - logged_at_ >= counts_interval) log_counts();
}

void PostgresSink::close() {
    // Asked to stop, the connection no longer answers; what is not committed is read again by the next run. Sequences
    // are levelled by the destructor.
    if (stop_.stop_requested()) return;
    applier_.roll_back();
    load_.await_loaded();
    if (load_.running() && load_.move_on()) committed();
    if (pending_) move_alone(state_at(*pending_));
    sequences_.level();
    if (!session_.synchronous && progress_.state().checkpoint != durable_) {
        // Flushes everything committed before as well.
        session_.connection.exec("SET synchronous_commit = on");
        move_alone(progress_.state());
        durable_ = progress_.state().checkpoint;
    }
    finish_builds();
    log_counts();
}

}  // namespace

std::unique_ptr<Sink> make_postgres_sink(const PostgresSinkOptions& options, const Log& log, std::stop_token stop,
                                         DeadLetters* dead_letters, DdlDecisions* decisions) {
    return std::make_unique<PostgresSink>(options, log, std::move(stop), dead_letters, decisions);
}

}  // namespace pgsluice
