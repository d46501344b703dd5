#include "sinks/postgres/statements.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace pgsluice {

namespace {

// How a statement speaks of its n-th parameter (from 0) as a value of the column's type.
std::string one(const TargetMapping& mapping, int column, std::size_t n) {
    return fmt::format("${}::{}", n + 1, mapping.column(column).type);
}
std::string many(const TargetMapping& mapping, int column, std::size_t n) {
    return fmt::format("x.v{}::{}", n, mapping.column(column).type);
}
using Spell = std::string (*)(const TargetMapping&, int, std::size_t);

std::vector<int> written(const TargetMapping& mapping) {
    std::vector<int> columns;
    for (std::size_t i = 0; i < mapping.relation.columns.size(); ++i) {
        if (mapping.writes(i)) columns.push_back(static_cast<int>(i));
    }
    return columns;
}

std::string names_of(const TargetMapping& mapping, const std::vector<int>& columns) {
    std::vector<std::string_view> names;
    for (const int column : columns) names.emplace_back(mapping.column(column).quoted);
    return fmt::format("{}", fmt::join(names, ", "));
}

std::string spelled(const TargetMapping& mapping, const std::vector<int>& columns, Spell spell, std::size_t first = 0) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < columns.size(); ++i) texts.push_back(spell(mapping, columns[i], first + i));
    return fmt::format("{}", fmt::join(texts, ", "));
}

void choose_forms(Statement& statement, const TargetMapping& mapping, Arrays arrays) {
    for (const auto* columns : {&statement.values, &statement.keys}) {
        for (const int column : *columns)
            statement.forms.push_back(arrays == Arrays::texts ? BinaryForm::text
                                                              : binary_form_of(mapping.column(column).type));
    }
}

// unnest($1::text[], ...) AS x(v0, ...)
std::string unnested(const std::vector<BinaryForm>& forms) {
    std::vector<std::string> arrays;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < forms.size(); ++i) {
        arrays.push_back(fmt::format("${}::{}[]", i + 1, type_name(forms[i])));
        names.push_back(fmt::format("v{}", i));
    }
    return fmt::format("unnest({}) AS x({})", fmt::join(arrays, ", "), fmt::join(names, ", "));
}

std::string on_conflict(const TargetMapping& mapping, Conflict conflict) {
    if (conflict == Conflict::fail) return "";
    // Without a key to name, PostgreSQL asks all constraints, and deferrable ones cannot be asked.
    if (conflict == Conflict::ignore && !mapping.arbiter)
        return mapping.table.has_deferrable() ? "" : " ON CONFLICT DO NOTHING";
    const std::string target = fmt::format(" ON CONFLICT ({}) DO ", names_of(mapping, mapping.key));
    if (conflict == Conflict::ignore) return target + "NOTHING";
    std::vector<std::string> sets;
    for (const int column : written(mapping)) {
        const bool same = mapping.is_key(column) && mapping.column(column).exact;
        if (same || mapping.column(column).identity_always) continue;
        sets.push_back(fmt::format("{0} = EXCLUDED.{0}", mapping.column(column).quoted));
    }
    return sets.empty() ? target + "NOTHING" : fmt::format("{}UPDATE SET {}", target, fmt::join(sets, ", "));
}

// t.key = $n AND ...
std::string finds(const TargetMapping& mapping, const std::vector<int>& keys, Spell spell, std::size_t first) {
    std::vector<std::string> tests;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const std::string value = spell(mapping, keys[i], first + i);
        const std::string& name = mapping.column(keys[i]).quoted;
        if (mapping.match == TargetMapping::Match::whole) {
            // As text, because not every type has an equality (json) and 0 is not -0.
            tests.push_back(fmt::format("t.{}::text COLLATE \"C\" IS NOT DISTINCT FROM ({})::text", name, value));
        } else {
            tests.push_back(fmt::format("t.{} {} {}", name, mapping.key_equals[i], value));
        }
    }
    return tests.empty() ? "true" : fmt::format("{}", fmt::join(tests, " AND "));
}

// An insert that says how many of its rows were there already: counted beforehand, for a partitioned table's RETURNING
// cannot see what ON CONFLICT did.
std::string counted(const TargetMapping& mapping, const Statement& insert, Spell spell, const std::string& from) {
    std::string tests;
    for (std::size_t i = 0; i < mapping.key.size(); ++i) {
        const auto at = std::find(insert.values.begin(), insert.values.end(), mapping.key[i]) - insert.values.begin();
        tests += fmt::format("{}t.{} {} {}", i == 0 ? "" : " AND ", mapping.column(mapping.key[i]).quoted,
                             mapping.key_equals[i], spell(mapping, mapping.key[i], static_cast<std::size_t>(at)));
    }
    return fmt::format("WITH i AS ({}) SELECT count(*) FROM {} AS t{} WHERE {}", insert.text, mapping.table.only, from,
                       tests);
}

