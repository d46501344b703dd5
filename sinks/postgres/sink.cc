#include "sinks/postgres/sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "sinks/column_types.h"
#include "sinks/definition_rules.h"
#include "sinks/loads_directly.h"
#include "sinks/postgres/apply/apply.h"
#include "sinks/postgres/batch_writer.h"
#include "sinks/postgres/conflict_metrics.h"
#include "sinks/postgres/ddl/index_builds.h"
#include "sinks/postgres/ddl/unchecked_keys.h"
#include "sinks/postgres/origins.h"
#include "sinks/postgres/rights/target_owner.h"
#include "sinks/postgres/schema/late_tables.h"
#include "sinks/postgres/schema/schema_sync.h"
#include "sinks/postgres/sequences/sequence_keeper.h"
#include "sinks/postgres/share_progress.h"
#include "sinks/postgres/snapshot/load.h"
#include "sinks/takes_over.h"
#include "sql/quote.h"
#include "sql/sqlstate.h"
#include "stream/base/failpoint.h"

namespace pgsluice {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto progress_interval = std::chrono::seconds(1);  // of progress without data
constexpr auto counts_interval = std::chrono::seconds(60);

// The source's tables behind those that are not left out.
std::vector<const Relation*> sources_of(const SnapshotBegin& begin, const std::vector<RelationPtr>& tables) {
    std::vector<const Relation*> all;
    for (std::size_t i = 0; i < tables.size() && i < begin.tables.size(); ++i) {
        if (tables[i]) all.push_back(&begin.tables[i]);
    }
    return all;
}

class PostgresSink : public Sink, public MakesTables, public KnowsColumnTypes, public TakesOver, public LoadsDirectly {
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
          claims_(session_, mappings_, options_),
          load_({options_, log_, session_, progress_, mappings_, origins_, claims_, dead_letters}, stop_),
          builds_(options_, decisions, log_, stop_),
          applier_(session_, progress_, mappings_, options_, log_, dead_letters, decisions, builds_),
          schema_(options_, origins_, log_, stop_),
          late_tables_(session_.connection, progress_, schema_, options_, stop_),
          unchecked_(session_, options_, log_),
          writer_({options_, log_, session_, progress_, mappings_, origins_, load_, applier_, builds_, sequences_,
                   claims_, late_tables_, decisions, [this] { committed(); }},
                  stop_) {
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
    std::optional<SinkState> end_worker(const std::string& worker) override {
        return end_progress(session_.connection, options_.group, worker);
    }
    std::map<Oid, std::string> notes_of(const std::string& worker) override {
        return PostgresProgress::table_notes(session_.connection, options_.group, worker);
    }
    void succeed(const std::string& next, const std::vector<std::string>& before,
                 const std::map<Oid, std::string>& notes) override {
        succeed_progress(session_.connection, options_.group, next, before, notes);
    }
    void rule_definitions(RuleDefinitions rules) override;
    ColumnTypeNames column_types(const Relation& target) override;
    void while_waiting(std::function<void()> tell) override;
    void begin_snapshot(const SnapshotBegin& begin, const std::vector<RelationPtr>& tables,
                        const Checkpoint& upto) override;
    [[nodiscard]] bool takes_copy() const override { return true; }
    void copy(const CopyBlock& block) override { load_.add(block); }
    bool open_source(const SnapshotBegin& begin, const DirectPlan& plan, const std::string& source) override {
        return load_.open_source(begin, plan, source);
    }
    bool load_directly(const std::vector<DirectTable>& tables,
                       const std::function<bool(const std::vector<DirectRange>&)>& tell) override {
        return load_.load_directly(tables, tell);
    }
    void end_snapshot(const SnapshotEnd& end, const Checkpoint& upto) override;
    void apply(const Batch& batch) override;
    void flush() override;
    [[nodiscard]] Checkpoint durable() const override { return durable_; }
    void close() override;

   private:
    void create_tables(const SnapshotBegin& begin, const std::vector<RelationPtr>& tables);
    void move_alone(const SinkState& next);
    void committed();
    void flush_durable();
    void log_counts();
    void count_conflicts();

    const PostgresSinkOptions options_;  // the other members refer to these three
    const Log log_;
    std::stop_token stop_;
    SequenceKeeper sequences_;  // before the session: it levels sequences when the connection is gone
    PostgresSession session_;
    PostgresProgress progress_;
    TargetMappings mappings_;
    TargetOrigins origins_;
    RowClaims claims_;
    SnapshotLoad load_;
    IndexBuilds builds_;
    PostgresApplier applier_;

    std::optional<Checkpoint> pending_;  // after changes that were none of ours; written when there is time
    Clock::time_point moved_at_;
    Checkpoint durable_;
    // With synchronous_commit off: committed, and durable once the server's WAL is flushed up to here.
    std::optional<std::pair<Checkpoint, Lsn>> unflushed_;
    SchemaSync schema_;
    LateTables late_tables_;
    UncheckedKeys unchecked_;
    BatchWriter writer_;
    ConflictCounts logged_;
    ConflictCounts counted_;
    Clock::time_point logged_at_ = Clock::now();
};

std::optional<SinkState> PostgresSink::open() {
    auto state = progress_.open(options_.lock_wait_ms);
    log_(LogLevel::info, fmt::format("target: {}", replication_role_text(session_.replica)));
    require_target_owner(session_.connection, options_);
    if (options_.sync_schema) {
        warn_of_rights(session_.connection, options_, log_);
    }
    sequences_.open(session_, progress_);
    builds_.resume(session_.connection);
    if (!state) return state;
    durable_ = state->checkpoint;
    load_.open();
    if (!load_.running()) unchecked_.check();
    return state;
}

ColumnTypeNames PostgresSink::column_types(const Relation& target) {
    const auto table = find_target_table(session_.connection, target.schema, target.table);
    return table ? type_names_of(*table) : ColumnTypeNames{};
}

void PostgresSink::rule_definitions(RuleDefinitions rules) {
    schema_.rule_definitions(std::move(rules));
    if (options_.sync_schema) late_tables_.finish_noted();
}

void PostgresSink::while_waiting(std::function<void()> tell) {
    session_.connection.on_tick(tell);
    schema_.while_waiting(tell);
    writer_.while_waiting(tell);
    load_.while_waiting(std::move(tell));
}

void PostgresSink::move_alone(const SinkState& next) {
    applier_.apply({}, &next);
    committed();
}

// After every commit that moved the progress.
void PostgresSink::committed() {
    pending_.reset();
    builds_.committed();
    count_conflicts();
    moved_at_ = Clock::now();
    if (session_.synchronous) durable_ = progress_.state().checkpoint;
}

// A partition may have been made on the source whose rows are in the DEFAULT partition here, and come again.
void PostgresSink::create_tables(const SnapshotBegin& begin, const std::vector<RelationPtr>& tables) {
    const auto create = [&] { schema_.create_tables(pointers(tables), sources_of(begin, tables), begin.added); };
    try {
        return create();
    } catch (const SqlError& error) {
        if (error.sqlstate() != sql::check_violation || !load_.empty_ahead(begin)) throw;
        log_(LogLevel::info,
             fmt::format("emptied the tables that are copied again, because their rows were in the way: {}",
                         error.what()));
    }
    create();
}

void PostgresSink::begin_snapshot(const SnapshotBegin& begin, const std::vector<RelationPtr>& tables,
                                  const Checkpoint& upto) {
    if (load_.continues(begin, tables, upto.resume_seq)) return;
    if (applier_.open()) writer_.roll_back();  // its rest never comes: a copy begins
    if (options_.sync_schema) create_tables(begin, tables);
    for (const Relation* table : pointers(tables)) mappings_.copied(table->oid);
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
    load_.end(upto, [&] { unchecked_.copied(quoted); });
    PGSLUICE_FAILPOINT("postgres-snapshot-ended");
    sequences_.level();
    committed();
    unchecked_.check();
}

void PostgresSink::apply(const Batch& batch) {
    // Rows that went through the rules: the checkpoint must not pass blocks that are still being loaded.
    load_.await_loaded();
    if (batch.changes.empty() && batch.complete && !applier_.open())
        pending_ = batch.upto;
    else
        writer_.write(batch);
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

void PostgresSink::count_conflicts() {
    if (!options_.conflicts) return;
    const ConflictCounts& now = applier_.counts();
    options_.conflicts->insert_updated.add(now.upserted - counted_.upserted);
    options_.conflicts->insert_ignored.add(now.ignored - counted_.ignored);
    options_.conflicts->update_inserted.add(now.inserted_missing - counted_.inserted_missing);
    options_.conflicts->delete_missing.add(now.deleted_missing - counted_.deleted_missing);
    options_.conflicts->parked.add(now.parked - counted_.parked);
    counted_ = now;
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
    writer_.check_incomplete();
    if (builds_.ended()) mappings_.forget();
    if (applier_.open()) return;
    builds_.see_refused(session_.connection);
    load_.check();
    if (Clock::now() - moved_at_ >= progress_interval) {
        if (load_.running() && load_.move_on()) committed();
        if (!load_.running() && pending_) move_alone(progress_.at(*pending_));
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
    if (pending_) move_alone(progress_.at(*pending_));
    sequences_.level();
    if (!session_.synchronous && progress_.state().checkpoint != durable_) {
        // Flushes everything committed before as well.
        session_.connection.exec("SET synchronous_commit = on");
        move_alone(progress_.state());
        durable_ = progress_.state().checkpoint;
    }
    writer_.finish_builds();
    log_counts();
}

}  // namespace

std::unique_ptr<Sink> make_postgres_sink(const PostgresSinkOptions& options, const Log& log, std::stop_token stop,
                                         DeadLetters* dead_letters, DdlDecisions* decisions) {
    return std::make_unique<PostgresSink>(options, log, std::move(stop), dead_letters, decisions);
}

}  // namespace pgsluice
