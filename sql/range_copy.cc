#include "sql/range_copy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sql/quote.h"

namespace pgsluice::sql {

std::string lock_statement(std::span<const std::string> places) {
    return fmt::format("LOCK TABLE {} IN ACCESS SHARE MODE", fmt::join(places, ", "));
}

std::string copy_range_statement(std::span<const std::string_view> columns, std::string_view schema,
                                 std::string_view table, const PageRange& range) {
    std::string list;
    for (const std::string_view column : columns) list += (list.empty() ? "" : ", ") + quote_identifier(column);
    const std::string name = quote_qualified(schema, table);
    if (range.first_page == 0 && range.end_page == 0)
        return list.empty() ? fmt::format("COPY {} TO STDOUT", name)
                            : fmt::format("COPY {} ({}) TO STDOUT", name, list);
    std::string where = fmt::format("ctid >= '({},0)'", range.first_page);
    if (range.end_page > 0) where += fmt::format(" AND ctid < '({},0)'", range.end_page);
    return fmt::format("COPY (SELECT {} FROM ONLY {} WHERE {}) TO STDOUT", list, name, where);
}

}  // namespace pgsluice::sql
