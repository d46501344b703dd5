#include "replicator/rules/source_rules.h"

#include <fmt/format.h>

#include <utility>

#include "rules/unmatched_tables.h"
#include "sql/error.h"
#include "stream/base/arena.h"
#include "stream/format/ddl_message.h"
#include "stream/group/source_rules.h"
#include "stream/recovery_hint.h"

namespace pgsluice {

namespace {

constexpr const char* keep_published =
    "To leave what was published as it is, start the replicator once with --on-rules-change continue.";

std::string way_out() {
    return fmt::format("{}, to publish the rows again; the stream keeps what it holds until it is trimmed. {}",
                       resnapshot_hint, keep_published);
}

std::vector<RelationPtr> shared(const std::vector<Relation>& tables) {
    std::vector<RelationPtr> made;
    for (const Relation& table : tables) made.push_back(std::make_shared<const Relation>(table));
    return made;
}

Error published_without(const std::string& group) {
    return stop_error(fmt::format("unable to apply --rules-config: what is in the stream of group '{}' was published "
                                  "without rules",
                                  group),
                      "So that nothing of it stays, remove the group with pgsluice teardown --yes and start it again "
                      "with --copy-and-stream. Or apply the rules only to what comes from now on: start the "
                      "replicator once with --on-rules-change continue.");
}

Error published_with(const std::string& group) {
    return stop_error(fmt::format("unable to continue group '{}' without --rules-config: its rows are published with "
                                  "rules, and would come unmasked",
                                  group),
                      "Give the replicator its --rules-config again. To publish everything as it is from now on, "
                      "start it once with --on-rules-change continue.");
}

}  // namespace

bool check_source_rules(const ReplicatorOptions& options, Broker& broker, bool resuming, const Log& log) {
    const auto record = find_source_rules(broker, options.names);
    const bool given = options.rules != nullptr;
    if (given && options.direct_snapshot)
        throw usage_error(
            "unable to apply --rules-config to a direct snapshot: a worker would read from the source what the rules "
            "hide",
            "Leave --snapshot direct out, so that the rows come through the stream. Or give the rules to the worker, "
            "and not to the replicator.");
    const bool differs = given ? resuming && !record : record.has_value();
    if (!differs) return false;
    const std::string& group = options.names.group;
    if (options.on_rules_change != OnRulesChange::accept)
        throw given ? published_without(group) : published_with(group);
    log(LogLevel::warning,
        given ? "rules apply from now on; what was published before, without rules, stays in the stream and the targets"
              : "rules no longer apply: everything is published as it is from now on");
    return !given;
}

void end_source_rules(Broker& broker, const Names& names) {
    DeliveredRulesKeys::of_source(broker, names).clear();
    SchemaHistory::of_source(broker, names).clear();
    forget_source_rules(broker, names);
}

SourceRules::SourceRules(const ReplicatorOptions& options, Broker& broker, const Log& log)
    : options_(options),
      broker_(broker),
      log_(log),
      ruleset_(options.rules->rules, {}),
      seen_(SchemaHistory::of_source(broker, options.names)),
      keys_(DeliveredRulesKeys::of_source(broker, options.names)) {}

void SourceRules::check(const std::vector<Relation>& tables, const std::vector<ColumnReference>& references) {
    const std::vector<RelationPtr> now = shared(tables);
    ruleset_.refer({references, now});
    for (const RelationPtr& table : now) require_publishable(ruleset_.compile(table));
}

void SourceRules::begin(const std::vector<Relation>& tables, const Ruleset::LookForKeys& references,
                        const std::optional<Position>& upto) {
    ruleset_.recall(seen_.load(), [this](Oid table, const TableHistory* seen) { seen_.put(table, seen); });
    const std::vector<RelationPtr> now = shared(tables);
    ruleset_.refer({references(), now}, references);
    for (const Error& problem : ruleset_.know(now)) {
        if (!upto) throw problem;
        log_(LogLevel::warning,
             fmt::format("this will stop the replicator at the table's next row: {}", problem.what()));
    }
    for (const std::string& warning : unmatched_tables(ruleset_.tables(), tables)) log_(LogLevel::warning, warning);
    published_.emplace(
        ruleset_, options_.on_rules_change, upto ? keys_.load() : Delivered::Notes{},
        [this](const Delivered::Notes& notes) {
            for (const auto& [table, note] : notes) keys_.put(table, note);
        },
        log_, way_out());
    if (upto) check_unchanged(now);
    remember_source_rules(broker_, options_.names, {rules_digest(*options_.rules)});
    if (upto) ruleset_.applied(*upto);
}

void SourceRules::check_unchanged(const std::vector<RelationPtr>& tables) {
    const auto changed = published_->changed(tables);
    if (changed.empty()) return;
    if (options_.on_rules_change != OnRulesChange::accept)
        throw stop_error(fmt::format("unable to continue group '{}': {}", options_.names.group, rules_changed(changed)),
                         entry_hint(changed) + way_out());
    log_(LogLevel::warning, rules_changed(changed) + "; they stay as they are");
    std::vector<RelationPtr> accepted;
    for (const ChangedTable& one : changed) accepted.push_back(one.table);
    published_->accept(accepted);
}

void SourceRules::replaces(std::span<const RelationPtr> tables) { published_->replaced(1, tables); }

void SourceRules::replace_all(const std::vector<Relation>& tables) { replaces(shared(tables)); }

std::shared_ptr<const CompiledRules> SourceRules::accept(const RelationPtr& relation, Position position) {
    auto compiled = require_publishable(ruleset_.accept(relation, position));
    published_->met(relation);
    for (const auto& step : compiled->describe())
        log_(LogLevel::debug, fmt::format("table '{}.{}': {}", relation->schema, relation->table, step));
    for (const auto& warning : compiled->warnings()) log_(LogLevel::warning, warning);
    return compiled;
}

// An update of a row that was perhaps left out before is an insert or an update, and blocks of changes cannot say that.
std::shared_ptr<const CompiledRules> SourceRules::require_publishable(
    std::shared_ptr<const CompiledRules> compiled) const {
    if (compiled->knows_old_rows()) return compiled;
    const Relation& table = *compiled->target();
    throw stop_error(
        fmt::format("unable to filter table '{}.{}' at the replicator: an update does not say whether the row passed "
                    "the filter before",
                    table.schema, table.table),
        fmt::format("Run ALTER TABLE ... REPLICA IDENTITY FULL for '{}.{}' on the source, filter by key columns only "
                    "and for all operations, or give the filter to the workers.",
                    table.schema, table.table));
}

std::optional<Relation> SourceRules::shown(const Relation& relation) const {
    try {
        return *ruleset_.compile(std::make_shared<const Relation>(relation))->target();
    } catch (const Error& error) {
        if (error.action() == Action::retry) throw;
        return std::nullopt;
    }
}

std::optional<std::string> SourceRules::ddl(std::string_view content) const {
    Arena arena;
    Change change;
    change.op = Op::message;
    change.prefix = ddl_message_prefix;
    change.content = content;
    if (!ruleset_.apply_ddl(change, arena)) return std::nullopt;
    return std::string(change.content);
}

}  // namespace pgsluice
