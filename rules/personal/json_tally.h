// Counts what the values at each path within a column's JSON look like.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "rules/personal/inspection.h"
#include "rules/personal/value_tally.h"

namespace pgsluice::rules {

class JsonTally {
   public:
    void add(std::string_view json);
    // `about`: words of what the column is in, and its own. Names of members that may be data themselves are not said:
    // the finding is then of the whole value.
    [[nodiscard]] std::vector<Finding> findings(const std::vector<std::string>& about) const;

   private:
    struct Leaf {
        ValueTally values;
        std::size_t rows = 0;
        std::size_t last_row = 0;
    };
    std::map<std::string, Leaf, std::less<>> leaves_;  // by path
    std::size_t rows_ = 0;
    bool odd_names_ = false;
    bool too_many_ = false;
};

}  // namespace pgsluice::rules
