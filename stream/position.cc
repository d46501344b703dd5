#include "stream/position.h"

#include <fmt/format.h>

#include <charconv>

namespace pgsluice {

std::string to_string(Position position) { return fmt::format("{}:{}", to_string(position.commit), position.ordinal); }

std::optional<Position> parse_position(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto commit = parse_lsn(text.substr(0, colon));
    const auto digits = text.substr(colon + 1);
    std::uint64_t ordinal = 0;
    auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), ordinal);
    if (!commit || digits.empty() || error != std::errc{} || stop != digits.data() + digits.size()) return std::nullopt;
    return Position{*commit, ordinal};
}

}  // namespace pgsluice
