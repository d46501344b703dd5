// Which changes must stay in order with one another: those of one row, known by its key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "stream/change.h"
#include "stream/per_relation.h"

namespace pgsluice {

class KeyHash {
   public:
    // Equal for all changes of a row. A table without a key to tell rows by has one hash. Nothing for a change that
    // must stay in order with everything: a truncate, a message, an update that changes the key, the first change of a
    // table after its key columns or their types changed: from then on its rows have other hashes.
    std::optional<std::uint64_t> of(const Change& change);

   private:
    struct TableKey {
        explicit TableKey(const Relation& relation);
        std::uint64_t hash;                // of the table's name
        std::vector<std::size_t> columns;  // the key's; empty: the table as a whole
        std::string definition;            // names and types of these
    };
    static std::optional<std::uint64_t> of_row(const TableKey& table, Row row);

    // Whether the table's rows had other hashes before.
    bool is_new_key(const TableKey& table);

    PerRelation<TableKey> tables_;
    std::unordered_map<std::uint64_t, std::string> newest_;  // definition, by table
    const TableKey* last_ = nullptr;
};

}  // namespace pgsluice
