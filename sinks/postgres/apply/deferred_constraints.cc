#include "sinks/postgres/apply/deferred_constraints.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "sinks/postgres/array.h"

namespace pgsluice {

namespace {

// How rows a and b conflict. Of rows with a NULL only where `nulls` asks for that.
std::string conflict(const TargetTable& table, const TargetIndex& index, bool nulls) {
    std::vector<std::string> tests;
    std::vector<std::string> missing;
    for (std::size_t i = 0; i < index.columns.size(); ++i) {
        const std::string& name = table.columns[static_cast<std::size_t>(index.columns[i])].quoted;
        const std::string test = fmt::format("a.{} {} b.{}", name, index.equals[i], name);
        tests.push_back(nulls ? fmt::format("({} OR a.{} IS NULL AND b.{} IS NULL)", test, name, name) : test);
        missing.push_back(fmt::format("a.{} IS NULL", name));
    }
    const std::string all = fmt::format("{}", fmt::join(tests, " AND "));
    return nulls ? fmt::format("({}) AND {}", fmt::join(missing, " OR "), all) : all;
}

// The columns of the relation that are the index's; empty when one is not sent.
std::vector<int> sent_columns(const TargetMapping& mapping, const TargetIndex& index) {
    std::vector<int> columns;
    for (const int wanted : index.columns) {
        const auto found = std::find(mapping.target_of.begin(), mapping.target_of.end(), wanted);
        if (found == mapping.target_of.end()) return {};
        columns.push_back(static_cast<int>(found - mapping.target_of.begin()));
    }
    return columns;
}

bool is_checkable(const TargetIndex& index) {
    return index.plain &&
           std::none_of(index.columns.begin(), index.columns.end(), [](int column) { return column < 0; });
}

}  // namespace

// Whether a row that was noted has a partner other than itself: both as they are now, not as they were noted.
std::string DeferredConstraints::query(const Noted& noted, const TargetIndex& index) {
    const TargetMapping& mapping = *noted.mapping;
    std::string from = fmt::format("{} AS a", mapping.table.only);
    if (!noted.all) {
        std::vector<std::string> arrays;
        std::vector<std::string> names;
        std::vector<std::string> finds;
        for (std::size_t i = 0; i < noted.columns.size(); ++i) {
            const TargetColumn& column = mapping.column(noted.columns[i]);
            arrays.push_back(fmt::format("${}::text[]", i + 1));
            names.push_back(fmt::format("v{}", i));
            finds.push_back(fmt::format("a.{} {} x.v{}::{}", column.quoted, noted.equals[i], i, column.type));
        }
        from = fmt::format("unnest({}) AS x({}) JOIN {} ON {}", fmt::join(arrays, ", "), fmt::join(names, ", "), from,
                           fmt::join(finds, " AND "));
    }
    const auto exists = [&](bool nulls) {
        return fmt::format(
            "EXISTS (SELECT FROM {} JOIN {} AS b ON {} AND (a.tableoid, a.ctid) <> (b.tableoid, b.ctid))", from,
            mapping.table.only, conflict(mapping.table, index, nulls));
    };
    return fmt::format("{}{}", exists(false), index.nulls_equal ? " OR " + exists(true) : "");
}

DeferredConstraints::Noted* DeferredConstraints::noted_for(const std::shared_ptr<TargetMapping>& mapping,
                                                           const TargetIndex& index) {
    const auto known = noted_.find({mapping.get(), &index});
    if (known != noted_.end()) return &known->second;
    if (!is_checkable(index)) {
        if (unchecked_.emplace(index.name, true).second) {
            log_(LogLevel::warning,
                 fmt::format("constraint '{}' of '{}.{}' is deferrable and not on plain columns alone: with "
                             "session_replication_role = replica it is not checked",
                             index.name, mapping->table.schema, mapping->table.table));
        }
        return nullptr;
    }
    Noted noted{mapping, {}, {}, {}, false};
    const bool keyed = mapping->match == TargetMapping::Match::unique || mapping->match == TargetMapping::Match::key;
    if (keyed) {
        noted.columns = mapping->key;
        noted.equals = mapping->key_equals;
    } else if (!index.exclusion && !index.nulls_equal) {
        noted.columns = sent_columns(*mapping, index);
        noted.equals = index.equals;
    }
    noted.all = noted.columns.empty();
    noted.values.resize(noted.columns.size());
    return &noted_.emplace(Key{mapping.get(), &index}, std::move(noted)).first->second;
}

void DeferredConstraints::note(const std::shared_ptr<TargetMapping>& mapping, const Change& change) {
    if (change.op != Op::insert && change.op != Op::update) return;
    for (const TargetIndex& index : mapping->table.indexes) {
        if (index.immediate) continue;
        Noted* noted = noted_for(mapping, index);
        if (noted == nullptr || noted->all) continue;
        // A key has no NULL, and a row with a NULL elsewhere conflicts with none. A value that did not change and is
        // not known can only be met by one that is noted.
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

void DeferredConstraints::check(PostgresSession& session) const {
    if (!session.replica) {
        session.connection.exec("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED",
                                "check the target's deferred constraints");
        return;
    }
    session.guard.forget();
    for (const auto& [key, noted] : noted_) {
        std::vector<std::string> arrays;
        if (!noted.all) {
            for (const auto& values : noted.values) arrays.push_back(text_array(values));
        }
        const std::vector<sql::Param> params(arrays.begin(), arrays.end());
        if (!session.reads_true(written_table(*noted.mapping), query(noted, *key.second), params)) continue;
        const TargetTable& table = noted.mapping->table;
        throw SqlError(Action::stop,
                       fmt::format("unable to write to '{}.{}': its constraint '{}' does not hold", table.schema,
                                   table.table, key.second->name),
                       key.second->exclusion ? "23P01" : "23505",
                       "Rows that only the target has conflict with those from the source. Remove them, or start the "
                       "worker with --on-error dead-letter.");
    }
}

}  // namespace pgsluice
