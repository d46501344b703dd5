#include "worker/compare/statements.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "sql/quote.h"

namespace pgsluice {

namespace {

// So much of a table is looked at to find the ranges' bounds.
constexpr double sampled_pages = 2000;

std::string hash_of(const std::vector<std::string>& values) {
    return fmt::format("hashtextextended(ROW({})::text COLLATE \"C\", 0)", fmt::join(values, ", "));
}

std::vector<std::string> keys_of(const ComparedTable& table, const RowStore& store) {
    std::vector<std::string> keys;
    for (const std::size_t column : table.key) keys.push_back(store.values[column]);
    return keys;
}

std::string range_key(const ComparedTable& table, const RowStore& store) {
    switch (table.range_key) {
        case RangeKey::plain:
            return table.by_us && !store.key.empty() ? store.key[0].quoted : store.values[table.key[0]];
        case RangeKey::bytes:
            return fmt::format("left({}, 32) COLLATE \"C\"", store.values[table.key[0]]);
        default:
            return hash_of(table.key.empty() ? store.values : keys_of(table, store));
    }
}

// {"a","b"}
std::string array_of(const std::vector<std::string>& texts) {
    std::string array = "{";
    for (const std::string& text : texts) {
        array += array.size() > 1 ? ",\"" : "\"";
        for (const char c : text) {
            if (c == '"' || c == '\\') array += '\\';
            array += c;
        }
        array += '"';
    }
    return array + "}";
}

std::string range_number(const ComparedTable& table, const RowStore& store) {
    if (table.bounds.empty()) return "0";
    return fmt::format("coalesce(width_bucket({}, {}::{}[]), 0)", range_key(table, store),
                       sql::quote_literal(array_of(table.bounds)), table.range_type);
}

std::string within(const Pages& pages) {
    std::string condition = fmt::format("ctid >= '({},0)'::tid", pages.first);
    if (pages.end != 0) condition += fmt::format(" AND ctid < '({},0)'::tid", pages.end);
    return condition;
}

// Of a key that an index finds.
std::string in_range(const ComparedTable& table, const RowStore& store, std::size_t range) {
    const std::string key = range_key(table, store);
    const auto bound = [&](std::size_t n) { return sql::quote_literal(table.bounds[n]) + "::" + table.range_type; };
    if (table.bounds.empty()) return "true";
    if (range == 0) return fmt::format("({0} < {1} OR {0} IS NULL)", key, bound(0));
    std::string condition = fmt::format("{} >= {}", key, bound(range - 1));
    if (range < table.bounds.size()) condition += fmt::format(" AND {} < {}", key, bound(range));
    return condition;
}

std::string in_ranges(const ComparedTable& table, const RowStore& store, std::span<const std::size_t> ranges) {
    if (finds_ranges(table) && ranges.size() == 1) return in_range(table, store, ranges[0]);
    return fmt::format("{} = ANY ('{{{}}}'::int[])", range_number(table, store), fmt::join(ranges, ","));
}

std::string within(const ComparedTable& table, const RowStore& store, const Part& part) {
    if (const auto* pages = std::get_if<Pages>(&part)) return within(*pages);
    return in_range(table, store, std::get<std::size_t>(part));
}

// To be followed by another.
std::string condition(const RowStore& store) { return store.condition.empty() ? "" : store.condition + " AND "; }

}  // namespace

std::string sums_statement(const ComparedTable& table, const RowStore& store, const Part& part) {
    const auto* range = std::get_if<std::size_t>(&part);
    std::string where = within(table, store, part);
    if (range == nullptr && !table.sample.empty()) where += " AND " + in_ranges(table, store, table.sample);
    return fmt::format("SELECT {}, count(*), sum({}) FROM {} WHERE {}{} GROUP BY 1",
                       range == nullptr ? range_number(table, store) : std::to_string(*range), hash_of(store.values),
                       store.from, condition(store), where);
}

std::string digests_statement(const ComparedTable& table, const RowStore& store, std::span<const std::size_t> ranges,
                              const std::optional<Pages>& pages) {
    std::vector<std::string> columns{"ctid", hash_of(store.values)};
    for (std::string& key : keys_of(table, store)) columns.push_back(std::move(key));
    return fmt::format("COPY (SELECT {} FROM {} WHERE {}{}{}) TO STDOUT", fmt::join(columns, ", "), store.from,
                       condition(store), in_ranges(table, store, ranges), pages ? " AND " + within(*pages) : "");
}

std::string rows_statement(const ComparedTable& table, const RowStore& store, const std::optional<Part>& part) {
    std::vector<std::string> columns{"ctid"};
    columns.insert(columns.end(), store.values.begin(), store.values.end());
    std::string where = part ? condition(store) + within(table, store, *part) : store.condition;
    if (!where.empty()) where = " WHERE " + where;
    return fmt::format("COPY (SELECT {} FROM {}{}) TO STDOUT", fmt::join(columns, ", "), store.from, where);
}

std::string row_statement(const RowStore& store) {
    return fmt::format("SELECT {} FROM {} WHERE ctid = $1::tid", fmt::join(store.values, ", "), store.from);
}

std::string row_by_key_statement(const RowStore& store) {
    std::vector<std::string> tests;
    for (const auto& column : store.key)
        tests.push_back(fmt::format("{} = ${}::{}", column.quoted, tests.size() + 1, column.type));
    return fmt::format("SELECT {} FROM {} WHERE {} LIMIT 1", fmt::join(store.values, ", "), store.from,
                       fmt::join(tests, " AND "));
}

std::string bounds_statement(const ComparedTable& table, std::size_t ranges) {
    double pages = 1;
    for (const RowStore& store : table.source) pages += static_cast<double>(store.pages);
    const double percent = std::min(100.0, 100.0 * sampled_pages / pages);
    std::vector<std::string> samples;
    for (const RowStore& store : table.source)
        samples.push_back(fmt::format("SELECT {} AS k FROM {} TABLESAMPLE SYSTEM ({:.6f}) REPEATABLE (0)",
                                      range_key(table, store), store.from, percent));
    const char* collation = table.range_key == RangeKey::bytes ? " COLLATE \"C\"" : "";
    return fmt::format(
        "SELECT b::text FROM (SELECT DISTINCT unnest(percentile_disc(ARRAY(SELECT i::float8 / {0} FROM "
        "generate_series(1, {0} - 1) i)) WITHIN GROUP (ORDER BY k{1})) AS b FROM ({2}) s) d WHERE d.b IS NOT NULL "
        "ORDER BY d.b{1}",  // not "b", which would be the text that is selected
        ranges, collation, fmt::join(samples, " UNION ALL "));
}

std::vector<std::string> hash_bounds(std::size_t ranges) {
    std::vector<std::string> bounds;
    const std::uint64_t step = ~std::uint64_t{0} / ranges;
    for (std::size_t i = 1; i < ranges; ++i)
        bounds.push_back(std::to_string(static_cast<std::int64_t>(i * step - (std::uint64_t{1} << 63))));
    return bounds;
}

}  // namespace pgsluice
