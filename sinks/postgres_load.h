// Loads a snapshot's blocks over several connections, each block exactly once.
//
// A loader's transaction holds the COPY of several blocks of one table and the record of which these were
// (pgsluice.loaded), fenced by the owner's token: all of it is there after a crash, or nothing. The order of blocks
// does not matter: they are disjoint stretches of the tables.
//
// Threads: one per connection. add() and the rest are called by the sink's thread; add() blocks while too many bytes
// wait, which is the backpressure.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <thread>
#include <vector>

#include "sinks/options.h"
#include "sinks/postgres_plan.h"
#include "sinks/postgres_progress.h"
#include "sinks/sink.h"

namespace pgsluice {

class PostgresLoader {
   public:
    static constexpr std::size_t max_waiting_bytes = 48U << 20;  // blocks not committed yet
    static constexpr std::size_t max_copy_bytes = 16U << 20;     // of one transaction

    PostgresLoader(const PostgresSinkOptions& options, const PostgresProgress& progress, std::uint64_t epoch,
                   std::stop_token stop);
    ~PostgresLoader();

    // A retry or stop Error of a loader comes out of the next call.
    void add(const CopyBlock& block, std::shared_ptr<const PostgresPlan> plan);
    // Returns when everything added is committed.
    void drain();
    // Throws what a loader failed with.
    void check();
    // The first block that is not committed yet; nothing when all are.
    std::optional<StreamSeq> first_outstanding();

   private:
    struct Work {
        CopyBlock block;
        std::shared_ptr<const PostgresPlan> plan;
    };
    struct Loader;

    void check_locked();
    void run() noexcept;
    void load_next(Loader& loader);
    // The next block of the table with the most waiting bytes; nothing when it is time to end.
    std::optional<Work> take();
    // One more of this plan, waiting a moment for it unless there is other work.
    std::optional<Work> take_more(const PostgresPlan* plan);
    std::optional<Work> pop(const PostgresPlan* plan);
    void committed(const std::vector<Work>& works);

    const PostgresSinkOptions& options_;
    const PostgresProgress& progress_;
    const std::uint64_t epoch_;
    std::stop_source stop_;
    std::stop_callback<std::function<void()>> outer_stop_;

    std::mutex mutex_;
    std::condition_variable_any work_;  // loaders wait here
    std::condition_variable_any room_;  // the sink's thread waits here
    struct Waiting {
        std::deque<Work> works;
        std::size_t bytes = 0;
    };
    std::map<const PostgresPlan*, Waiting> waiting_;
    std::set<std::uint64_t> outstanding_;  // first sequences not committed
    std::size_t bytes_ = 0;                // of these
    bool draining_ = false;
    std::exception_ptr failure_;
    std::vector<std::jthread> threads_;
};

}  // namespace pgsluice
