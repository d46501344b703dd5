// Where in a dump something is, for messages.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "sql/error.h"

namespace pgsluice::dump {

struct Place {
    std::string file;
    std::uint64_t line = 0;

    [[nodiscard]] std::string text() const { return fmt::format("{}:{}", file, line); }
};

// Where a table's columns or their types are not known.
inline constexpr const char* schema_hint =
    "Give a dump with the schema, or one of it before this one: --dump schema.sql --dump data.sql.";
inline constexpr const char* dump_hint = "Make the dump again with pg_dump, and do not edit it.";

// A stop Error. `reason` holds no value of a row.
inline Error refused(const Place& place, std::string_view reason, std::string hint = {}) {
    return stop_error(fmt::format("unable to read dump '{}': {}", place.text(), reason), std::move(hint));
}

}  // namespace pgsluice::dump
