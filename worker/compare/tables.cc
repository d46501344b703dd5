#include "worker/compare/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "sinks/postgres/own_rows.h"
#include "sinks/postgres/target.h"
#include "sql/planned_code.h"
#include "sql/quote.h"

namespace pgsluice {

namespace {

// One range for so many pages, but not more than so many ranges.
constexpr std::uint64_t pages_per_range = 32;
constexpr std::size_t most_ranges = 2048;

struct CatalogType {
    std::string name;  // with length and precision
    Oid oid = 0;
    bool built_in = false;
};
using ColumnTypesByName = std::map<std::string, CatalogType>;

// Why a table cannot be compared.
struct LeftOut {
    std::string reason;
};

ColumnTypesByName types_of(sql::Connection& connection, Oid table) {
    const auto rows = connection.query(
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.atttypid::int8, "
        "t.typnamespace = 'pg_catalog'::regnamespace FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid "
        "WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped",
        {std::to_string(table)}, {4});
    ColumnTypesByName types;
    for (int row = 0; row < rows.rows(); ++row)
        types[rows.text(row, 0)] = {rows.text(row, 1), static_cast<Oid>(rows.integer(row, 2)), rows.boolean(row, 3)};
    return types;
}

RowStore store_of(sql::Connection& connection, Oid oid) {
    const auto row = connection.query(
        "SELECT n.nspname, c.relname, c.relkind, pg_relation_size(c.oid) / current_setting('block_size')::int8 "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid",
        {std::to_string(oid)}, {4, 0, 1});
    if (row.rows() == 0) throw LeftOut{"it was dropped just now"};
    if (row.text(0, 2) != "r")
        throw LeftOut{fmt::format("'{}.{}' is no ordinary table", row.text(0, 0), row.text(0, 1))};
    RowStore store;
    store.from = "ONLY " + sql::quote_qualified(row.text(0, 0), row.text(0, 1));
    store.oid = oid;
    store.pages = static_cast<std::uint64_t>(row.integer(0, 3));
    return store;
}

std::vector<RowStore> stores_of(sql::Connection& connection, const TargetTable& table) {
    std::vector<RowStore> stores;
    if (!table.partitioned) {
        stores.push_back(store_of(connection, table.oid));
        return stores;
    }
    const auto leaves = connection.query(
        "SELECT t.relid::oid::int8 FROM pg_partition_tree($1::oid::regclass) t WHERE t.isleaf AND "
        "t.relid <> $1::oid ORDER BY 1",
        {std::to_string(table.oid)}, {1});
    for (int row = 0; row < leaves.rows(); ++row)
        stores.push_back(store_of(connection, static_cast<Oid>(leaves.integer(row, 0))));
    return stores;
}

// A source table and what the rules make of it.
struct Filling {
    const PublishedTable* table;
    std::shared_ptr<const CompiledRules> plan;
};

const Column* column_named(const Relation& relation, std::string_view name) {
    const auto found = std::ranges::find(relation.columns, name, &Column::name);
    return found == relation.columns.end() ? nullptr : &*found;
}

std::size_t index_of(const Relation& relation, std::string_view name) {
    const Column* found = column_named(relation, name);
    if (found == nullptr) throw LeftOut{fmt::format("not all tables that are routed to it have column '{}'", name)};
    return static_cast<std::size_t>(found - relation.columns.data());
}

// What rules make is shorter than what the source pads with blanks, and the target pads it again.
bool is_padded(const TargetTable& target, const std::string& column) { return target.find(column)->type == "bpchar"; }

std::vector<std::string> compared_columns(const Relation& relation, const TargetTable& target) {
    std::vector<std::string> columns;
    for (const Column& column : relation.columns) {
        const TargetColumn* found = target.find(column.name);
        if (found == nullptr) throw LeftOut{fmt::format("the target's table has no column '{}'", column.name)};
        if (!found->generated) columns.push_back(column.name);
    }
    return columns;
}

// Where each of the index's columns is among those compared; empty when one of them is not.
std::vector<std::size_t> covered(const ComparedTable& table, const TargetTable& target, const TargetIndex& index) {
    std::vector<std::size_t> key;
    for (const int number : index.columns) {
        if (number < 0) return {};
        const auto& name = target.columns[static_cast<std::size_t>(number)].name;
        const auto found = std::ranges::find(table.columns, name);
        if (found == table.columns.end()) return {};
        key.push_back(static_cast<std::size_t>(found - table.columns.begin()));
    }
    return key;
}

// What tells rows apart: a unique index of the target, or else the source's identity.
std::vector<std::size_t> choose_key(const ComparedTable& table, const TargetTable& target, const Relation& relation) {
    for (const TargetIndex& index : target.indexes) {
        if (!index.plain || index.exclusion || !index.without_nulls) continue;
        if (auto key = covered(table, target, index); !key.empty()) return key;
    }
    std::vector<std::size_t> key;
    if (relation.identity == ReplicaIdentity::full) return key;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        const Column* column = column_named(relation, table.columns[i]);
        if (column != nullptr && column->key) key.push_back(i);
    }
    return key;
}

RelationPtr relation_of(const ComparedTable& table, const Relation& target) {
    Relation relation;
    relation.schema = table.schema;
    relation.table = table.table;
    relation.keeping = target.keeping;  // the columns that it speaks of are the first here, too
    relation.identity = table.key.empty() ? ReplicaIdentity::full : ReplicaIdentity::default_key;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        relation.columns.push_back(*column_named(target, table.columns[i]));
        relation.columns.back().key = table.key.empty() || std::ranges::find(table.key, i) != table.key.end();
    }
    return std::make_shared<const Relation>(std::move(relation));
}

