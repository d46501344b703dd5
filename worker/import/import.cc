#include "worker/import/import.h"

#include <fmt/format.h>

#include <algorithm>

#include <chrono>
#include <utility>

#include "rules/delivered.h"
#include "rules/unmatched_tables.h"
#include "sql/timestamp.h"
#include "stream/base/printable.h"
#include "stream/full_name.h"
#include "worker/import/dry_run_sink.h"
#include "worker/import/feed.h"
#include "worker/import/survey.h"
#include "worker/plans.h"
#include "worker/snapshot_feed.h"

namespace pgsluice {

namespace {

bool has_key(const RelationPtr& table) {
    return std::ranges::any_of(table->columns, [](const Column& column) { return column.key || column.unique; });
}

using Clock = std::chrono::steady_clock;

constexpr auto flush_interval = std::chrono::seconds(1);
constexpr auto progress_interval = std::chrono::seconds(10);
constexpr std::uint64_t begin_seq = 1;
constexpr Oid first_oid = 1;  // made up: a dump has none

class Import {
   public:
    Import(const ImportOptions& options, const ImportEnds& ends, const Log& log, const std::stop_token& stop)
        : options_(options), ends_(ends), log_(log), stop_(stop), ruleset_(Ruleset::load(options.rules)) {}

    void run() {
        survey();
        check_rules();
        const auto sink = options_.dry_run ? std::make_unique<DryRunSink>() : ends_.make_sink(stop_);
        feed(*sink);
        report();
    }

   private:
    void survey();
    Relation describe(dump::Schema& schema, const SurveyedTable& table);
    void check_rules();
    void feed(Sink& sink);
    void after_block(Sink& sink, const ImportFeed& rows);
    void report() const;
    [[nodiscard]] std::string report_line(std::size_t number) const;
    [[nodiscard]] std::uint64_t rows_to_read() const;

