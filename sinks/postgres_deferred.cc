#include "sinks/postgres_deferred.h"

#include <fmt/format.h>

#include <algorithm>

#include "sinks/postgres_array.h"

namespace pgsluice {

namespace {

// Fails where a noted row has a partner other than itself.
std::string values_query(const PostgresPlan& plan, const TargetIndex& index, const std::vector<int>& columns) {
    std::string arrays;
    std::string names;
    std::string tests;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const std::string_view comma = i == 0 ? "" : ", ";
        arrays += fmt::format("{}${}::text[]", comma, i + 1);
        names += fmt::format("{}v{}", comma, i);
        tests += fmt::format("{}t.{} {} x.v{}::{}", i == 0 ? "" : " AND ", plan.column(columns[i]).quoted,
                             index.equals[i], i, plan.column(columns[i]).type);
    }
    return fmt::format(
        "SELECT EXISTS (SELECT FROM unnest({}) AS x({}) WHERE (SELECT count(*) FROM {} AS t WHERE {}) > 1)", arrays,
        names, plan.table.only, tests);
}

std::string table_query(const PostgresPlan& plan, const TargetIndex& index, const std::vector<int>& columns) {
    std::string tests;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const std::string& name = plan.column(columns[i]).quoted;
        tests += fmt::format("{}a.{} {} b.{}", i == 0 ? "" : " AND ", name, index.equals[i], name);
    }
    return fmt::format(
        "SELECT EXISTS (SELECT FROM {0} AS a JOIN {0} AS b ON {1} AND (a.tableoid, a.ctid) <> "
        "(b.tableoid, b.ctid))",
        plan.table.only, tests);
}

}  // namespace

PostgresDeferred::Noted* PostgresDeferred::noted_for(const std::shared_ptr<PostgresPlan>& plan,
                                                     const TargetIndex& index) {
    const auto known = noted_.find({plan.get(), &index});
    if (known != noted_.end()) return &known->second;
    Noted noted{plan, {}, {}, false};
    for (const int wanted : index.columns) {
        const auto found = std::find(plan->target_of.begin(), plan->target_of.end(), wanted);
        if (!index.plain || wanted < 0 || found == plan->target_of.end()) {
            if (unchecked_.emplace(index.name, true).second) {
                log_(LogLevel::warning,
                     fmt::format("constraint '{}' of '{}.{}' is deferrable and not on replicated columns alone: with "
                                 "session_replication_role = replica nobody checks it",
                                 index.name, plan->table.schema, plan->table.table));
            }
            return nullptr;
        }
        noted.columns.push_back(static_cast<int>(found - plan->target_of.begin()));
    }
    noted.values.resize(noted.columns.size());
    return &noted_.emplace(Key{plan.get(), &index}, std::move(noted)).first->second;
}

void PostgresDeferred::note(const std::shared_ptr<PostgresPlan>& plan, const Change& change) {
    if (change.op != Op::insert && change.op != Op::update) return;
    for (const TargetIndex& index : plan->table.indexes) {
        if (index.immediate) continue;
        Noted* noted = noted_for(plan, index);
        if (noted == nullptr || noted->all) continue;
        // A row with NULL conflicts with none. One whose value did not change can only be met by one that is noted.
        const bool counts = std::all_of(noted->columns.begin(), noted->columns.end(),
                                        [&](int column) { return new_value(change, column).is_text(); });
        if (!counts) continue;
        for (std::size_t i = 0; i < noted->columns.size(); ++i)
            noted->values[i].emplace_back(new_value(change, noted->columns[i]).text());
        if (noted->values.front().size() <= max_rows) continue;
        noted->all = true;
        noted->values.clear();
    }
}

void PostgresDeferred::check(sql::Connection& connection) {
    for (const auto& [key, noted] : noted_) {
        std::vector<std::string> arrays;
        if (!noted.all) {
            for (const auto& values : noted.values) arrays.push_back(text_array(values));
        }
        const std::vector<sql::Param> params(arrays.begin(), arrays.end());
        const std::string query = noted.all ? table_query(*noted.plan, *key.second, noted.columns)
                                            : values_query(*noted.plan, *key.second, noted.columns);
        if (!connection.query(query, params, {1, 1, 1}).boolean(0, 0)) continue;
        const TargetTable& table = noted.plan->table;
        throw stop_error(fmt::format("unable to write to '{}.{}': its constraint '{}' does not hold", table.schema,
                                     table.table, key.second->name),
                         "Rows of the target's own stand in the way of those from the source; remove them.");
    }
    noted_.clear();
}

}  // namespace pgsluice
