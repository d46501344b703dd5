#include "sinks/postgres/statements.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace pgsluice {

namespace {

// How a statement speaks of its n-th parameter (from 0) as a value of the column's type.
std::string one(const PostgresPlan& plan, int column, std::size_t n) {
    return fmt::format("${}::{}", n + 1, plan.column(column).type);
}
std::string many(const PostgresPlan& plan, int column, std::size_t n) {
    return fmt::format("x.v{}::{}", n, plan.column(column).type);
}
using Spell = std::string (*)(const PostgresPlan&, int, std::size_t);

std::vector<int> written(const PostgresPlan& plan) {
    std::vector<int> columns;
    for (std::size_t i = 0; i < plan.relation.columns.size(); ++i) {
        if (plan.writes(i)) columns.push_back(static_cast<int>(i));
    }
    return columns;
}

std::string names_of(const PostgresPlan& plan, const std::vector<int>& columns) {
    std::vector<std::string_view> names;
    for (const int column : columns) names.emplace_back(plan.column(column).quoted);
    return fmt::format("{}", fmt::join(names, ", "));
}

std::string spelled(const PostgresPlan& plan, const std::vector<int>& columns, Spell spell, std::size_t first = 0) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < columns.size(); ++i) texts.push_back(spell(plan, columns[i], first + i));
    return fmt::format("{}", fmt::join(texts, ", "));
}

// unnest($1::text[], ...) AS x(v0, ...)
std::string unnested(std::size_t count) {
    std::vector<std::string> arrays;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < count; ++i) {
        arrays.push_back(fmt::format("${}::text[]", i + 1));
        names.push_back(fmt::format("v{}", i));
    }
    return fmt::format("unnest({}) AS x({})", fmt::join(arrays, ", "), fmt::join(names, ", "));
}

std::string on_conflict(const PostgresPlan& plan, Conflict conflict) {
    if (conflict == Conflict::fail) return "";
    // Without a key to name, PostgreSQL asks all constraints, and deferrable ones cannot be asked.
    if (conflict == Conflict::ignore && !plan.arbiter)
        return plan.table.has_deferrable() ? "" : " ON CONFLICT DO NOTHING";
    const std::string target = fmt::format(" ON CONFLICT ({}) DO ", names_of(plan, plan.key));
    if (conflict == Conflict::ignore) return target + "NOTHING";
    std::vector<std::string> sets;
    for (const int column : written(plan)) {
        const bool same = plan.is_key(column) && plan.column(column).exact;
        if (same || plan.column(column).identity_always) continue;
        sets.push_back(fmt::format("{0} = EXCLUDED.{0}", plan.column(column).quoted));
    }
    return sets.empty() ? target + "NOTHING" : fmt::format("{}UPDATE SET {}", target, fmt::join(sets, ", "));
}

// t.key = $n AND ...
std::string finds(const PostgresPlan& plan, const std::vector<int>& keys, Spell spell, std::size_t first) {
    std::vector<std::string> tests;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const std::string value = spell(plan, keys[i], first + i);
        const std::string& name = plan.column(keys[i]).quoted;
        if (plan.match == PostgresPlan::Match::whole) {
            // As text, because not every type has an equality (json) and 0 is not -0.
            tests.push_back(fmt::format("t.{}::text COLLATE \"C\" IS NOT DISTINCT FROM ({})::text", name, value));
        } else {
            tests.push_back(fmt::format("t.{} {} {}", name, plan.key_equals[i], value));
        }
    }
    return tests.empty() ? "true" : fmt::format("{}", fmt::join(tests, " AND "));
}

// An insert that says how many of its rows were there already: counted beforehand, for a partitioned table's RETURNING
// cannot see what ON CONFLICT did.
std::string counted(const PostgresPlan& plan, const Statement& insert, Spell spell, const std::string& from) {
    std::string tests;
    for (std::size_t i = 0; i < plan.key.size(); ++i) {
        const auto at = std::find(insert.values.begin(), insert.values.end(), plan.key[i]) - insert.values.begin();
        tests += fmt::format("{}t.{} {} {}", i == 0 ? "" : " AND ", plan.column(plan.key[i]).quoted, plan.key_equals[i],
                             spell(plan, plan.key[i], static_cast<std::size_t>(at)));
    }
    return fmt::format("WITH i AS ({}) SELECT count(*) FROM {} AS t{} WHERE {}", insert.text, plan.table.only, from,
                       tests);
}

