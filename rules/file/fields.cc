#include "rules/file/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace pgsluice::rules {

Fields::Fields(const Node& map, Place place, std::string_view what) : map_(map), place_(std::move(place)) {
    if (!map.is_map()) throw refuse(place_of(map), fmt::format("{} must be a map of keys to values", what));
}

Place Fields::place_of(const Node& node) const {
    Place place = place_;
    if (node.line > 0) place.line = node.line;
    return place;
}

const Node* Fields::take(std::string_view key) {
    known_.emplace_back(key);
    const auto found = std::find_if(map_.items.begin(), map_.items.end(), [&](const Node& n) { return n.key == key; });
    return found == map_.items.end() ? nullptr : &*found;
}

std::optional<std::string> Fields::text(std::string_view key) {
    const Node* node = take(key);
    if (node == nullptr) return std::nullopt;
    if (!node->is_scalar()) throw refuse(place_of(*node), fmt::format("'{}' must be a single value", key));
    return node->text;
}

std::string Fields::required_text(std::string_view key) {
    auto value = text(key);
    if (!value) throw refuse(place_, fmt::format("'{}' is missing", key));
    return *value;
}

bool read_flag(const Node& node, const Place& place) {
    const std::string& text = node.text;
    if (node.is_scalar() && (text == "true" || text == "yes" || text == "True" || text == "TRUE")) return true;
    if (node.is_scalar() && (text == "false" || text == "no" || text == "False" || text == "FALSE")) return false;
    throw refuse(place, fmt::format("'{}' must be true or false", node.key));
}

bool Fields::flag(std::string_view key, bool otherwise) {
    const Node* node = take(key);
    return node == nullptr ? otherwise : read_flag(*node, place_of(*node));
}

std::optional<int> Fields::number(std::string_view key, int least) {
    const Node* node = take(key);
    if (node == nullptr) return std::nullopt;
    int value = 0;
    const char* end = node->text.data() + node->text.size();
    const auto [stop, error] = std::from_chars(node->text.data(), end, value);
    if (!node->is_scalar() || error != std::errc{} || stop != end || value < least)
        throw refuse(place_of(*node), fmt::format("'{}' must be a whole number of at least {}", key, least));
    return value;
}

void Fields::expect_end() const {
    for (const Node& item : map_.items) {
        if (std::find(known_.begin(), known_.end(), item.key) != known_.end()) continue;
        throw refuse(place_of(item), fmt::format("unknown key '{}'", item.key),
                     fmt::format("Known keys here: {}.", fmt::join(known_, ", ")));
    }
}

}  // namespace pgsluice::rules
