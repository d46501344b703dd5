#include "cmd/leaks/leaks.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "cmd/finding/source_tables.h"
#include "cmd/leaks/hidden.h"
#include "cmd/leaks/sightings.h"
#include "cmd/leaks/stream_scan.h"
#include "cmd/leaks/target_scan.h"
#include "sql/error.h"

namespace pgsluice {
namespace {

std::string looked_for(const Hidden& hidden) {
    std::string text;
    for (const HiddenColumn& column : hidden.needles.columns()) {
        if (!column.skipped.empty()) {
            text += fmt::format("not looked for: {}: {}\n", column.name, column.skipped);
            continue;
        }
        text += fmt::format("looked for: {}: {} values", column.name, column.values);
        if (column.too_short > 0) text += fmt::format(", {} were too short", column.too_short);
        if (column.common > 0) text += fmt::format(", {} common", column.common);
        if (column.kept > 0) text += fmt::format(", {} left as they are by the rule", column.kept);
        text += '\n';
    }
    return text;
}

std::string found(const std::vector<Leak>& leaks) {
    std::string text;
    for (const Leak& leak : leaks)
        text += fmt::format("FOUND: {} in {}: {} values in {} rows\n", leak.hidden, leak.place, leak.values, leak.rows);
    return text;
}

std::string looked_at(const TargetScan& target, std::optional<std::size_t> messages) {
    std::string text = fmt::format("looked at: {} rows of {} tables of the target, {} columns\n", target.rows,
                                   target.tables, target.columns);
    for (const std::string& table : target.unread) text += fmt::format("not looked at: {}\n", table);
    if (messages) text += fmt::format("looked at: {} messages of the stream\n", *messages);
    return text;
}

std::unique_ptr<Hidden> hidden_of(const LeaksOptions& options, const Log& log, const std::stop_token& stop) {
    const RulesFiles files = read_rules_files(options.files);
    const Ruleset ruleset(files.rules, files.routes);
    SourceSampler source(options.source, stop);
    const auto tables = source.tables(options.choice, ruleset.tables(), log);
    auto hidden = collect_hidden(files, source, tables, options.sample_rows);
    if (hidden->needles.size() == 0)
        throw stop_error(
            "unable to look for leaks: no value that the rules hide can be looked for\n" + looked_for(*hidden),
            "Give rules that hide columns of tables with rows, and a larger --sample-rows.");
    return hidden;
}

}  // namespace

ExitCode check_leaks(const LeaksOptions& options, const std::function<void(const std::string&)>& print, const Log& log,
                     const std::stop_token& stop) {
    const auto hidden = hidden_of(options, log, stop);
    Sightings sightings(hidden->needles, hidden->chances);
    const TargetScan target = scan_target(options.target, sightings, stop);
    std::optional<std::size_t> messages;
    if (options.in_stream)
        messages = scan_stream(*Broker::connect(options.nats, log, stop), options.names, sightings, stop);
    const auto leaks = sightings.leaks();
    print(looked_for(*hidden) + looked_at(target, messages) + found(leaks));
    if (!leaks.empty()) return exit_stopped;
    return target.refused ? exit_fail : exit_done;
}

}  // namespace pgsluice