// The condition for exactly one row, also where several look the same.
std::string picks(const TargetMapping& mapping, const std::vector<int>& keys, std::size_t first) {
    std::string condition = finds(mapping, keys, one, first);
    if (mapping.match == TargetMapping::Match::unique) return condition;
    const char* place = mapping.table.partitioned ? "(t.tableoid, t.ctid)" : "t.ctid";
    const char* chosen = mapping.table.partitioned ? "t.tableoid, t.ctid" : "t.ctid";
    return fmt::format("{} = (SELECT {} FROM {} AS t WHERE {} LIMIT 1)", place, chosen, mapping.table.only, condition);
}

// What an update writes, and what it only tests.
struct Assignments {
    std::string sets;
    std::string tests;
    std::vector<int> columns;
};

Assignments assignments(const TargetMapping& mapping, const ColumnSet& sent, bool with_key, Spell spell) {
    Assignments made;
    std::vector<std::string> sets;
    for (const int column : written(mapping)) {
        if (!sent[static_cast<std::size_t>(column)] || (mapping.is_key(column) && !with_key)) continue;
        const std::string value = spell(mapping, column, made.columns.size());
        const std::string& name = mapping.column(column).quoted;
        if (mapping.column(column).identity_always) {
            made.tests += fmt::format(" AND t.{} = {}", name, value);
        } else {
            sets.push_back(fmt::format("{} = {}", name, value));
        }
        made.columns.push_back(column);
    }
    if (sets.empty()) {
        // Nothing to write: still, the row must be there.
        const auto harmless =
            std::find_if(mapping.table.columns.begin(), mapping.table.columns.end(),
                         [](const auto& column) { return !column.generated && !column.identity_always; });
        if (harmless != mapping.table.columns.end()) sets.push_back(fmt::format("{0} = t.{0}", harmless->quoted));
    }
    made.sets = fmt::format("{}", fmt::join(sets, ", "));
    return made;
}

std::string text_columns(const TargetMapping& mapping) {
    std::vector<std::string> columns;
    for (const int column : written(mapping)) columns.push_back(mapping.column(column).quoted + " text");
    return fmt::format("{}", fmt::join(columns, ", "));
}

}  // namespace

Statement insert_one(const TargetMapping& mapping, Conflict conflict) {
    Statement made{"", written(mapping), {}};
    if (made.values.empty()) {
        made.text = fmt::format("INSERT INTO {} DEFAULT VALUES", mapping.table.name);
        return made;
    }
    made.text =
        fmt::format("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({}){}", mapping.table.name,
                    names_of(mapping, made.values), spelled(mapping, made.values, one), on_conflict(mapping, conflict));
    if (conflict == Conflict::update) {
        made.text = counted(mapping, made, one, "");
        made.counts = true;
    }
    return made;
}

Statement update_one(const TargetMapping& mapping, const ColumnSet& sent, bool key_changes, bool checked) {
    const auto made = assignments(mapping, sent, key_changes, one);
    Statement update{"", made.columns, mapping.key};
    const std::string condition = picks(mapping, mapping.key, made.columns.size()) + made.tests;
    update.text = made.sets.empty() ? fmt::format("SELECT 1 FROM {} AS t WHERE {}", mapping.table.only, condition)
                                    : fmt::format("UPDATE {} AS t SET {} WHERE {} RETURNING 1", mapping.table.only,
                                                  made.sets, condition);
    if (checked) update.text = fmt::format("WITH u AS ({}) SELECT 1 / count(*) FROM u", update.text);
    return update;
}

Statement delete_one(const TargetMapping& mapping) {
    return {fmt::format("DELETE FROM {} AS t WHERE {}", mapping.table.only, picks(mapping, mapping.key, 0)),
            {},
            mapping.key};
}

Statement find_one(const TargetMapping& mapping) {
    return {fmt::format("SELECT 1 FROM {} AS t WHERE {}", mapping.table.only, picks(mapping, mapping.key, 0)),
            {},
            mapping.key};
}

