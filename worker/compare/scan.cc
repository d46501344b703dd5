#include "worker/compare/scan.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "worker/compare/pace.h"
#include "worker/compare/reader.h"

namespace pgsluice {

namespace {

using Stores = std::vector<RowStore> ComparedTable::*;

struct Piece {
    std::size_t table = 0;
    const RowStore* store = nullptr;
    Pages pages;
    std::uint64_t size = 0;  // in pages
};

// Gentle reading is done in small pieces, each of about a tenth of a second.
std::uint64_t piece_pages(const CompareOptions& options) {
    constexpr std::uint64_t most = 2048;
    constexpr std::uint64_t rows_per_page = 60;
    if (options.rows_per_second == 0) return most;
    return std::clamp<std::uint64_t>(options.rows_per_second / 10 / rows_per_page, 1, most);
}

// Hands out the pieces of one end in their order.
class Pieces {
   public:
    Pieces(std::span<const ComparedTable> tables, Stores stores, std::uint64_t pages)
        : tables_(tables), stores_(stores), pages_(pages) {}

    std::optional<Piece> take() {
        for (; table_ < tables_.size(); ++table_, store_ = 0, page_ = 0) {
            const auto& stores = tables_[table_].*stores_;
            for (; store_ < stores.size(); ++store_, page_ = 0) {
                if (page_ != 0 && page_ >= stores[store_].pages) continue;
                return cut(stores[store_]);
            }
        }
        return std::nullopt;
    }

   private:
    // The last piece is open-ended: the table may have grown.
    Piece cut(const RowStore& store) {
        const std::uint64_t end = page_ + pages_;
        Piece piece{table_, &store, {page_, end < store.pages ? end : 0}, std::min(end, store.pages) - page_};
        page_ = end;
        return piece;
    }

    std::span<const ComparedTable> tables_;
    Stores stores_;
    std::uint64_t pages_;
    std::size_t table_ = 0;
    std::size_t store_ = 0;
    std::uint64_t page_ = 0;
};

class Scan {
   public:
    Scan(std::span<const ComparedTable> tables, const CompareOptions& options, const std::stop_token& stop)
        : tables_(tables),
          stop_(stop),
          source_{Pieces(tables, &ComparedTable::source, piece_pages(options)), Pace(options.rows_per_second),
                  &TableSums::source},
          target_{Pieces(tables, &ComparedTable::target, piece_pages(options)), Pace(options.rows_per_second),
                  &TableSums::target} {
        for (const ComparedTable& table : tables) {
            sums_.push_back({std::vector<RangeSum>(table.ranges), std::vector<RangeSum>(table.ranges)});
            ComparedSoFar& so_far = progress_.tables.emplace_back();
            so_far.name = table.name();
            for (const auto& store : table.source) so_far.pages += store.pages;
            for (const auto& store : table.target) so_far.pages += store.pages;
        }
    }

    std::vector<TableSums> run(BothEnds& ends, const OnCompareProgress& on_progress) {
        {
            std::vector<std::jthread> threads;
            for (auto& connection : ends.source) start(threads, connection, source_);
            for (auto& connection : ends.target) start(threads, connection, target_);
            watch(on_progress);
        }
        if (failure_) std::rethrow_exception(failure_);
        return std::move(sums_);
    }

   private:
    struct End {
        Pieces pieces;
        Pace pace;
        std::vector<RangeSum> TableSums::*sums;
    };

    void start(std::vector<std::jthread>& threads, sql::Connection& connection, End& end) {
        {
            const std::lock_guard lock(mutex_);
            ++running_;
        }
        threads.emplace_back([this, &connection, &end] { work(connection, end); });
    }

    void work(sql::Connection& connection, End& end) {
        try {
            connection.exec("SET LOCAL enable_seqscan = off");  // else a piece may be read by reading the whole table
            RowReader reader(connection);
            while (const auto piece = next(end)) {
                std::vector<RangeSum> sums(tables_[piece->table].ranges);
                const auto rows = reader.sums(tables_[piece->table], *piece->store, piece->pages, sums);
                done(*piece, end, sums, rows);
                end.pace.took(rows, stop_);
            }
            connection.exec("SET LOCAL enable_seqscan = on");
        } catch (...) {
            const std::lock_guard lock(mutex_);
            if (!failure_) failure_ = std::current_exception();
        }
        const std::lock_guard lock(mutex_);
        --running_;
        changed_.notify_all();
    }

    std::optional<Piece> next(End& end) {
        const std::lock_guard lock(mutex_);
        if (failure_) return std::nullopt;
        if (stop_.stop_requested()) throw Interrupted{};
        return end.pieces.take();
    }

    void done(const Piece& piece, const End& end, const std::vector<RangeSum>& sums, std::uint64_t rows) {
        const std::lock_guard lock(mutex_);
        auto& total = sums_[piece.table].*end.sums;
        for (std::size_t i = 0; i < sums.size(); ++i) total[i].add(sums[i]);
        progress_.tables[piece.table].pages_done += piece.size;
        progress_.tables[piece.table].rows += rows;
    }

    void watch(const OnCompareProgress& on_progress) {
        const auto begun = std::chrono::steady_clock::now();
        std::unique_lock lock(mutex_);
        while (!changed_.wait_for(lock, std::chrono::milliseconds(200), [this] { return running_ == 0; })) {
            progress_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
            if (on_progress) on_progress(progress_);
        }
        progress_.ended = true;
        if (on_progress) on_progress(progress_);
    }

    std::span<const ComparedTable> tables_;
    const std::stop_token& stop_;
    End source_;
    End target_;
    std::mutex mutex_;
    std::condition_variable changed_;
    int running_ = 0;
    std::exception_ptr failure_;
    std::vector<TableSums> sums_;
    CompareProgress progress_;
};

}  // namespace

std::vector<TableSums> scan_both_ends(std::span<const ComparedTable> tables, BothEnds& ends,
                                      const CompareOptions& options, const OnCompareProgress& on_progress,
                                      const std::stop_token& stop) {
    return Scan(tables, options, stop).run(ends, on_progress);
}

}  // namespace pgsluice
