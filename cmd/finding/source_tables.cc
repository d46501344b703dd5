#include "cmd/finding/source_tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "replicator/source/references.h"
#include "rules/rule.h"
#include "sql/error.h"
#include "sql/planned_code.h"
#include "sql/quote.h"

namespace pgsluice {
namespace {

constexpr int largest_value = 65536;  // bytes, as it is stored

std::string sample_statement(const Relation& relation, std::size_t rows, const std::string& method) {
    std::vector<std::string> columns;
    for (const Column& column : relation.columns) {
        const std::string name = sql::quote_identifier(column.name);
        columns.push_back(fmt::format("CASE WHEN pg_column_size({0}) <= {1} THEN {0} END", name, largest_value));
    }
    return fmt::format("SELECT {} FROM {}{} LIMIT {}", fmt::join(columns, ", "),
                       sql::quote_qualified(relation.schema, relation.table), method, rows);
}

// As the planner reckons: by the table's size now, and how many rows a page had when it was last looked at. Of one that
// never was, a page is taken to have few, so that rather more of them are read.
double rows_of(sql::Connection& connection, const SourceTable& table) {
    double rows = 0;
    for (const sql::CatalogTable& part : table.parts) {
        const auto found = connection.query(
            "SELECT (pg_relation_size(oid) / current_setting('block_size')::int8 * "
            "CASE WHEN reltuples > 0 AND relpages > 0 THEN reltuples / relpages ELSE 20 END)::int8 "
            "FROM pg_class WHERE oid = $1::oid",
            {std::to_string(part.oid)}, {1});
        if (found.rows() == 1) rows += static_cast<double>(found.integer(0, 0));
    }
    return rows;
}

SampledRows taken(sql::Result result, std::size_t width) {
    SampledRows sampled{std::move(result), {}};
    for (int row = 0; row < sampled.result.rows(); ++row) {
        std::vector<Value>& values = sampled.rows.emplace_back();
        for (std::size_t column = 0; column < width; ++column) {
            const auto text = sampled.result.get(row, static_cast<int>(column));
            values.push_back(text ? Value(*text) : Value());
        }
    }
    return sampled;
}

}  // namespace

std::vector<sql::CatalogTable> chosen_tables(sql::Connection& connection, const TableChoice& choice,
                                             const std::vector<std::string>& named, const Log& log) {
    auto found = resolve_tables(connection, choice, log);
    if (!choice.by_default()) return found;
    for (const std::string& name : named) {
        const auto parsed = rules::TableName::parse(name, {});
        if (parsed.schema.empty() || parsed.schema == choice.schema) continue;
        auto table = sql::find_table(connection, parsed.schema, parsed.table);
        if (table && (table->kind == 'r' || table->kind == 'p')) found.push_back(std::move(*table));
    }
    return found;
}

rules::ForeignKeys foreign_keys_of(sql::Connection& connection, std::span<const SourceTable> tables) {
    std::vector<Relation> relations;
    rules::ForeignKeys keys;
    for (const SourceTable& table : tables) {
        relations.push_back(table.relation);
        keys.tables.push_back(std::make_shared<const Relation>(table.relation));
    }
    keys.references = references_of(connection, relations);
    return keys;
}

SourceSampler::SourceSampler(const sql::ConnectOptions& source, std::stop_token stop)
    : connection_(source, std::move(stop)) {
    connection_.exec("SET default_transaction_read_only = on");
}

std::vector<SourceTable> SourceSampler::tables(const TableChoice& choice, const std::vector<std::string>& named,
                                               const Log& log) {
    ColumnTypes types(connection_);
    return tables_to_copy(connection_, chosen_tables(connection_, choice, named, log), true, types);
}

std::vector<rules::ColumnFacts> SourceSampler::facts(const Relation& relation) {
    const auto found = connection_.query(
        "SELECT a.attname, NOT a.attnotnull, coalesce(col_description(a.attrelid, a.attnum), ''), "
        "coalesce((SELECT l.label FROM pg_seclabel l WHERE l.provider = 'anon' AND l.classoid = 'pg_class'::regclass "
        "AND l.objoid = a.attrelid AND l.objsubid = a.attnum), '') "
        "FROM pg_attribute a WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped",
        {std::to_string(relation.oid)}, {4});
    std::vector<rules::ColumnFacts> facts(relation.columns.size());
    for (int row = 0; row < found.rows(); ++row) {
        const auto column = std::ranges::find(relation.columns, found.text(row, 0), &Column::name);
        if (column == relation.columns.end()) continue;
        facts[static_cast<std::size_t>(column - relation.columns.begin())] = {found.boolean(row, 1), found.text(row, 2),
                                                                              found.text(row, 3)};
    }
    return facts;
}

std::string SourceSampler::refusal(const SourceTable& table) {
    const std::string code = sql::code_run_by_planning(connection_, table.relation.oid);
    return code.empty() ? "" : code + ", which a query on it would run with our rights";
}

SampledRows SourceSampler::sample(const SourceTable& table, std::size_t rows) {
    const Relation& relation = table.relation;
    const std::size_t width = relation.columns.size();
    if (rows == 0 || width == 0) return {sql::Result(nullptr), {}};
    if (const std::string why = refusal(table); !why.empty())
        throw stop_error(
            fmt::format("unable to take rows of '{}.{}': {}", relation.schema, relation.table, why),
            "Connect to the source as a role that the function's owner is a member of, such as that owner, or "
            "leave the table out with --exclude-tables.");
    const auto read = [&](const std::string& method) {
        return connection_.query(sample_statement(relation, rows, method), {}, {static_cast<int>(width)});
    };
    const double estimate = rows_of(connection_, table);
    const double wanted = 2.0 * static_cast<double>(rows);
    if (estimate > 2 * wanted) {
        // They come in the table's order: a limit alone would leave out its end.
        sql::Result some = read(fmt::format(" TABLESAMPLE SYSTEM ({:.6f}) ORDER BY random()", 100 * wanted / estimate));
        if (static_cast<std::size_t>(some.rows()) * 4 > rows) return taken(std::move(some), width);
    }
    return taken(read(""), width);
}

rules::RulesFile with_inherited(const rules::RulesFile& file, const sql::ConnectOptions& source,
                                const std::stop_token& stop) {
    SourceSampler sampler(source, stop);
    TableChoice all;
    all.all_schemas = true;
    return rules::InheritedRules(file, sampler.foreign_keys(sampler.tables(all, {}, silent_log))).file();
}

}  // namespace pgsluice
