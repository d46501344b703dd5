// A statement's parameters, collected in buffers that are used again: single values, each a text, or arrays of them
// with an element per row.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sinks/postgres/array.h"
#include "sinks/postgres/statements.h"
#include "sql/pipeline.h"

namespace pgsluice {

class StatementParameters {
   public:
    // What one statement over arrays takes.
    static constexpr std::size_t max_rows = 1000;
    static constexpr std::size_t max_bytes = 1U << 20;

    // Single values: begin, then add each.
    void begin();
    void add(const Value& value);  // an unchanged one is a std::logic_error
    void add(std::string_view text) { add(Value(text)); }
    // Values come from `row`, keys from `key_row`.
    void add_row(const Statement& statement, Row row, Row key_row);
    // The views are valid until the next begin() or collect().
    std::span<const sql::WireParam> values();

    // Arrays over as many of the rows as one statement takes; how many that were, 0 where one of their values does not
    // have the binary form that the statement wants. With `counted`, that number follows as a last parameter.
    std::size_t collect(const Statement& statement, std::span<const Row> rows);
    std::span<const sql::WireParam> arrays(const Statement& statement, bool counted);

   private:
    std::string texts_;                    // NUL-terminated values
    std::vector<std::ptrdiff_t> offsets_;  // into it; -1: NULL
    std::vector<BinaryArray> arrays_;
    std::string count_;
    std::vector<sql::WireParam> params_;
};

}  // namespace pgsluice
