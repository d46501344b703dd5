#include "cmd/check/target_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "sql/catalog.h"

namespace pgsluice {

namespace {

struct ColumnFacts {
    std::string base;  // the type, of a domain the one below it, without a length
    std::string full;  // the type as it is declared
    std::int64_t typmod = -1;
    bool needs_value = false;  // NOT NULL, and nothing fills it in
    bool not_null = false;
};

using FactsByName = std::map<std::string, ColumnFacts>;

FactsByName facts_of(sql::Connection& connection, Oid table) {
    const std::string oid = std::to_string(table);
    const auto rows = connection.query(
        "WITH RECURSIVE base AS (SELECT a.attnum, a.atttypid AS oid, 1 AS depth FROM pg_catalog.pg_attribute a "
        "WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped UNION ALL "
        "SELECT b.attnum, t.typbasetype, b.depth + 1 FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.oid "
        "WHERE t.typtype = 'd') "
        "SELECT DISTINCT ON (a.attnum) a.attname, pg_catalog.format_type(b.oid, -1), "
        "pg_catalog.format_type(a.atttypid, a.atttypmod), a.atttypmod::pg_catalog.int8, "
        "a.attnotnull AND NOT a.atthasdef AND a.attidentity = '', a.attnotnull "
        "FROM base b JOIN pg_catalog.pg_attribute a ON a.attrelid = $1::oid AND a.attnum = b.attnum "
        "ORDER BY a.attnum, b.depth DESC",
        {sql::Param(oid)}, {6});
    FactsByName all;
    for (int row = 0; row < rows.rows(); ++row)
        all[rows.text(row, 0)] = {rows.text(row, 1), rows.text(row, 2), rows.integer(row, 3), rows.boolean(row, 4),
                                  rows.boolean(row, 5)};
    return all;
}

// Each takes all values of those before it.
constexpr std::array whole_numbers{"smallint", "integer", "bigint", "numeric"};

bool is_wider(const std::string& target, const std::string& source) {
    const auto* const from = std::ranges::find(whole_numbers, source);
    const auto* const to = std::ranges::find(whole_numbers, target);
    if (from != whole_numbers.end() && to != whole_numbers.end()) return from < to;
    return target == "text" || target == "character varying" || (source == "real" && target == "double precision");
}

bool takes_all(const ColumnFacts& target, const ColumnFacts& source) {
    if (target.base != source.base) return is_wider(target.base, source.base) && target.typmod == -1;
    if (target.typmod == -1 || target.typmod == source.typmod) return true;
    const bool has_length = target.base == "character varying" || target.base == "character";
    return has_length && source.typmod != -1 && source.typmod < target.typmod;
}

class Columns {
   public:
    Columns(const DeliveredTable& delivered, const TargetTable& table, Findings& found)
        : delivered_(delivered), table_(table), found_(found) {}

    // What rows bring.
    void look_at_coming(const FactsByName& source, const FactsByName& target) {
        const Relation& relation = *delivered_.rules->target();
        for (std::size_t i = 0; i < relation.columns.size(); ++i) {
            const auto own = target.find(relation.columns[i].name);
            const auto from = source.find(source_name(i));
            if (own == target.end() || from == source.end() || delivered_.rules->writes(i)) continue;
            compare(own->first, from->second, own->second);
        }
    }
    // What they do not bring.
    void look_at_others(const FactsByName& target) {
        for (const auto& [name, facts] : target) {
            if (!facts.needs_value || comes(name)) continue;
            found_.fail(fmt::format("column '{}' of the target's table '{}' is NOT NULL without a default, and rows do "
                                    "not bring it",
                                    name, full_name()),
                        fmt::format("On the target, run ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL, or give it a "
                                    "default.",
                                    table_.name, table_.find(name)->quoted));
        }
    }

   private:
    void compare(const std::string& name, const ColumnFacts& from, const ColumnFacts& own) {
        if (!takes_all(own, from))
            found_.warn(fmt::format("column '{}' of the target's table '{}' is {}, and on the source {}: a value that "
                                    "it does not take stops the worker",
                                    name, full_name(), own.full, from.full),
                        fmt::format("On the target, run ALTER TABLE {} ALTER COLUMN {} TYPE {}.", table_.name,
                                    table_.find(name)->quoted, from.full));
        if (own.not_null && !from.not_null)
            found_.warn(fmt::format("column '{}' of the target's table '{}' is NOT NULL, and on the source it is not: "
                                    "a row without a value stops the worker",
                                    name, full_name()),
                        fmt::format("On the target, run ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL.", table_.name,
                                    table_.find(name)->quoted));
    }
    // Of the column that the target's gets its values from: a route may rename it, and none is added.
    [[nodiscard]] std::string source_name(std::size_t i) const {
        const Column& wanted = delivered_.rules->target()->columns[i];
        for (const Column& column : delivered_.source->columns)
            if (column.number != 0 && column.number == wanted.number) return column.name;
        return wanted.name;
    }
    [[nodiscard]] bool comes(const std::string& name) const {
        return std::ranges::any_of(delivered_.rules->target()->columns,
                                   [&](const Column& column) { return column.name == name; });
    }
    [[nodiscard]] std::string full_name() const { return table_.schema + '.' + table_.table; }

    const DeliveredTable& delivered_;
    const TargetTable& table_;
    Findings& found_;
};

}  // namespace

void look_at_columns(const DeliveredTable& delivered, const TargetTable& table, sql::Connection* source,
                     sql::Connection& target, Findings& found) {
    found.attempt([&](const Log&) {
        const FactsByName own = facts_of(target, table.oid);
        Columns columns(delivered, table, found);
        if (source != nullptr) columns.look_at_coming(facts_of(*source, delivered.source->oid), own);
        columns.look_at_others(own);
    });
}

void look_at_match(const TargetMapping& mapping, Findings& found) {
    if (mapping.match != TargetMapping::Match::key) return;
    std::vector<std::string> names;
    for (const int number : mapping.key) names.push_back(mapping.column(number).quoted);
    std::string list;
    for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
    found.warn(fmt::format("the target's table '{}.{}' has no unique index on the key of its rows ({}): each update "
                           "and delete looks through the table",
                           mapping.table.schema, mapping.table.table, list),
               fmt::format("On the target, run ALTER TABLE {} ADD PRIMARY KEY ({}).", mapping.table.name, list));
}

}  // namespace pgsluice