// The source's column that a column of the target comes from, whatever a route calls it.
const Column* origin_of(const Relation& source, const Relation& target, const std::string& name) {
    const Column& wanted = target.columns[index_of(target, name)];
    const auto found = std::ranges::find(source.columns, wanted.number, &Column::number);
    if (wanted.number != 0 && found != source.columns.end()) return &*found;
    return column_named(source, name);
}

bool is_integer(Oid type) { return type == 20 || type == 21 || type == 23; }
bool is_text(Oid type) { return type == 25 || type == 1043; }

std::optional<std::pair<RangeKey, std::string>> range_key_of(const CatalogType& source, const CatalogType& target) {
    if (is_text(source.oid) && is_text(target.oid)) return std::pair{RangeKey::bytes, std::string("text")};
    if (auto type = bounds_type(source.oid, target.oid)) return std::pair{RangeKey::plain, *std::move(type)};
    return std::nullopt;
}

bool is_converted(const CatalogType& from, const CatalogType& to) {
    const bool same_text = (is_integer(from.oid) && is_integer(to.oid)) || (is_text(from.oid) && is_text(to.oid));
    return from.name != to.name && !same_text && to.built_in;
}

// The source's value as the target's type has it, where that is another one: what writing it there makes of it.
std::string converted(const std::string& column, const CatalogType& from, const CatalogType& to) {
    const std::string quoted = sql::quote_identifier(column);
    return is_converted(from, to) ? fmt::format("{}::text::{}", quoted, to.name) : quoted;
}

class Planner {
   public:
    Planner(sql::Connection& source, sql::Connection& target, bool same_encoding)
        : source_(source), target_(target), same_encoding_(same_encoding) {}

    ComparedTable plan(const std::vector<Filling>& fillings) {
        const Relation& relation = *fillings[0].plan->target();
        const auto found = find_target_table(target_, relation.schema, relation.table);
        if (!found) throw LeftOut{"the target has no such table"};
        refuse_code(target_, {found->oid}, "target");
        for (const Filling& filling : fillings)
            refuse_code(source_, {filling.table->stores.begin(), filling.table->stores.end()}, "source");
        ComparedTable table;
        table.schema = relation.schema;
        table.table = relation.table;
        table.columns = compared_columns(relation, *found);
        table.key = choose_key(table, *found, relation);
        const bool by_us = !same_encoding_ || std::ranges::any_of(fillings, [](const Filling& filling) {
            return !filling.plan->passes_copy();
        });
        table.by_us = by_us;
        for (const Filling& filling : fillings) judge(table, *filling.plan);
        const TargetRows rows = target_rows(fillings);
        table.relation = relation_of(table, relation);
        add_target(table, *found, rows.deleted, false);
        add_target(table, *found, rows.kept, true);
        for (const Filling& filling : fillings) add_source(table, filling, *found);
        choose_ranges(table, types_of(source_, fillings[0].table->relation->oid), fillings[0],
                      types_of(target_, found->oid));
        return table;
    }