// The condition for exactly one row, also where several look the same.
std::string picks(const PostgresPlan& plan, const std::vector<int>& keys, std::size_t first) {
    const std::string condition = finds(plan, keys, one, first);
    if (plan.match == PostgresPlan::Match::unique) return condition;
    const char* place = plan.table.partitioned ? "(t.tableoid, t.ctid)" : "t.ctid";
    const char* chosen = plan.table.partitioned ? "t.tableoid, t.ctid" : "t.ctid";
    return fmt::format("{} = (SELECT {} FROM {} AS t WHERE {} LIMIT 1)", place, chosen, plan.table.only, condition);
}

// What an update writes, and what it only tests.
struct Assignments {
    std::string sets;
    std::string tests;
    std::vector<int> columns;
};

Assignments assignments(const PostgresPlan& plan, const ColumnSet& sent, bool with_key, Spell spell) {
    Assignments made;
    std::vector<std::string> sets;
    for (const int column : written(plan)) {
        if (!sent[static_cast<std::size_t>(column)] || (plan.is_key(column) && !with_key)) continue;
        const std::string value = spell(plan, column, made.columns.size());
        const std::string& name = plan.column(column).quoted;
        if (plan.column(column).identity_always) {
            made.tests += fmt::format(" AND t.{} = {}", name, value);
        } else {
            sets.push_back(fmt::format("{} = {}", name, value));
        }
        made.columns.push_back(column);
    }
    if (sets.empty()) {
        // Nothing to write: still, the row must be there.
        const auto harmless =
            std::find_if(plan.table.columns.begin(), plan.table.columns.end(),
                         [](const auto& column) { return !column.generated && !column.identity_always; });
        if (harmless != plan.table.columns.end()) sets.push_back(fmt::format("{0} = t.{0}", harmless->quoted));
    }
    made.sets = fmt::format("{}", fmt::join(sets, ", "));
    return made;
}

}  // namespace

Statement insert_one(const PostgresPlan& plan, Conflict conflict) {
    Statement made{"", written(plan), {}};
    if (made.values.empty()) {
        made.text = fmt::format("INSERT INTO {} DEFAULT VALUES", plan.table.name);
        return made;
    }
    made.text = fmt::format("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({}){}", plan.table.name,
                            names_of(plan, made.values), spelled(plan, made.values, one), on_conflict(plan, conflict));
    if (conflict == Conflict::update) made.text = counted(plan, made, one, "");
    return made;
}

Statement update_one(const PostgresPlan& plan, const ColumnSet& sent, bool key_changes, bool checked) {
    const auto made = assignments(plan, sent, key_changes, one);
    Statement update{"", made.columns, plan.key};
    const std::string condition = picks(plan, plan.key, made.columns.size()) + made.tests;
    update.text = made.sets.empty() ? fmt::format("SELECT 1 FROM {} AS t WHERE {}", plan.table.only, condition)
                                    : fmt::format("UPDATE {} AS t SET {} WHERE {} RETURNING 1", plan.table.only,
                                                  made.sets, condition);
    if (checked) update.text = fmt::format("WITH u AS ({}) SELECT 1 / count(*) FROM u", update.text);
    return update;
}

Statement delete_one(const PostgresPlan& plan) {
    return {fmt::format("DELETE FROM {} AS t WHERE {}", plan.table.only, picks(plan, plan.key, 0)), {}, plan.key};
}

Statement find_one(const PostgresPlan& plan) {
    return {fmt::format("SELECT 1 FROM {} AS t WHERE {}", plan.table.only, picks(plan, plan.key, 0)), {}, plan.key};
}

