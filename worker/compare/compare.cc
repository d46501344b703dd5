#include "worker/compare/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "stream/format/copy_text.h"
#include "stream/group/references.h"
#include "worker/compare/chosen.h"
#include "worker/compare/cut.h"
#include "worker/compare/narrow.h"
#include "worker/compare/reader.h"
#include "worker/compare/repair.h"
#include "worker/compare/sample.h"
#include "worker/compare/scan.h"
#include "worker/compare/statements.h"
#include "worker/compare/worker_rules.h"

namespace pgsluice {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto say_every = std::chrono::seconds(10);

void set_bounds(ComparedTable& table, sql::Connection& source) {
    if (table.ranges == 1) return;
    if (table.range_key == RangeKey::hashed) {
        if (!table.by_us) table.bounds = hash_bounds(table.ranges);
        return;
    }
    table.bounds = source.query(bounds_statement(table, table.ranges), {}, {1}).texts(0);
    table.ranges = table.bounds.size() + 1;
}

void cut(ComparedTable& table, double sample_percent, BothEnds& ends) {
    sql::Connection& source = ends.source[0];
    const std::size_t ranges = cut_for_sample(table, sample_percent, source, ends.target[0]);
    set_bounds(table, source);
    if (ranges == 0) return;
    if (static_cast<double>(table.ranges) * sample_percent < 100) {  // few values of the key's first column: too coarse
        cut_by_hash(table, ranges);
        set_bounds(table, source);
    }
    table.sample = spread_over(table.ranges, sample_percent);
}

// Where nothing is drawn, the log tells.
OnCompareProgress log_progress(const Log& log) {
    return [&log, next = Clock::now() + say_every](const CompareProgress& progress) mutable {
        if (progress.ended || Clock::now() < next) return;
        next = Clock::now() + say_every;
        const ComparedSoFar all = progress.total();
        log(LogLevel::info, fmt::format("compared {} % so far; {} rows read at both ends",
                                        100 * all.pages_done / (all.pages + 1), all.rows));
    };
}

std::vector<OptionalText> texts_of(std::string_view copy_line, std::size_t columns) {
    Arena arena;
    std::vector<OptionalText> texts;
    for (const Value& value : parse_copy_line(copy_line, columns, arena))
        texts.push_back(value.is_null() ? std::nullopt : OptionalText(value.text()));
    return texts;
}

class RowLister {
   public:
    RowLister(const ComparedTable& table, BothEnds& ends)
        : table_(table), source_(ends.source[0]), target_(ends.target[0]) {}

    DifferentRow describe(const Difference& row) {
        DifferentRow described;
        described.kind = row.kind;
        for (const std::size_t column : table_.key) described.key_columns.push_back(table_.columns[column]);
        if (!table_.key.empty()) described.key = texts_of(row.key, table_.key.size());
        const bool on_source = row.kind != Difference::Kind::extra;
        const bool on_target = row.kind != Difference::Kind::missing;
        described.place = on_source ? row.source.ctid : row.target.ctid;
        const auto source = on_source ? source_.row(table_.source[row.source.store], row.source.ctid) : std::nullopt;
        const auto target = on_target ? target_.row(table_.target[row.target.store], row.target.ctid) : std::nullopt;
        for (std::size_t i = 0; i < table_.columns.size(); ++i) {
            ComparedValue value{table_.columns[i], source ? source->at(i) : std::nullopt,
                                target ? target->at(i) : std::nullopt};
            if (row.kind != Difference::Kind::changed || value.source != value.target)
                described.values.push_back(std::move(value));
        }
        return described;
    }

   private:
    const ComparedTable& table_;
    RowReader source_;
    RowReader target_;
};

TableReport report_of(const ComparedTable& table, const TableSums& sums, BothEnds& ends, const CompareOptions& options,
                      Broker& broker, const Log& log, const std::stop_token& stop) {
    TableReport report;
    report.name = table.name();
    report.sample = !table.sample.empty();
    report.converted = table.converted;
    report.source_rows = rows_of(sums.source);
    report.target_rows = rows_of(sums.target);
    const std::size_t enough = options.repair ? most_repaired : options.max_differences;
    const NarrowedTable narrowed = narrow(table, sums, ends, enough, options.rows_per_second, stop);
    report.differences = narrowed.differences.size();
    report.unread_rows = narrowed.unread_rows;
    RowLister lister(table, ends);
    for (const Difference& row : narrowed.differences) {
        if (report.rows.size() == options.max_differences) break;
        report.rows.push_back(lister.describe(row));
    }
    if (options.repair) report.repaired = repair(table, narrowed.differences, ends, options, broker, log, stop);
    return report;
}

std::vector<RelationPtr> relations_of(std::span<const PublishedTable> published) {
    std::vector<RelationPtr> relations;
    for (const PublishedTable& table : published) relations.push_back(table.relation);
    return relations;
}

}  // namespace

CompareReport compare(const CompareOptions& options, std::span<const PublishedTable> published, Broker& broker,
                      const Log& log, const std::stop_token& stop, const WhenMet& met) {
    const auto begun = Clock::now();
    const auto rules = Ruleset::load(options.rules);
    rules->refer(
        {find_references(broker, options.names).value_or(std::vector<ColumnReference>{}), relations_of(published)});
    const auto chosen = chosen_with_others(published, *rules, log);
    TablesToCompare found = [&] {
        auto source = connect_end(options.source, stop);
        auto target = connect_end(options.target, stop);
        require_worker_rules(options, *rules, chosen, broker, target);
        return find_tables_to_compare(chosen, *rules, source, target);
    }();
    BothEnds ends = meet_at_one_lsn(options, found.tables, broker, log, stop);
    if (met) met(ends.lsn);
    for (ComparedTable& table : found.tables) cut(table, options.sample_percent, ends);
    const auto on_progress = options.on_progress ? options.on_progress : log_progress(log);
    const auto sums = scan_both_ends(found.tables, ends, options, on_progress, stop);

    CompareReport report{ends.lsn, options.worker, 0, {}, options.sample_percent};
    for (std::size_t i = 0; i < found.tables.size(); ++i)
        report.tables.push_back(report_of(found.tables[i], sums[i], ends, options, broker, log, stop));
    for (const LeftOutTable& table : found.left_out) {
        report.tables.push_back({});
        report.tables.back().name = table.name;
        report.tables.back().left_out = table.reason;
    }
    std::ranges::sort(report.tables, {}, &TableReport::name);
    report.seconds = std::chrono::duration<double>(Clock::now() - begun).count();
    return report;
}

}  // namespace pgsluice