   private:
    static void refuse_code(sql::Connection& connection, const std::vector<Oid>& tables, const char* where) {
        const auto code = sql::code_run_by_planning(connection, tables);
        if (code.empty()) return;
        throw LeftOut{
            fmt::format("on the {}, {}, which a query on it would run with our rights. Compare as a role that "
                        "the function's owner is a member of, such as that owner, or let a superuser own the "
                        "function",
                        where, code.begin()->second)};
    }

    static RowStore::LeftOut left_out(const CompiledRules& plan) {
        return {!plan.passes(Op::insert), !plan.passes(Op::update),
                !plan.passes(Op::del) || !plan.passes(Op::truncate)};
    }

    static void judge(ComparedTable& table, const CompiledRules& plan) {
        if (plan.depends_on_operation())
            throw LeftOut{"a rule of it holds for some operations only: what a row looks like depends on its past"};
        const RowStore::LeftOut never = left_out(plan);
        if (table.key.empty() && (never.inserts || never.updates || never.deletes))
            throw LeftOut{"it has no key, and its route leaves operations out"};
        for (const std::size_t column : table.key)
            table.key_is_kept &= !plan.writes(index_of(*plan.target(), table.columns[column]));
    }

    // Conditions of the target's rows: of those that deletes reach, and of those that a route keeps. None: no such row.
    struct TargetRows {
        std::optional<std::string> deleted;
        std::optional<std::string> kept;
    };

    static TargetRows target_rows(const std::vector<Filling>& fillings) {
        std::vector<Filling> keeping;
        for (const Filling& filling : fillings)
            if (left_out(*filling.plan).deletes) keeping.push_back(filling);
        const std::string all = own_rows(fillings);
        if (keeping.empty()) return {all, std::nullopt};
        if (keeping.size() == fillings.size()) return {std::nullopt, all};
        const std::string kept = own_rows(keeping);
        if (kept.empty())
            throw LeftOut{
                "some tables that are routed to it leave deletes out, and no added constants tell their rows "
                "from the others"};
        return {fmt::format("{}({}) IS NOT TRUE", all.empty() ? "" : all + " AND ", kept), kept};
    }

    // Of the target's rows those that the fillings bring and that are valid now; others may fill it, too.
    static std::string own_rows(const std::vector<Filling>& fillings) {
        std::string all;
        for (const Filling& filling : fillings) {
            const Relation& target = *filling.plan->target();
            std::string own = own_rows_condition(target);
            if (own.empty()) own = "true";
            if (target.keeping.mode == Keeping::Mode::history)
                own += fmt::format(" AND {} = {}::timestamptz", sql::quote_identifier(target.keeping.history.valid_to),
                                   sql::quote_literal(target.keeping.history.open));
            if (own == "true") return "";
            all += (all.empty() ? "(" : " OR ") + own;
        }
        return all + ')';
    }

    void add_target(ComparedTable& table, const TargetTable& target, const std::optional<std::string>& condition,
                    bool kept) {
        if (!condition) return;
        auto found = stores_of(target_, target);
        for (RowStore& store : found) {
            store.condition = *condition;
            store.never.deletes = kept;
            for (const std::string& column : table.columns) {
                const bool padded = table.by_us && is_padded(target, column);
                store.values.push_back(sql::quote_identifier(column) +
                                       (padded ? "::text" : ""));  // cuts the blanks off
            }
            table.target.push_back(std::move(store));
        }
    }

    void add_source(ComparedTable& table, const Filling& filling, const TargetTable& target) {
        const auto target_types = types_of(target_, target.oid);
        const Relation& from = *filling.table->relation;
        const Relation& to = *filling.plan->target();
        const auto types = types_of(source_, from.oid);
        if (!table.by_us) note_converted(table, filling, types, target_types);
        for (const Oid oid : filling.table->stores) {
            RowStore store = store_of(source_, oid);
            store.never = left_out(*filling.plan);
            store.table = from.oid;
            if (table.by_us) {
                store.relation = filling.table->relation;
                store.plan = filling.plan;
                for (const Column& column : from.columns) store.values.push_back(sql::quote_identifier(column.name));
                for (const std::string& column : table.columns) {
                    store.projection.push_back(index_of(to, column));
                    store.padded.push_back(is_padded(target, column));
                }
            } else {
                for (const std::string& column : table.columns) {
                    const std::string& name = from.columns[index_of(to, column)].name;
                    store.values.push_back(converted(name, types.at(name), target_types.at(column)));
                }
            }
            if (table.key_is_kept) store.key = key_columns(table, from, to, types);
            table.source.push_back(std::move(store));
        }
    }