Statement replace_one(const TargetMapping& mapping, const ColumnSet& sent_columns) {
    Statement made{"", {}, mapping.key};
    for (const int column : written(mapping)) {
        if (sent_columns[static_cast<std::size_t>(column)]) made.values.push_back(column);
    }
    std::vector<std::string_view> names;
    std::vector<std::string> values;
    for (std::size_t i = 0; i < mapping.table.columns.size(); ++i) {
        const TargetColumn& column = mapping.table.columns[i];
        if (column.generated) continue;
        names.emplace_back(column.quoted);
        const auto sent = std::find_if(made.values.begin(), made.values.end(), [&](int number) {
            return mapping.target_of[static_cast<std::size_t>(number)] == static_cast<int>(i);
        });
        values.push_back(sent == made.values.end()
                             ? "d." + column.quoted
                             : one(mapping, *sent, static_cast<std::size_t>(sent - made.values.begin())));
    }
    made.text = fmt::format(
        "WITH d AS (DELETE FROM {} AS t WHERE {} RETURNING t.*) INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} "
        "FROM d",
        mapping.table.only, picks(mapping, mapping.key, made.values.size()), mapping.table.name, fmt::join(names, ", "),
        fmt::join(values, ", "));
    return made;
}

Statement insert_many(const TargetMapping& mapping, Conflict conflict, Arrays arrays) {
    Statement made{"", written(mapping), {}};
    choose_forms(made, mapping, arrays);
    const std::string rows = unnested(made.forms);
    made.text = fmt::format("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {}{}", mapping.table.name,
                            names_of(mapping, made.values), spelled(mapping, made.values, many), rows,
                            on_conflict(mapping, conflict));
    if (conflict == Conflict::update) {
        made.text = counted(mapping, made, many, ", " + rows);
        made.counts = true;
    }
    return made;
}

Statement update_many(const TargetMapping& mapping, const ColumnSet& sent, bool checked, Arrays arrays) {
    const auto made = assignments(mapping, sent, false, many);
    Statement update{"", made.columns, mapping.key};
    choose_forms(update, mapping, arrays);
    const std::string rows = unnested(update.forms);
    const std::string condition = finds(mapping, mapping.key, many, made.columns.size()) + made.tests;
    const bool writes = !made.sets.empty();
    update.text =
        writes ? fmt::format("UPDATE {} AS t SET {} FROM {} WHERE {}", mapping.table.only, made.sets, rows, condition)
               : fmt::format("SELECT 1 FROM {} AS t, {} WHERE {}", mapping.table.only, rows, condition);
    if (checked)
        update.text = fmt::format("WITH u AS ({}{}) SELECT 1 / (count(*) = ${}::bigint)::int FROM u", update.text,
                                  writes ? " RETURNING 1" : "", update.forms.size() + 1);
    return update;
}

Statement delete_many(const TargetMapping& mapping, Arrays arrays) {
    Statement made{"", {}, mapping.key};
    choose_forms(made, mapping, arrays);
    made.text = fmt::format("DELETE FROM {} AS t USING {} WHERE {}", mapping.table.only, unnested(made.forms),
                            finds(mapping, mapping.key, many, 0));
    return made;
}

std::string create_staging(const TargetMapping& mapping, const std::string& staging) {
    return fmt::format("CREATE TEMP TABLE IF NOT EXISTS {} ON COMMIT DELETE ROWS AS SELECT {} FROM {} WITH NO DATA",
                       staging, names_of(mapping, written(mapping)), mapping.table.name);
}

std::string merge_staging(const TargetMapping& mapping, const std::string& staging) {
    const std::string names = names_of(mapping, written(mapping));
    return fmt::format("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM pg_temp.{}{}", mapping.table.name,
                       names, names, staging, on_conflict(mapping, Conflict::update));
}

std::string create_text_staging(const TargetMapping& mapping, const std::string& staging) {
    return fmt::format("CREATE TEMP TABLE IF NOT EXISTS {} ({}) ON COMMIT DELETE ROWS", staging, text_columns(mapping));
}

std::string text_copy(const TargetMapping& mapping, const std::string& name) {
    return fmt::format("CREATE TABLE {} ({})", name, text_columns(mapping));
}

std::string merge_text_staging(const TargetMapping& mapping, const std::string& staging, Conflict conflict) {
    const auto columns = written(mapping);
    if (columns.empty()) return fmt::format("INSERT INTO {} SELECT FROM pg_temp.{}", mapping.table.name, staging);
    std::vector<std::string> values;
    for (const int column : columns)
        values.push_back(fmt::format("{}::{}", mapping.column(column).quoted, mapping.column(column).type));
    return fmt::format("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM pg_temp.{}{}", mapping.table.name,
                       names_of(mapping, columns), fmt::join(values, ", "), staging, on_conflict(mapping, conflict));
}

std::string copy_rows(const TargetMapping& mapping, const std::string& into) {
    const auto columns = written(mapping);
    return columns.empty() ? fmt::format("COPY {} FROM STDIN", into)
                           : fmt::format("COPY {} ({}) FROM STDIN", into, names_of(mapping, columns));
}

}  // namespace pgsluice
