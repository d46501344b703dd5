#include "cmd/leaks/leaks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>

#include "cmd/finding/source_tables.h"
#include "cmd/leaks/group_scan.h"
#include "cmd/leaks/hidden.h"
#include "cmd/leaks/report.h"
#include "cmd/leaks/sightings.h"
#include "cmd/leaks/target_scan.h"
#include "rules/keys/inherited_rules.h"
#include "sql/error.h"

namespace pgsluice {
namespace {

std::unique_ptr<Hidden> hidden_of(const LeaksOptions& options, const Log& log, const std::stop_token& stop) {
    RulesFiles files = read_rules_files(options.files);
    const Ruleset ruleset(files.rules, files.routes);
    SourceSampler source(options.source, stop);
    const auto tables = source.tables(options.choice, ruleset.tables(), log);
    files.rules = rules::InheritedRules(files.rules, source.foreign_keys(tables)).file();
    auto hidden = collect_hidden(files, source, tables, options.sample_rows);
    if (hidden->needles.size() == 0)
        throw stop_error("unable to look for leaks: no value that the rules hide can be looked for; " +
                             fmt::format("{}", fmt::join(looked_for(hidden->needles.columns()), "; ")),
                         hidden->refused ? "Connect to the source as a role that the function's owner is a member of."
                                         : "Give rules that hide columns of tables with rows, and a larger "
                                           "--sample-rows.");
    return hidden;
}

}  // namespace

ExitCode check_leaks(const LeaksOptions& options, const std::function<void(const std::string&)>& print, const Log& log,
                     const std::stop_token& stop) {
    const auto hidden = hidden_of(options, log, stop);
    Sightings sightings(hidden->needles, hidden->chances);
    const TargetScan target = scan_target(options.target, sightings, stop);
    std::optional<GroupScan> group;
    if (options.in_stream)
        group = scan_group(*Broker::connect(options.nats, log, stop), options.names, sightings, stop);
    const LeaksReport report{hidden->needles.columns(), target, group, sightings.leaks()};
    print(options.json ? report.json() : report.text());
    if (!report.leaks.empty()) return exit_stopped;
    return target.refused || hidden->refused ? exit_fail : exit_done;
}

}  // namespace pgsluice