    static void note_converted(ComparedTable& table, const Filling& filling, const ColumnTypesByName& types,
                               const ColumnTypesByName& target_types) {
        for (const std::string& column : table.columns) {
            const std::size_t number = index_of(*filling.plan->target(), column);
            const CatalogType& from = types.at(filling.table->relation->columns[number].name);
            const CatalogType& to = target_types.at(column);
            const ConvertedColumn noted{column, from.name, to.name};
            if (is_converted(from, to) && std::ranges::find(table.converted, noted) == table.converted.end())
                table.converted.push_back(noted);
        }
    }

    static std::vector<RowStore::KeyColumn> key_columns(const ComparedTable& table, const Relation& from,
                                                        const Relation& to, const ColumnTypesByName& types) {
        std::vector<RowStore::KeyColumn> key;
        for (const std::size_t column : table.key) {
            const std::size_t number = index_of(to, table.columns[column]);
            if (number < to.keeping.constants.size()) {
                const std::string& type = to.columns[number].type_name;
                key.push_back({fmt::format("{}::{}", sql::quote_literal(to.keeping.constants[number]), type), type});
                continue;
            }
            const Column* origin = origin_of(from, to, table.columns[column]);
            if (origin == nullptr) return {};
            key.push_back({sql::quote_identifier(origin->name), types.at(origin->name).name});
        }
        return key;
    }

    static void choose_ranges(ComparedTable& table, const ColumnTypesByName& source_types, const Filling& first,
                              const ColumnTypesByName& target_types) {
        std::uint64_t source_pages = 0;
        std::uint64_t target_pages = 0;
        for (const RowStore& store : table.source) source_pages += store.pages;
        for (const RowStore& store : table.target) target_pages += store.pages;
        const std::uint64_t pages = std::max(source_pages, target_pages);
        table.ranges = static_cast<std::size_t>(std::clamp<std::uint64_t>(pages / pages_per_range, 1, most_ranges));
        table.range_type = "bigint";
        if (table.by_us || table.key.size() != 1) return;
        const std::string& key = table.columns[table.key[0]];
        const Relation& from = *first.table->relation;
        const std::string& name = from.columns[index_of(*first.plan->target(), key)].name;
        const auto chosen = range_key_of(source_types.at(name), target_types.at(key));
        if (chosen) std::tie(table.range_key, table.range_type) = *chosen;
    }

    sql::Connection& source_;
    sql::Connection& target_;
    bool same_encoding_;
};

std::string encoding_of(sql::Connection& connection) {
    return connection.query("SHOW server_encoding", {}, {1, 1, 1}).text(0, 0);
}

}  // namespace

std::optional<std::string> bounds_type(Oid source, Oid target) {
    if (is_integer(source) && is_integer(target)) return "bigint";
    if (source != target) return std::nullopt;
    switch (source) {
        case 1082:
            return "date";
        case 1114:
            return "timestamp";
        case 1184:
            return "timestamptz";
        case 2950:
            return "uuid";
        default:
            return std::nullopt;
    }
}

TablesToCompare find_tables_to_compare(std::span<const PublishedTable> published, const Ruleset& rules,
                                       sql::Connection& source, sql::Connection& target) {
    std::map<std::pair<std::string, std::string>, std::vector<Filling>> by_target;
    for (const PublishedTable& table : published) {
        auto plan = rules.compile(table.relation);
        if (plan == nullptr) continue;
        const auto& to = *plan->target();
        by_target[{to.schema, to.table}].push_back({&table, std::move(plan)});
    }
    Planner planner(source, target, encoding_of(source) == encoding_of(target));
    TablesToCompare found;
    for (const auto& [name, fillings] : by_target) {
        try {
            found.tables.push_back(planner.plan(fillings));
        } catch (const LeftOut& left_out) {
            found.left_out.push_back({fmt::format("{}.{}", name.first, name.second), left_out.reason});
        }
    }
    return found;
}

}  // namespace pgsluice
