#include "worker/compare/scan.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "worker/compare/pace.h"
#include "worker/compare/pieces.h"
#include "worker/compare/reader.h"

namespace pgsluice {

namespace {

class Scan {
   public:
    Scan(std::span<const ComparedTable> tables, const CompareOptions& options, const std::stop_token& stop)
        : tables_(tables),
          stop_(stop),
          source_{&ComparedTable::source, Pieces(tables, &ComparedTable::source, piece_pages(options.rows_per_second)),
                  Pace(options.rows_per_second), &TableSums::source},
          target_{&ComparedTable::target, Pieces(tables, &ComparedTable::target, piece_pages(options.rows_per_second)),
                  Pace(options.rows_per_second), &TableSums::target} {
        for (const ComparedTable& table : tables) {
            sums_.push_back({std::vector<RangeSum>(table.ranges), std::vector<RangeSum>(table.ranges)});
            ComparedSoFar& so_far = progress_.tables.emplace_back();
            so_far.name = table.name();
            for (const auto& store : table.source) so_far.pages += pages_to_read(table, store);
            for (const auto& store : table.target) so_far.pages += pages_to_read(table, store);
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
        std::vector<RowStore> ComparedTable::*stores;
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
                const ComparedTable& table = tables_[piece->table];
                std::vector<RangeSum> sums(table.ranges);
                const auto rows = reader.sums(table, (table.*end.stores)[piece->store], piece->part, sums);
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
