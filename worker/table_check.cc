#include "worker/table_check.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "rules/unmatched_tables.h"
#include "sql/error.h"
#include "stream/base/pause.h"
#include "stream/group/references.h"
#include "stream/group/tables.h"

namespace pgsluice {

namespace {

// Written before the stream's first message; missing in streams of older replicators.
std::optional<GroupTables> await_tables(Broker& broker, const Names& names, const StreamState& stream,
                                        const std::stop_token& stop) {
    constexpr int polls = 100;
    constexpr auto interval = std::chrono::milliseconds(20);
    for (int i = 0;; ++i) {
        auto tables = find_tables(broker, names);
        if (tables || stream.last_seq.value > 0 || i == polls) return tables;
        if (!pause(stop, interval)) throw Interrupted{};
    }
}

std::vector<RelationPtr> shared(const std::vector<Relation>& tables) {
    std::vector<RelationPtr> made;
    for (const Relation& table : tables) made.push_back(std::make_shared<const Relation>(table));
    return made;
}

// By these, rules of keys are inherited by the columns that refer to them.
void refer(Ruleset& ruleset, const std::vector<RelationPtr>& tables, Broker& broker, const Names& names,
           const Log& log) {
    const auto find = [&broker, &names] { return find_references(broker, names); };
    const auto known = find();
    if (!known && ruleset.goes_by_keys())
        log(LogLevel::warning,
            "the group's KV bucket does not hold the foreign keys of its tables, so columns that refer to a key with "
            "rules do not inherit these: the replicator is of an earlier version, or they are too many");
    ruleset.refer({known.value_or(std::vector<ColumnReference>{}), tables},
                  [find] { return find().value_or(std::vector<ColumnReference>{}); });
}

Error refused(const Error& problem) {
    return usage_error(problem.what(), fmt::format("{}{}If the table was changed since the replicator was started, "
                                                   "restart the replicator first.",
                                                   problem.hint(), problem.hint().empty() ? "" : " "));
}

}  // namespace

std::optional<std::vector<RelationPtr>> check_tables(Ruleset& ruleset, Broker& broker, const Names& names,
                                                     const StreamState& stream, bool continues, const Log& log,
                                                     const std::stop_token& stop) {
    const auto tables = await_tables(broker, names, stream, stop);
    auto now = tables ? shared(tables->now) : std::vector<RelationPtr>{};
    refer(ruleset, now, broker, names, log);
    if (!tables) {
        if (!ruleset.tables().empty())
            log(LogLevel::warning,
                "the group's KV bucket does not hold the definitions of its tables, so the rules and routing files are "
                "checked only when a table's first row comes");
        return std::nullopt;
    }
    ruleset.know_former(shared(tables->former));
    for (const Error& problem : ruleset.know(now)) {
        if (!continues) throw refused(problem);
        log(LogLevel::warning, fmt::format("this will stop the worker at the table's next row: {}", problem.what()));
    }
    for (const auto& warning : unmatched_tables(ruleset.tables(), tables->now)) log(LogLevel::warning, warning);
    return now;
}

}  // namespace pgsluice