    const ImportOptions& options_;
    const ImportEnds& ends_;
    const Log& log_;
    const std::stop_token& stop_;
    const std::unique_ptr<Ruleset> ruleset_;
    Survey survey_;
    std::vector<RelationPtr> relations_;  // of the surveyed tables
    std::vector<ColumnReference> references_;
    std::vector<dump::SequenceValue> sequences_;
    bool keys_are_told_ = true;
    std::vector<ImportFeed::Count> counts_;
    Clock::time_point flushed_at_ = Clock::now();
    Clock::time_point told_at_ = Clock::now();
};

void Import::survey() {
    dump::Reader reader(survey_);
    read_dumps(options_.dumps, reader, stop_, [] {});
    if (survey_.tables().empty())
        throw stop_error("unable to import: the dump has no rows of any table",
                         "Make it without --schema-only, or name its other parts, too.");
    if (reader.had_large_objects())
        log_(LogLevel::warning, "the dump has large objects, which are not imported: they are no rows of a table");
    Oid oid = first_oid;
    for (const SurveyedTable& table : survey_.tables()) {
        Relation relation = describe(reader.schema(), table);
        relation.oid = oid++;
        relations_.push_back(std::make_shared<const Relation>(std::move(relation)));
    }
    references_ = reader.schema().references();
    sequences_ = reader.sequences();
    log_(LogLevel::info, fmt::format("dump: {} tables, {} rows", survey_.tables().size(), rows_to_read()));
}

std::uint64_t Import::rows_to_read() const {
    std::uint64_t rows = 0;
    for (const SurveyedTable& table : survey_.tables())
        rows += options_.max_rows_per_table == 0 ? table.rows : std::min(table.rows, options_.max_rows_per_table);
    return rows;
}

Relation Import::describe(dump::Schema& schema, const SurveyedTable& table) {
    auto relation = schema.relation(table.name, table.columns);
    if (!relation) keys_are_told_ = false;
    if (!relation && ends_.find_table) relation = ends_.find_table(table.name, table.columns);
    if (!relation)
        throw dump::refused(
            table.place,
            fmt::format("the types of the columns of '{}' are not known: the dump does not create it with all of them",
                        full_name(table.name)),
            dump::schema_hint);
    return std::move(*relation);
}

void Import::check_rules() {
    ruleset_->refer({references_, relations_});
    const bool no_keys = references_.empty() && std::ranges::none_of(relations_, has_key);
    if ((!keys_are_told_ || no_keys) && ruleset_->goes_by_keys())
        log_(LogLevel::warning,
             "the dump does not create all of its tables with their keys, so their foreign keys are not known, and "
             "columns that refer to one with rules do not inherit these; name the dumps of all of the schema, too");
    const auto problems = ruleset_->know(relations_);
    if (!problems.empty()) throw problems.front();
    std::vector<Relation> tables;
    for (const RelationPtr& relation : relations_) tables.push_back(*relation);
    for (const std::string& name : unmatched_tables(ruleset_->tables(), tables)) log_(LogLevel::warning, name);
}

void Import::feed(Sink& sink) {
    const auto state = sink.open();
    sink.while_waiting([] {});
    SnapshotBegin begin;
    begin.epoch = state ? state->loading_epoch + 1 : 1;
    begin.time_us = sql::postgres_time_us();
    begin.consistent_point =
        Lsn{static_cast<std::uint64_t>(begin.time_us)};  // each import's rows have keys of their own
    for (std::size_t i = 0; i < relations_.size(); ++i) {
        begin.tables.push_back(*relations_[i]);
        begin.estimated_bytes.push_back(survey_.tables()[i].bytes);
    }
    // The rules' warnings are about updates and deletes, of which a dump has none.
    const Log quiet = [this](LogLevel level, std::string_view text) {
        if (level == LogLevel::debug) log_(level, text);
    };
    Delivered delivered(
        *ruleset_, OnRulesChange::accept, {}, [](const Delivered::Notes&) {}, quiet);
    Plans plans(*ruleset_, delivered, quiet);
    SnapshotFeed feed(sink, plans, delivered, "");
    const std::uint64_t epoch = begin.epoch;
    const Lsn point = begin.consistent_point;
    feed.begin(std::move(begin), {StreamSeq{begin_seq}, {point, 0}});
    ImportFeed rows({feed, survey_.tables(), epoch, point, options_.max_rows_per_table,
                     [&](const ImportFeed& so_far) { after_block(sink, so_far); }});
    dump::Reader reader(rows);
    read_dumps(options_.dumps, reader, stop_, [] {});
    rows.finish();
    if (!options_.dry_run && ends_.set_sequences) ends_.set_sequences(sequences_);
    feed.end({epoch, point, rows.rows()}, rows.upto());
    sink.close();
    counts_ = rows.counts();
}

void Import::after_block(Sink& sink, const ImportFeed& rows) {
    const auto now = Clock::now();
    if (now - flushed_at_ >= flush_interval) {
        sink.flush();
        flushed_at_ = Clock::now();
    }
    if (now - told_at_ < progress_interval) return;
    told_at_ = now;
    log_(LogLevel::info, fmt::format("import: {} of {} rows", rows.rows(), rows_to_read()));
}

std::string Import::report_line(std::size_t number) const {
    const ImportFeed::Count& count = counts_[number];
    const auto rules = ruleset_->compile(relations_[number]);
    std::string line = fmt::format("{}: {} columns, {} rows", full_name(survey_.tables()[number].name),
                                   relations_[number]->columns.size(), count.found);
    if (count.read != count.found) line += fmt::format(", {} read", count.read);
    if (rules == nullptr) return line + ", not imported (its route)";
    const Relation& target = *rules->target();
    if (target.schema != relations_[number]->schema || target.table != relations_[number]->table)
        line += fmt::format(" to {}.{}", target.schema, target.table);
    if (count.dropped > 0) line += fmt::format(", {} left out by the rules", count.dropped);
    if (count.rewritten > 0) line += fmt::format(", {} rewritten by them", count.rewritten);
    return line;
}

void Import::report() const {
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        if (!options_.dry_run) {
            log_(LogLevel::info, report_line(i));
            continue;
        }
        ends_.print(printable(report_line(i)) + '\n');
        const auto rules = ruleset_->compile(relations_[i]);
        if (rules == nullptr) continue;
        for (const std::string& step : rules->describe()) ends_.print(fmt::format("  {}\n", printable(step)));
    }
    log_(LogLevel::info, options_.dry_run ? "dry run: nothing was written" : "import complete");
}

}  // namespace

void run_import(const ImportOptions& options, const ImportEnds& ends, const Log& log, const std::stop_token& stop) {
    Import(options, ends, log, stop).run();
}

}  // namespace pgsluice
