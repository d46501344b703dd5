// Paths into JSON: $.name, ."quoted", ['name'], [3], [*], .* and ..name (at any depth). Several are followed at once.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rules/place.h"

namespace pgsluice::rules {

class JsonPaths {
   public:
    // A set of places reached on the paths, one bit for each.
    using States = std::uint64_t;

    // usage Error when it is not a path, or when all paths together have more than 64 steps.
    void add(std::string_view path, const Place& place);

    // At the document itself.
    [[nodiscard]] States start() const noexcept { return start_; }
    // Whether one of the paths ends here.
    [[nodiscard]] bool ends(States states) const noexcept { return (states & ends_) != 0; }
    [[nodiscard]] States member(States states, std::string_view name) const;
    [[nodiscard]] States element(States states, std::size_t index) const;
    // Those that look for a member: then they look into an array's elements, as in PostgreSQL's lax mode, but not into
    // those of an array within it.
    [[nodiscard]] States members(States states) const;
    // At a value that is no array: [0] and [*] are that value itself.
    [[nodiscard]] States no_array(States states) const;

   private:
    struct Step {
        enum class Kind { member, element, any, end } kind = Kind::end;
        std::string name;
        std::size_t index = 0;
        bool descend = false;       // matches at any depth below
        bool takes_single = false;  // [0] and [*]
    };
    class Parser;

    void push(Step step, const Place& place);
    // Of the lowest state.
    [[nodiscard]] const Step& step_at(States states) const {
        return steps_[static_cast<std::size_t>(std::countr_zero(states))];
    }
    template <typename Matches>
    States advance(States states, const Matches& matches) const;

    std::vector<Step> steps_;  // of all paths, each closed by an end
    States start_ = 0;
    States ends_ = 0;
};

}  // namespace pgsluice::rules
