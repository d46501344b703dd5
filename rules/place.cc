#include "rules/place.h"

#include <fmt/format.h>

namespace pgsluice::rules {

std::string Place::text() const {
    const std::string where = line > 0 ? fmt::format("{}:{}", file, line) : file;
    if (table.empty()) return fmt::format("'{}'", where);
    std::string what = rule > 0 ? fmt::format("rule {} of table '{}'", rule, table) : fmt::format("table '{}'", table);
    if (!column.empty()) what += fmt::format(", column '{}'", column);
    return fmt::format("{} ({})", what, where);
}

Error refuse(const Place& place, std::string_view reason, std::string hint) {
    return usage_error(fmt::format("unable to use {}: {}", place.text(), reason), std::move(hint));
}

}  // namespace pgsluice::rules
