#include "replicator/snapshot/copy_threads.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <string_view>

#include "rules/ruled_lines.h"
#include "sql/error.h"
#include "sql/range_copy.h"
#include "stream/base/failpoint.h"

namespace pgsluice {

namespace {

void copy_ranges(sql::Connection& connection, std::span<const SourceTable> tables, RangeQueue& ranges, CopyQueue& queue,
                 std::size_t block_bytes, const std::stop_token& stop) {
    try {
        while (const auto range = ranges.take(stop)) {
            if (!copy_range(connection, tables[range->table], *range, block_bytes, queue, stop)) return;
            ranges.finished(*range);
        }
        if (!stop.stop_requested()) connection.exec("COMMIT");
    } catch (const Interrupted&) {  // whoever asked knows
    } catch (...) {
        queue.fail(std::current_exception());
    }
}

}  // namespace

std::string copy_statement(const SourceTable& table, const PageRange& range) {
    std::vector<std::string_view> columns;
    for (const auto& column : table.relation.columns) columns.push_back(column.name);
    const auto& part = table.parts[range.part];
    return sql::copy_range_statement(columns, part.schema, part.name, range);
}

bool copy_range(sql::Connection& connection, const SourceTable& table, const PageRange& range, std::size_t block_bytes,
                CopyQueue& queue, const std::stop_token& stop) {
    const auto& part = table.parts[range.part];
    auto rows = connection.copy_out(copy_statement(table, range), fmt::format("copy '{}.{}'", part.schema, part.name));
    const auto new_block = [&] { return CopiedBlock{range, queue.buffer(), 0, false}; };
    CopiedBlock block = new_block();
    rules::RuledLines ruled(table.relation, table.rules.get());
    while (const auto read = rows.next()) {
        const std::string_view row = ruled.of(*read);
        if (row.empty()) continue;
        if (!block.text.empty() && block.text.size() + row.size() > block_bytes) {
            if (!queue.push(std::move(block), stop)) return false;
            PGSLUICE_FAILPOINT("copy-block");
            block = new_block();
        }
        if (block.text.capacity() == 0) block.text.reserve(std::max(block_bytes, row.size()));
        block.text += row;
        ++block.rows;
    }
    block.last = true;
    return queue.push(std::move(block), stop);
}

CopyThreads::CopyThreads(std::span<sql::Connection> connections, std::span<const SourceTable> tables,
                         RangeQueue& ranges, CopyQueue& queue, std::size_t block_bytes, std::stop_source stop)
    : stop_(std::move(stop)) {
    for (auto& connection : connections) {
        threads_.emplace_back([&connection, tables, &ranges, &queue, block_bytes, token = stop_.get_token()] {
            copy_ranges(connection, tables, ranges, queue, block_bytes, token);
        });
    }
}

CopyThreads::~CopyThreads() {
    stop_.request_stop();
    for (auto& thread : threads_) thread.join();
}

}  // namespace pgsluice
