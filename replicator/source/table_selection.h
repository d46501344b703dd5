// Which tables a group is to have: --tables, --schema, --schemas, --all-schemas and --exclude-tables together. Pure;
// replicator/source/tables.h finds the tables.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "replicator/options.h"
#include "stream/table_pattern.h"

namespace pgsluice {

struct TableSelection {
    std::vector<TablePattern> wanted;  // a whole schema is all names in it
    std::vector<TablePattern> excluded;

    // Whether a table of this name belongs to the group. What is excluded does not, even if it is named.
    [[nodiscard]] bool takes(std::string_view schema, std::string_view table) const;
    [[nodiscard]] bool excludes(std::string_view schema, std::string_view table) const;
    // Whether a name is wanted exactly, and not by a pattern.
    [[nodiscard]] bool names(std::string_view schema, std::string_view table) const;
    // Whether tables made later may come to belong to the group by a pattern or a whole schema.
    [[nodiscard]] bool open() const;
    // The same as takes(), of what open() is about, in SQL: over two expressions of type text or name.
    [[nodiscard]] std::string condition(std::string_view schema, std::string_view table) const;
};

// A usage Error for a name that is none.
TableSelection selection_of(const TableChoice& choice);

}  // namespace pgsluice
