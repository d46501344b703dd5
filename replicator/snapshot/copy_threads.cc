#include "replicator/snapshot/copy_threads.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <string_view>

#include "rules/compiled_rules.h"
#include "sql/error.h"
#include "sql/quote.h"
#include "stream/arena.h"
#include "stream/failpoint.h"
#include "stream/format/copy_text.h"

namespace pgsluice {

namespace {

// Lines of COPY text as a table's rules leave them.
class RuledLines {
   public:
    explicit RuledLines(const SourceTable& table)
        : relation_(table.relation),
          rules_(table.rules != nullptr && !table.rules->passes_copy() ? table.rules.get() : nullptr) {}

    // With its newline, until the next call; empty for a row that is left out.
    std::string_view of(std::string_view row) {
        if (rules_ == nullptr) return row;
        arena_.clear();
        line_.clear();
        Change change;
        change.snapshot = true;
        change.relation = &relation_;
        change.new_row = parse_copy_line(take_copy_line(row), relation_.columns.size(), arena_);
        if (rules_->apply(change, arena_)) append_copy_line(line_, change.new_row);
        return line_;
    }

   private:
    const Relation& relation_;
    const rules::CompiledRules* rules_;  // null: they change nothing
    Arena arena_;
    std::string line_;
};

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
    std::string columns;
    for (const auto& column : table.relation.columns) {
        columns += (columns.empty() ? "" : ", ") + sql::quote_identifier(column.name);
    }
    const auto& part = table.parts[range.part];
    // Even a whole part is read by ctid: with plain scans disabled the planner might else walk an index.
    std::string where = fmt::format("ctid >= '({},0)'", range.first_page);
    if (range.end_page > 0) where += fmt::format(" AND ctid < '({},0)'", range.end_page);
    return fmt::format("COPY (SELECT {} FROM ONLY {} WHERE {}) TO STDOUT", columns,
                       sql::quote_qualified(part.schema, part.name), where);
}

bool copy_range(sql::Connection& connection, const SourceTable& table, const PageRange& range, std::size_t block_bytes,
                CopyQueue& queue, const std::stop_token& stop) {
    const auto& part = table.parts[range.part];
    auto rows = connection.copy_out(copy_statement(table, range), fmt::format("copy '{}.{}'", part.schema, part.name));
    const auto new_block = [&] { return CopiedBlock{range, queue.buffer(), 0, false}; };
    CopiedBlock block = new_block();
    RuledLines ruled(table);
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
