// Names and patterns of tables, as --tables, --exclude-tables and the policies of workers take them. Pure text: knows
// no catalog.
//
//   orders            the table of that name in the default schema
//   shop.orders       in another schema
//   shop."a.b*"       a part in double quotes is taken as it is, "" standing for one quote
//   shop.order_*      '*' outside of quotes stands for any characters, also none
//   *.events_*        in any schema but PostgreSQL's own and ours
//
// Names are exact, not folded to lower case.
#pragma once

#include <string>
#include <string_view>

#include "stream/change.h"

namespace pgsluice {

// "shop.orders" -> {shop, orders}; '*' has no meaning in it. A usage Error when the text is no name.
QualifiedName parse_table_name(std::string_view text, std::string_view default_schema);

struct NamePattern {
    std::string text;
    bool wildcard = false;  // a '*' in `text` stands for any characters

    [[nodiscard]] bool matches(std::string_view name) const;
    // For SQL's LIKE, with its usual escape character.
    [[nodiscard]] std::string like() const;
    bool operator==(const NamePattern&) const = default;
};

struct TablePattern {
    NamePattern schema;
    NamePattern table;

    [[nodiscard]] bool wildcard() const { return schema.wildcard || table.wildcard; }
    // A schema that is not named exactly is none of PostgreSQL's own, nor ours.
    [[nodiscard]] bool matches(std::string_view in_schema, std::string_view name) const;
    // "shop.order_*"
    [[nodiscard]] std::string name() const { return schema.text + '.' + table.text; }
    bool operator==(const TablePattern&) const = default;
};
// A usage Error when the text is neither name nor pattern.
TablePattern parse_table_pattern(std::string_view text, std::string_view default_schema);

// As --tables takes exactly this table, for a shell: a part that is more than letters, digits and _ is in double
// quotes, and then the whole in single ones.
std::string shell_argument(const QualifiedName& table);

// pg_catalog, pg_toast, pg_temp_1, information_schema and pgsluice.
bool is_reserved_schema(std::string_view schema);

}  // namespace pgsluice
