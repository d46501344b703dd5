// Where values that rules hide were seen. Counts only: neither the value nor its row is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "cmd/leaks/needles.h"
#include "rules/values/value_type.h"

namespace pgsluice {

// How often what a rule writes to a column is by chance a value that is looked for.
struct Chance {
    std::size_t rows = 0;
    std::size_t hits = 0;
};
using ChanceByColumn = std::map<std::string, Chance>;  // of columns that rules write to, "public.users.name"

struct Leak {
    std::string hidden;  // "public.users.email", of the source
    std::string place;   // "target public.notes.doc"
    std::size_t values = 0;
    std::size_t rows = 0;
};

class Sightings {
   public:
    // What was seen in one column.
    class Place {
       private:
        friend class Sightings;
        struct Seen {
            std::size_t rows = 0;
            std::size_t makeable_rows = 0;  // with values that a fake may be only
            std::unordered_set<std::uint64_t> values;
            std::unordered_set<std::uint64_t> makeable;
        };
        std::string name_;
        const Chance* chance_ = nullptr;  // null: no rule writes to it
        std::size_t rows_ = 0;
        std::map<std::uint32_t, Seen> seen_;  // by the hidden column's number
    };

    Sightings(const Needles& needles, const ChanceByColumn& chances) : needles_(needles), chances_(chances) {}

    // The same for one name and end ("target", "stream") each time.
    Place& place(const std::string& end, const std::string& column);
    void look(Place& place, std::string_view value, rules::ValueType type);
    [[nodiscard]] std::vector<Leak> leaks() const;

   private:
    const Needles& needles_;
    const ChanceByColumn& chances_;
    std::map<std::string, Place> places_;
};

}  // namespace pgsluice
