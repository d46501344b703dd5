#include "worker/compare/sample.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "sql/quote.h"
#include "worker/compare/statements.h"
#include "worker/compare/tables.h"

namespace pgsluice {

namespace {

constexpr std::uint64_t least_pages = 64;
constexpr double usual_sample = 64;               // ranges
constexpr std::uint64_t most_range_pages = 2048;  // at most, as long as there are not too many
constexpr std::uint64_t most_sample_ranges = 8192;

std::uint64_t pages_of(const std::vector<RowStore>& stores) {
    std::uint64_t pages = 0;
    for (const RowStore& store : stores) pages += store.pages;
    return pages;
}

struct ColumnType {
    std::string name;
    Oid oid = 0;
};

// Of the column where an index of the whole table begins with it.
std::optional<ColumnType> indexed(sql::Connection& connection, const RowStore& store, const std::string& quoted) {
    const auto rows = connection.query(
        "SELECT format_type(a.atttypid, a.atttypmod), a.atttypid::int8 FROM pg_index i JOIN pg_class c ON c.oid = "
        "i.indexrelid JOIN pg_am m ON m.oid = c.relam JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = "
        "i.indkey[0] WHERE i.indrelid = $1::oid AND '\"' || replace(a.attname, '\"', '\"\"') || '\"' = $2 AND "
        "i.indisvalid AND i.indpred IS NULL AND m.amname = 'btree' LIMIT 1",
        {std::to_string(store.oid), quoted}, {2});
    if (rows.rows() == 0) return std::nullopt;
    return ColumnType{rows.text(0, 0), static_cast<Oid>(rows.integer(0, 1))};
}

// The type of the key's first column in each store; fewer where one has no index of it.
template <typename NameOf>
std::vector<ColumnType> indexed(sql::Connection& connection, const std::vector<RowStore>& stores, NameOf name_of) {
    std::vector<ColumnType> types;
    for (const RowStore& store : stores) {
        const auto type = indexed(connection, store, name_of(store));
        if (!type) break;
        types.push_back(*type);
    }
    return types;
}

// What bounds of the key's first column are written as, where its values are the same at both ends, in the same order,
// and every store has an index of them.
std::optional<std::string> indexed_bounds(const ComparedTable& table, sql::Connection& source,
                                          sql::Connection& target) {
    const bool keyed = std::ranges::none_of(table.source, [](const RowStore& store) { return store.key.empty(); });
    if (!table.key_is_kept || !keyed) return std::nullopt;
    const std::string name = sql::quote_identifier(table.columns[table.key[0]]);
    const auto at_target = indexed(target, table.target, [&](const RowStore&) { return name; });
    if (at_target.size() < table.target.size()) return std::nullopt;
    const auto at_source = indexed(source, table.source, [](const RowStore& store) { return store.key[0].quoted; });
    if (at_source.size() < table.source.size()) return std::nullopt;
    std::optional<std::string> bounds;
    for (const ColumnType& to : at_target) {
        for (const ColumnType& from : at_source) {
            bounds = bounds_type(from.oid, to.oid);
            if (!bounds || (*bounds != "bigint" && from.name != to.name)) return std::nullopt;
        }
    }
    return bounds;
}

}  // namespace

std::size_t ranges_for_sample(std::uint64_t pages, double percent) {
    if (pages < least_pages) return 0;
    const auto wanted = static_cast<std::uint64_t>(std::ceil(usual_sample * 100 / percent));
    return static_cast<std::size_t>(std::min({std::max(wanted, pages / most_range_pages), pages, most_sample_ranges}));
}

std::vector<std::size_t> spread_over(std::size_t ranges, double percent) {
    const double share = static_cast<double>(ranges) * percent / 100;
    const auto count = static_cast<std::size_t>(std::clamp(std::round(share), 1.0, static_cast<double>(ranges)));
    std::vector<std::size_t> chosen;
    for (std::size_t i = 1; i <= count; ++i) chosen.push_back(i * ranges / count - 1);
    return chosen;
}

std::size_t cut_for_sample(ComparedTable& table, double percent, sql::Connection& source, sql::Connection& target) {
    if (percent == 0 || table.key.empty()) return 0;
    const std::size_t ranges = ranges_for_sample(pages_of(table.source), percent);
    if (ranges == 0) return 0;
    const auto bounds = indexed_bounds(table, source, target);
    cut_by_hash(table, ranges);
    if (bounds) {
        table.range_key = RangeKey::plain;
        table.range_type = *bounds;
    }
    return ranges;
}

void cut_by_hash(ComparedTable& table, std::size_t ranges) {
    table.ranges = ranges;
    table.range_key = RangeKey::hashed;
    table.range_type = "bigint";
    table.bounds.clear();
}

}  // namespace pgsluice
