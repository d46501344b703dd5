// Loads a direct snapshot: each thread claims a page range, reads it from the source and writes it to the target as it
// comes, in a transaction that records the range. Unparsed, where no rule touches the table.
//
// Threads: one per connection to the source, with one to the target each. The rest is called by the sink's thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "sinks/loads_directly.h"
#include "sinks/postgres/snapshot/source_readers.h"
#include "sinks/postgres/snapshot/table_loader.h"
#include "sql/connection.h"
#include "sql/page_ranges.h"

namespace pgsluice {

// By their index in the snapshot; the mapping is null where a table is routed away.
struct DirectTarget {
    DirectTable table;
    std::shared_ptr<const TargetMapping> mapping;
};

class DirectLoad {
   public:
    // All ranges of the plan but those with these numbers, and those of tables that are routed away. `plan` must
    // outlive this.
    DirectLoad(LoadedSnapshot snapshot, const DirectPlan& plan, std::vector<DirectTarget> targets,
               const std::set<std::uint64_t>& loaded, SourceReaders readers);
    DirectLoad(const DirectLoad&) = delete;
    DirectLoad& operator=(const DirectLoad&) = delete;
    // Gives up what is under way.
    ~DirectLoad();

    // What was committed since the last call, waiting a moment for it. Throws what a thread failed with, and
    // Interrupted.
    std::vector<DirectRange> take_committed();
    // Whether all is committed and was taken.
    [[nodiscard]] bool complete() const noexcept { return left_ == 0; }

   private:
    using Place = std::pair<std::uint32_t, std::uint64_t>;  // a range's part and first page
    std::vector<PageRange> left(const std::set<std::uint64_t>& loaded);
    void run(sql::Connection& reader) noexcept;
    DirectRange load(sql::Connection& reader, TableLoader& loader, const PageRange& range);

    const LoadedSnapshot snapshot_;
    const DirectPlan& plan_;
    const std::vector<DirectTarget> targets_;
    std::map<Place, std::uint64_t> numbers_;  // of the ranges that are to be loaded
    RangeQueue ranges_;
    std::size_t left_;
    SourceReaders readers_;
    std::stop_source& stop_;

    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::vector<DirectRange> committed_;
    std::exception_ptr failure_;
    std::vector<std::jthread> threads_;  // last: they use all of the above
};

}  // namespace pgsluice
