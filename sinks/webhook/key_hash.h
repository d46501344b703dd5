// Which changes must stay in order with one another: those of one row, known by its key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sinks/lines/row_plan.h"
#include "stream/change.h"

namespace pgsluice {

class KeyHash {
   public:
    // Equal for all changes of a row. A table without a key to tell rows by has one hash. Nothing for a change that
    // must stay in order with everything: a truncate, a message, an update that changes the key, the first change of a
    // table after its key columns or their types changed: from then on its rows have other hashes.
    std::optional<std::uint64_t> of(const Change& change);

   private:
    struct Plan {
        explicit Plan(const Relation& relation);
        std::uint64_t table;
        std::vector<std::size_t> keys;  // column numbers; empty: the table as a whole
        std::string key;                // their names and types
    };
    static std::optional<std::uint64_t> of_row(const Plan& plan, Row row);

    // Whether the table's rows had other hashes before.
    bool is_new_key(const Plan& plan);

    PerRelation<Plan> plans_;
    std::unordered_map<std::uint64_t, std::string> newest_;  // key, by table
    const Plan* last_ = nullptr;
};

}  // namespace pgsluice
