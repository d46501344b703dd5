#include "worker/compare/narrow.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <utility>

#include "worker/compare/pace.h"
#include "worker/compare/pieces.h"
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

using UseRow = std::function<void(std::string key, std::uint64_t digest, RowPlace place)>;

// One end's rows in these ranges. Where no index finds them, page range by page range.
class RangeReader {
   public:
    RangeReader(const ComparedTable& table, std::vector<RowStore> ComparedTable::*stores, sql::Connection& connection,
                std::uint64_t rows_per_second, const std::stop_token& stop)
        : table_(table), stores_(stores), connection_(connection), rate_(rows_per_second), stop_(stop) {}

    void read(std::span<const std::size_t> ranges, std::uint64_t rows_in_all, const UseRow& use) {
        RowReader reader(connection_);
        const auto& stores = table_.*stores_;
        const auto use_of = [&](std::size_t store) {
            return [this, &use, store](std::string key, std::uint64_t digest, std::string ctid) {
                if (stop_.stop_requested()) throw Interrupted{};
                use(std::move(key), digest, {store, std::move(ctid)});
            };
        };
        if (finds_ranges(table_)) {
            for (std::size_t i = 0; i < stores.size(); ++i)
                reader.digests(table_, stores[i], ranges, std::nullopt, use_of(i));
            return;
        }
        connection_.exec("SET LOCAL enable_seqscan = off");  // else a piece may be read by reading the whole table
        std::uint64_t pages = 1;
        for (const RowStore& store : stores) pages += store.pages;
        Pace pace(rate_);
        Pieces pieces({&table_, 1}, stores_, piece_pages(rate_));
        while (const auto piece = pieces.take()) {
            if (stop_.stop_requested()) throw Interrupted{};
            reader.digests(table_, stores[piece->store], ranges, std::get<Pages>(piece->part), use_of(piece->store));
            pace.took(rows_in_all * piece->size / pages, stop_);
        }
        connection_.exec("SET LOCAL enable_seqscan = on");
    }

   private:
    const ComparedTable& table_;
    std::vector<RowStore> ComparedTable::*stores_;
    sql::Connection& connection_;
    const std::uint64_t rate_;
    const std::stop_token& stop_;
};

RangeSum total(const std::vector<RangeSum>& sums, std::span<const std::size_t> ranges) {
    RangeSum all;
    for (const std::size_t range : ranges) all.add(sums[range]);
    return all;
}

// The rows of the ranges must be those that were summed up, or some that differ would be passed over.
void check_read(const ComparedTable& table, const RangeSum& read, const RangeSum& summed) {
    if (read != summed)
        throw std::logic_error(fmt::format("ranges of '{}' have other rows than those that were summed up: {}, {}",
                                           table.name(), read.rows, summed.rows));
}

bool counts(const ComparedTable& table, const Difference& row) {
    switch (row.kind) {
        case Difference::Kind::missing:
            return !table.source[row.source.store].never.inserts;
        case Difference::Kind::extra:
            return !table.target[row.target.store].never.deletes;
        case Difference::Kind::changed:
            return !table.source[row.source.store].never.updates;
    }
    return true;
}

}  // namespace

NarrowedTable narrow(const ComparedTable& table, const TableSums& sums, BothEnds& ends, std::size_t enough,
                     std::uint64_t rows_per_second, const std::stop_token& stop) {
    NarrowedTable found;
    const auto all = different_ranges(sums);
    RangeReader source(table, &ComparedTable::source, ends.source[0], rows_per_second, stop);
    RangeReader target(table, &ComparedTable::target, ends.target[0], rows_per_second, stop);
    Differences differences;
    std::span<const std::size_t> left(all);
    while (!left.empty() && found.differences.size() < enough) {
        if (stop.stop_requested()) throw Interrupted{};
        const std::size_t size = batch_size(table, sums, left);
        const auto ranges = left.first(size);
        RangeSum read_source;
        RangeSum read_target;
        source.read(ranges, rows_of(sums.source), [&](std::string key, std::uint64_t digest, RowPlace place) {
            read_source.add({1, digest});
            differences.at_source(std::move(key), digest, std::move(place));
        });
        target.read(ranges, rows_of(sums.target), [&](std::string key, std::uint64_t digest, RowPlace place) {
            read_target.add({1, digest});
            differences.at_target(std::move(key), digest, std::move(place));
        });
        check_read(table, read_source, total(sums.source, ranges));
        check_read(table, read_target, total(sums.target, ranges));
        auto rows = differences.take();
        for (Difference& row : rows) {
            if (counts(table, row)) found.differences.push_back(std::move(row));
        }
        left = left.subspan(size);
    }
    for (const std::size_t range : left) found.unread_rows += rows_in(sums, range);
    return found;
}

}  // namespace pgsluice
