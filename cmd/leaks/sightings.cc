#include "cmd/leaks/sightings.h"

#include <fmt/format.h>

#include <algorithm>

#include "cmd/leaks/texts.h"

namespace pgsluice {
namespace {

// Rows of a column that a rule writes to hold values of the lists, and numbers, by chance.
bool is_by_chance(std::size_t rows, std::size_t of_rows, const Chance& chance) {
    if (chance.rows == 0) return false;
    const double expected =
        static_cast<double>(of_rows) * static_cast<double>(chance.hits) / static_cast<double>(chance.rows);
    return static_cast<double>(rows) <= 3 * expected + 2;
}

}  // namespace

Sightings::Place& Sightings::place(const std::string& end, const std::string& column) {
    const std::string name = end + " " + column;
    Place& place = places_[name];
    place.name_ = name;
    const auto chance = chances_.find(column);
    place.chance_ = chance == chances_.end() ? nullptr : &chance->second;
    return place;
}

void Sightings::look(Place& place, std::string_view value, rules::ValueType type) {
    std::map<std::uint32_t, bool> met;  // hidden columns; whether by what a fake may be only
    ++place.rows_;
    each_text(value, type, true, [&](std::string_view text) {
        each_window(text, needles_.key(), [&](std::uint64_t hash) {
            const Needle* needle = needles_.find(hash);
            if (needle == nullptr) return;
            const bool makeable = needle->makeable && place.chance_ != nullptr;
            Place::Seen& seen = place.seen_[needle->column];
            (makeable ? seen.makeable : seen.values).insert(hash);
            const auto [entry, added] = met.emplace(needle->column, makeable);
            if (!added) entry->second = entry->second && makeable;
        });
    });
    for (const auto& [column, makeable] : met) {
        Place::Seen& seen = place.seen_[column];
        ++(makeable ? seen.makeable_rows : seen.rows);
    }
}

std::vector<Leak> Sightings::leaks() const {
    std::vector<Leak> leaks;
    for (const auto& [name, place] : places_)
        for (const auto& [column, seen] : place.seen_) {
            const bool chance =
                place.chance_ != nullptr && is_by_chance(seen.makeable_rows, place.rows_, *place.chance_);
            const std::size_t rows = seen.rows + (chance ? 0 : seen.makeable_rows);
            const std::size_t values = seen.values.size() + (chance ? 0 : seen.makeable.size());
            if (rows > 0) leaks.push_back({needles_.columns()[column].name, name, values, rows});
        }
    return leaks;
}

}  // namespace pgsluice
