#include "cmd/check/target/delivered_tables.h"

#include <fmt/format.h>

#include "replicator/source/references.h"
#include "replicator/source/tables.h"
#include "rules/unmatched_tables.h"
#include "sql/error.h"
#include "stream/group/references.h"
#include "stream/group/tables.h"

namespace pgsluice {

namespace {

std::vector<RelationPtr> shared(const std::vector<Relation>& tables) {
    std::vector<RelationPtr> all;
    for (const Relation& table : tables) all.push_back(std::make_shared<const Relation>(table));
    return all;
}

rules::ForeignKeys tables_of(const ReplicatorOptions& options, CheckedSource& source) {
    std::vector<Relation> all;
    ColumnTypes types(*source.connection);
    for (SourceTable& table :
         tables_to_copy(*source.connection, source.tables, options.publish_via_partition_root, types))
        all.push_back(std::move(table.relation));
    return {references_of(*source.connection, all), shared(all)};
}

// As the group's replicator found them; none where there is no such group.
rules::ForeignKeys tables_in_bucket(const Settings& settings, const std::stop_token& stop) {
    const Names& names = settings.replicator.names;
    const auto broker = Broker::connect(settings.nats, silent_log, stop);
    const auto known = broker->stream_state(names.stream) ? find_tables(*broker, names) : std::nullopt;
    if (!known) return {};
    return {find_references(*broker, names).value_or(std::vector<ColumnReference>{}), shared(known->now)};
}

void look_at_names(const Ruleset& ruleset, const std::vector<RelationPtr>& tables, Findings& found) {
    std::vector<Relation> known;
    for (const RelationPtr& table : tables) known.push_back(*table);
    for (const std::string& warning : unmatched_tables(ruleset.tables(), known)) found.warn(warning);
}

void compile(const Ruleset& ruleset, const std::vector<RelationPtr>& tables, DeliveredTables& delivered,
             Findings& found) {
    for (const RelationPtr& table : tables) {
        found.attempt([&](const Log&) {
            auto rules = ruleset.compile(table);
            if (rules == nullptr) return;
            for (const std::string& warning : rules->warnings()) found.warn(warning);
            delivered.tables.push_back({table, std::move(rules)});
        });
    }
}

}  // namespace

std::vector<CheckFinding> look_at_rules(const Settings& settings, CheckedSource& source, bool readable,
                                        DeliveredTables& delivered, const std::stop_token& stop) {
    Findings found("rules");
    const RulesOptions& files = settings.worker.rules;
    const bool given = !files.rules_file.empty() || !files.routing_file.empty();
    std::unique_ptr<Ruleset> ruleset;
    if (!found.attempt([&](const Log&) { ruleset = Ruleset::load(files); })) return found.take();
    rules::ForeignKeys known;
    found.attempt([&](const Log&) {
        if (!source.tables.empty())
            known = tables_of(settings.replicator, source);
        else if (!source.connection && readable)
            known = tables_in_bucket(settings, stop);
    });
    const std::vector<RelationPtr>& tables = known.tables;
    if (tables.empty()) {
        if (given) found.ok("the files are well-formed");
        if (given) found.skipped("whether the files fit the tables, for no tables are known");
        return found.take();
    }
    delivered.known = true;
    ruleset->refer(known);
    for (const Error& problem : ruleset->know(tables)) found.fail(problem.what(), problem.hint());
    look_at_names(*ruleset, tables, found);
    compile(*ruleset, tables, delivered, found);
    if (given) found.ok(fmt::format("of {} tables, {} would be delivered", tables.size(), delivered.tables.size()));
    return found.take();
}

}  // namespace pgsluice
