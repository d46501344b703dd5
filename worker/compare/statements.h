// The SQL that reads one end of a compared table. The bounds of ranges, keys of some rows, are the only values in it.
//
// The digest of a row is hashtextextended() of the row as text: the same on all PostgreSQL versions and machines of one
// byte order, and the texts are equal because every session of ours has the same DateStyle, TimeZone and so on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "worker/compare/table.h"

namespace pgsluice {

struct Pages {
    std::uint64_t first = 0;
    std::uint64_t end = 0;  // 0: open-ended
};
// What one statement reads of a store: some pages, or a range that an index finds.
using Part = std::variant<Pages, std::size_t>;

// (range, rows, sum) of each range that has rows there and is compared.
std::string sums_statement(const ComparedTable& table, const RowStore& store, const Part& part);
// COPY of (ctid, digest, key columns ...) of the rows in these ranges, of all pages or of some.
std::string digests_statement(const ComparedTable& table, const RowStore& store, std::span<const std::size_t> ranges,
                              const std::optional<Pages>& pages = std::nullopt);
// COPY of (ctid, values ...), for rows that are read by us.
std::string rows_statement(const ComparedTable& table, const RowStore& store, const std::optional<Part>& part);
// The values of the row at $1, a ctid.
std::string row_statement(const RowStore& store);
// The same of the row with the key $1, $2, ... (RowStore::key).
std::string row_by_key_statement(const RowStore& store);
// A sample of the keys, cut into `ranges` parts of about the same size: the bounds, in order.
std::string bounds_statement(const ComparedTable& table, std::size_t ranges);
// The same for a range key that is a hash.
std::vector<std::string> hash_bounds(std::size_t ranges);

// Whether one statement per range is better than one for all: an index can find the range.
inline bool finds_ranges(const ComparedTable& table) { return table.range_key == RangeKey::plain; }

}  // namespace pgsluice
