// The threads that copy page ranges on the snapshot's connections into the queue.
#pragma once

#include <cstddef>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "replicator/snapshot/copy_queue.h"
#include "replicator/source/tables.h"
#include "sql/connection.h"
#include "sql/page_ranges.h"

namespace pgsluice {

// COPY of a page range, or of the whole part: copy_range_statement() (sql/range_copy.h).
std::string copy_statement(const SourceTable& table, const PageRange& range);

// Copies one range; false when asked to stop. A row larger than a block goes alone.
bool copy_range(sql::Connection& connection, const SourceTable& table, const PageRange& range, std::size_t block_bytes,
                CopyQueue& queue, const std::stop_token& stop);

// One thread for each connection. Destroyed, it stops and joins them. `stop` must be the connections' own token's
// source, so that a thread in the middle of a COPY is woken.
class CopyThreads {
   public:
    CopyThreads(std::span<sql::Connection> connections, std::span<const SourceTable> tables, RangeQueue& ranges,
                CopyQueue& queue, std::size_t block_bytes, std::stop_source stop);
    CopyThreads(const CopyThreads&) = delete;
    CopyThreads& operator=(const CopyThreads&) = delete;
    ~CopyThreads();

   private:
    std::stop_source stop_;
    std::vector<std::thread> threads_;
};

}  // namespace pgsluice