Statement replace_one(const PostgresPlan& plan, const ColumnSet& sent_columns) {
    Statement made{"", {}, plan.key};
    for (const int column : written(plan)) {
        if (sent_columns[static_cast<std::size_t>(column)]) made.values.push_back(column);
    }
    std::vector<std::string_view> names;
    std::vector<std::string> values;
    for (std::size_t i = 0; i < plan.table.columns.size(); ++i) {
        const TargetColumn& column = plan.table.columns[i];
        if (column.generated) continue;
        names.emplace_back(column.quoted);
        const auto sent = std::find_if(made.values.begin(), made.values.end(), [&](int number) {
            return plan.target_of[static_cast<std::size_t>(number)] == static_cast<int>(i);
        });
        values.push_back(sent == made.values.end()
                             ? "d." + column.quoted
                             : one(plan, *sent, static_cast<std::size_t>(sent - made.values.begin())));
    }
    made.text = fmt::format(
        "WITH d AS (DELETE FROM {} AS t WHERE {} RETURNING t.*) INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} "
        "FROM d",
        plan.table.only, picks(plan, plan.key, made.values.size()), plan.table.name, fmt::join(names, ", "),
        fmt::join(values, ", "));
    return made;
}

Statement insert_many(const PostgresPlan& plan, Conflict conflict) {
    Statement made{"", written(plan), {}};
    const std::string rows = unnested(made.values.size());
    made.text =
        fmt::format("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {}{}", plan.table.name,
                    names_of(plan, made.values), spelled(plan, made.values, many), rows, on_conflict(plan, conflict));
    if (conflict == Conflict::update) made.text = counted(plan, made, many, ", " + rows);
    return made;
}

Statement update_many(const PostgresPlan& plan, const ColumnSet& sent, bool checked) {
    const auto made = assignments(plan, sent, false, many);
    const std::size_t parameters = made.columns.size() + plan.key.size();
    Statement update{"", made.columns, plan.key};
    const std::string rows = unnested(parameters);
    const std::string condition = finds(plan, plan.key, many, made.columns.size()) + made.tests;
    const bool writes = !made.sets.empty();
    update.text =
        writes ? fmt::format("UPDATE {} AS t SET {} FROM {} WHERE {}", plan.table.only, made.sets, rows, condition)
               : fmt::format("SELECT 1 FROM {} AS t, {} WHERE {}", plan.table.only, rows, condition);
    if (checked)
        update.text = fmt::format("WITH u AS ({}{}) SELECT 1 / (count(*) = ${}::bigint)::int FROM u", update.text,
                                  writes ? " RETURNING 1" : "", parameters + 1);
    return update;
}

Statement delete_many(const PostgresPlan& plan) {
    return {fmt::format("DELETE FROM {} AS t USING {} WHERE {}", plan.table.only, unnested(plan.key.size()),
                        finds(plan, plan.key, many, 0)),
            {},
            plan.key};
}

std::string create_staging(const PostgresPlan& plan, const std::string& staging) {
    return fmt::format("CREATE TEMP TABLE IF NOT EXISTS {} ON COMMIT DELETE ROWS AS SELECT {} FROM {} WITH NO DATA",
                       staging, names_of(plan, written(plan)), plan.table.name);
}

std::string merge_staging(const PostgresPlan& plan, const std::string& staging) {
    const std::string names = names_of(plan, written(plan));
    return fmt::format("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM pg_temp.{}{}", plan.table.name,
                       names, names, staging, on_conflict(plan, Conflict::update));
}

std::string copy_rows(const PostgresPlan& plan, const std::string& into) {
    const auto columns = written(plan);
    return columns.empty() ? fmt::format("COPY {} FROM STDIN", into)
                           : fmt::format("COPY {} ({}) FROM STDIN", into, names_of(plan, columns));
}

std::string truncate_tables(const std::vector<const TargetTable*>& tables, bool restart_identity) {
    std::vector<std::string_view> names;
    for (const TargetTable* table : tables) names.emplace_back(table->only);
    return fmt::format("TRUNCATE {}{}", fmt::join(names, ", "), restart_identity ? " RESTART IDENTITY" : "");
}

}  // namespace pgsluice
