// Which changes must stay in order with one another: those of one row, known by its key.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sinks/row_plan.h"
#include "stream/change.h"

namespace pgsluice {

class KeyHash {
   public:
    // Equal for all changes of a row. A table without a key to tell rows by has one hash. Nothing for a change that
    // must stay in order with everything: a truncate, a message, an update that changes the key.
    std::optional<std::uint64_t> of(const Change& change);

   private:
    struct Plan {
        explicit Plan(const Relation& relation);
        std::uint64_t table;
        std::vector<std::size_t> keys;  // column numbers; empty: the table as a whole
    };
    static std::optional<std::uint64_t> of_row(const Plan& plan, Row row);

    PerRelation<Plan> plans_;
};

}  // namespace pgsluice
