// How a target keeps the rows of a table where it is more than a copy of it: what a routing file says beside names.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pgsluice {

// Columns that a target with the history of its rows has beside those of the source.
struct HistoryColumns {
    std::string valid_from = "valid_from";
    std::string valid_to = "valid_to";
    std::string deleted = "deleted";
    std::string first;              // valid_from of rows of the first copy; empty: the time of the copy
    std::string open = "infinity";  // valid_to of what is valid now
    bool every_change = false;      // a version for each change, not one for each transaction

    bool operator==(const HistoryColumns&) const = default;
};

struct Keeping {
    enum class Mode : std::uint8_t {
        clone,
        append,   // no row is ever removed
        history,  // every version of a row stays, with the time from when to when it was valid
    };
    Mode mode = Mode::clone;
    // Values of the relation's first columns, the same in each of its rows. Others may fill the target's table as well:
    // what this worker removes are only rows with these values.
    std::vector<std::string> constants{};
    HistoryColumns history{};

    bool operator==(const Keeping&) const = default;
};

}  // namespace pgsluice
