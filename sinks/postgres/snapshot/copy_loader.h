// Loads a snapshot's blocks over several connections, each block exactly once.
//
// A loader's transaction (table_loader.h) holds the COPY of several blocks of one table. The order of blocks does not
// matter: they are disjoint stretches of the tables. But two loaders that both write a range's neighbouring keys fight
// for the same pages of the target's indexes, so each keeps to a page range of its own while it can.
//
// Threads: one per connection. add() and the rest are called by the sink's thread; add() blocks while too many bytes
// wait, which is the backpressure.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <thread>
#include <vector>

#include "sinks/dead_letters.h"
#include "sinks/options.h"
#include "sinks/postgres/snapshot/table_loader.h"
#include "sinks/sink.h"

namespace pgsluice {

class CopyLoader {
   public:
    static constexpr std::size_t max_waiting_bytes = 48U << 20;  // blocks not committed yet
    static constexpr std::size_t max_copy_bytes = 16U << 20;     // of one transaction

    // With `dead_letters`, rows the target will not take are parked there, by one thread at a time. add() and
    // await_loaded() call `tell` several times a second while they wait.
    CopyLoader(const PostgresSinkOptions& options, TargetOrigins& origins, const PostgresProgress& progress,
               std::uint64_t epoch, std::set<Oid> kept, std::stop_token stop, DeadLetters* dead_letters,
               std::function<void()> tell);
    ~CopyLoader();

    // A retry or stop Error of a loader comes out of the next call.
    void add(const CopyBlock& block, std::shared_ptr<const TargetMapping> mapping);
    // Returns when everything added is committed.
    void await_loaded();
    // Throws what a loader failed with.
    void check();
    // The first block that is not committed yet; nothing when all are.
    std::optional<StreamSeq> first_outstanding();

   private:
    struct Work {
        CopyBlock block;
        std::shared_ptr<const TargetMapping> mapping;
    };
    struct Loader;

    void check_locked();
    template <typename Ready>
    void wait(std::unique_lock<std::mutex>& lock, Ready ready);
    void run() noexcept;
    void load_next(Loader& loader);
    void commit(Loader& loader, const std::vector<Work>& works);
    // Copies blocks of one table as they come, within a transaction's limit; what it took is in `works`, also when it
    // throws.
    void load_together(Loader& loader, Work first, std::vector<Work>& works);
    // The same blocks again, each under a savepoint, halving what fails down to the rows that do.
    void load_apart(Loader& loader, const std::vector<Work>& works);
    void load_lines(Loader& loader, const Work& work, std::string_view lines, std::size_t first_line);
    void park(Loader& loader, const Work& work, std::string_view line, std::size_t number, const Error& error);
    // The next block, of the range that `loader` had if there is one, else of the one with the most waiting bytes;
    // nothing when it is time to end.
    std::optional<Work> take(Loader& loader);
    // One more of this table, waiting a moment for it unless there is other work.
    std::optional<Work> take_more(Loader& loader);
    std::optional<Work> pop(Loader& loader, const TargetMapping* mapping);
    void committed(const std::vector<Work>& works);

    const PostgresSinkOptions& options_;
    const LoadedSnapshot snapshot_;
    DeadLetters* dead_letters_;
    const std::function<void()> tell_;
    std::mutex parking_;
    std::stop_source stop_;
    std::stop_callback<std::function<void()>> outer_stop_;

    std::mutex mutex_;
    std::condition_variable_any work_;  // loaders wait here
    std::condition_variable_any room_;  // the sink's thread waits here
    struct Range {
        const TargetMapping* mapping = nullptr;
        std::uint64_t first_page = 0;
        auto operator<=>(const Range&) const = default;
    };
    struct Waiting {
        std::deque<Work> works;
        std::size_t bytes = 0;
    };
    std::map<Range, Waiting> waiting_;
    std::multiset<Range> held_;            // the loaders' ranges
    std::set<std::uint64_t> outstanding_;  // first sequences not committed
    std::size_t bytes_ = 0;                // of these
    bool finishing_ = false;
    std::exception_ptr failure_;
    std::vector<std::jthread> threads_;
};

}  // namespace pgsluice
