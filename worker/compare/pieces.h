// Cuts the tables of one end into page ranges. Not for two threads at a time.
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
    Pages pages;
    std::uint64_t size = 0;  // in pages
};

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
            const auto& stores = tables_[table_].*stores_;
            for (; store_ < stores.size(); ++store_, page_ = 0) {
                if (page_ == 0 || page_ < stores[store_].pages) return cut(stores[store_].pages);
            }
        }
        return std::nullopt;
    }

   private:
    // The last piece is open-ended: the table may have grown.
    Piece cut(std::uint64_t end_page) {
        const std::uint64_t end = page_ + pages_;
        const Piece piece{table_, store_, {page_, end < end_page ? end : 0}, std::min(end, end_page) - page_};
        page_ = end;
        return piece;
    }

    std::span<const ComparedTable> tables_;
    std::vector<RowStore> ComparedTable::*stores_;
    std::uint64_t pages_;
    std::size_t table_ = 0;
    std::size_t store_ = 0;
    std::uint64_t page_ = 0;
};

}  // namespace pgsluice
