#include "worker/compare/narrow.h"

#include <algorithm>
#include <iterator>

#include "worker/compare/reader.h"

namespace pgsluice {

namespace {

// Rows of the source that are kept in memory at a time; a range alone may have more.
constexpr std::uint64_t rows_at_a_time = 50'000;

std::uint64_t rows_in(const TableSums& sums, std::size_t range) {
    return std::max(sums.source[range].rows, sums.target[range].rows);
}

std::vector<std::size_t> different_ranges(const TableSums& sums) {
    std::vector<std::size_t> ranges;
    for (std::size_t i = 0; i < sums.source.size(); ++i) {
        if (sums.source[i] != sums.target[i]) ranges.push_back(i);
    }
    return ranges;
}

// As many of the first ranges as are read together.
std::size_t batch_size(const ComparedTable& table, const TableSums& sums, std::span<const std::size_t> ranges) {
    if (finds_ranges(table)) return 1;
    std::uint64_t rows = rows_in(sums, ranges[0]);
    std::size_t size = 1;
    while (size < ranges.size() && (rows += rows_in(sums, ranges[size])) <= rows_at_a_time) ++size;
    return size;
}

std::vector<Difference> differences_in(const ComparedTable& table, std::span<const std::size_t> ranges,
                                       BothEnds& ends) {
    Differences differences;
    RowReader source(ends.source[0]);
    RowReader target(ends.target[0]);
    for (std::size_t i = 0; i < table.source.size(); ++i)
        source.digests(table, table.source[i], ranges, [&](std::string key, std::uint64_t digest, std::string ctid) {
            differences.at_source(std::move(key), digest, {i, std::move(ctid)});
        });
    for (std::size_t i = 0; i < table.target.size(); ++i)
        target.digests(table, table.target[i], ranges, [&](std::string key, std::uint64_t digest, std::string ctid) {
            differences.at_target(std::move(key), digest, {i, std::move(ctid)});
        });
    return differences.take();
}

bool counts(const ComparedTable& table, const Difference& row) {
    switch (row.kind) {
        case Difference::Kind::missing:
            return !table.no_inserts;
        case Difference::Kind::extra:
            return !table.no_deletes;
        case Difference::Kind::changed:
            return !table.no_updates;
    }
    return true;
}

}  // namespace

NarrowedTable narrow(const ComparedTable& table, const TableSums& sums, BothEnds& ends, std::size_t enough,
                     const std::stop_token& stop) {
    NarrowedTable found;
    const auto all = different_ranges(sums);
    std::span<const std::size_t> left(all);
    while (!left.empty() && found.differences.size() < enough) {
        if (stop.stop_requested()) throw Interrupted{};
        const std::size_t size = batch_size(table, sums, left);
        for (Difference& row : differences_in(table, left.first(size), ends)) {
            if (counts(table, row)) found.differences.push_back(std::move(row));
        }
        left = left.subspan(size);
    }
    for (const std::size_t range : left) found.unread_rows += rows_in(sums, range);
    return found;
}

}  // namespace pgsluice
