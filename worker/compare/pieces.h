// Cuts the tables of one end into page ranges; of a sample, ranges that an index finds are pieces. Not for two threads
// at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "worker/compare/statements.h"
#include "worker/compare/table.h"

namespace pgsluice {

struct Piece {
    std::size_t table = 0;
    std::size_t store = 0;  // of the table, at this end
    Part part;
    std::uint64_t size = 0;  // in pages
};

// Whether only what is compared of it is read.
inline bool reads_ranges(const ComparedTable& table) { return !table.sample.empty() && finds_ranges(table); }
inline std::uint64_t pages_of_range(const ComparedTable& table, const RowStore& store) {
    return store.pages / table.ranges + 1;
}
inline std::uint64_t pages_to_read(const ComparedTable& table, const RowStore& store) {
    return reads_ranges(table) ? table.sample.size() * pages_of_range(table, store) : store.pages;
}

// So many pages are read by one statement. With a limit, about a tenth of a second's rows.
inline std::uint64_t piece_pages(std::uint64_t rows_per_second) {
    constexpr std::uint64_t most = 2048;
    constexpr std::uint64_t usual_rows_per_page = 60;
    if (rows_per_second == 0) return most;
    return std::clamp<std::uint64_t>(rows_per_second / 10 / usual_rows_per_page, 1, most);
}

class Pieces {
   public:
    Pieces(std::span<const ComparedTable> tables, std::vector<RowStore> ComparedTable::*stores, std::uint64_t pages)
        : tables_(tables), stores_(stores), pages_(pages) {}

    // In their order; a store without pages has one, too.
    std::optional<Piece> take() {
        for (; table_ < tables_.size(); ++table_, store_ = 0) {
            const ComparedTable& table = tables_[table_];
            const auto& stores = table.*stores_;
            for (; store_ < stores.size(); ++store_, page_ = range_ = 0) {
                const RowStore& store = stores[store_];
                if (!reads_ranges(table)) {
                    if (page_ == 0 || page_ < store.pages) return cut(store.pages);
                } else if (range_ < table.sample.size()) {
                    return Piece{table_, store_, table.sample[range_++], pages_of_range(table, store)};
                }
            }
        }
        return std::nullopt;
    }

   private:
    // The last piece is open-ended: the table may have grown.
    Piece cut(std::uint64_t end_page) {
        const std::uint64_t end = page_ + pages_;
        const Pages pages{page_, end < end_page ? end : 0};
        const Piece piece{table_, store_, pages, std::min(end, end_page) - page_};
        page_ = end;
        return piece;
    }

    std::span<const ComparedTable> tables_;
    std::vector<RowStore> ComparedTable::*stores_;
    std::uint64_t pages_;
    std::size_t table_ = 0;
    std::size_t store_ = 0;
    std::uint64_t page_ = 0;
    std::size_t range_ = 0;  // in the sample
};

}  // namespace pgsluice
