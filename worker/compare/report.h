// What a comparison found, and how that is written. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sql/lsn.h"
#include "worker/compare/converted_column.h"
#include "worker/compare/differences.h"

namespace pgsluice {

using OptionalText = std::optional<std::string>;  // nothing: NULL

struct ComparedValue {
    std::string column;
    OptionalText source;
    OptionalText target;
};

struct DifferentRow {
    Difference::Kind kind = Difference::Kind::missing;
    std::vector<std::string> key_columns;  // empty: the table has no key
    std::vector<OptionalText> key;
    std::string place;                  // of a row without a key: its ctid
    std::vector<ComparedValue> values;  // of a changed row, those that differ; else all
};

struct TableReport {
    std::string name;
    std::string left_out;  // why it was not compared; empty when it was
    bool sample = false;   // only some of its rows were compared, and count here
    std::uint64_t source_rows = 0;
    std::uint64_t target_rows = 0;
    std::uint64_t differences = 0;  // found
    std::uint64_t unread_rows = 0;  // more rows in ranges that differ, which were not looked at one by one
    std::uint64_t repaired = 0;
    std::vector<DifferentRow> rows;  // the first of them
    std::vector<ConvertedColumn> converted{};

    [[nodiscard]] bool equal() const noexcept { return left_out.empty() && differences == 0 && unread_rows == 0; }
};

struct CompareReport {
    Lsn lsn;
    std::string worker;
    double seconds = 0;
    std::vector<TableReport> tables;
    double sample_percent = 0;  // 0: all rows were compared

    [[nodiscard]] bool equal() const noexcept;
    // Every difference that was found was repaired, and all were found.
    [[nodiscard]] bool repaired() const noexcept;
};

// Keys are shown always, other values only with `show_values`.
std::string to_text(const CompareReport& report, bool show_values);
// One object and a newline.
std::string to_json(const CompareReport& report, bool show_values);

}  // namespace pgsluice
