#include "sinks/ddl/object_commands.h"

#include <fmt/format.h>

#include <utility>

#include "sql/quote.h"

namespace pgsluice {

std::string comment_text(const std::string& comment) { return comment.empty() ? "NULL" : sql::quote_literal(comment); }

DerivedStatement on_table(const TableDefinition& table, DdlKind kind, std::string text) {
    DerivedStatement statement{kind, std::move(text), fmt::format("table '{}.{}'", table.schema, table.name)};
    statement.table = {table.schema, table.name};
    return statement;
}

DerivedStatement owner_statement(const std::string& what, const std::string& role, std::string object) {
    DerivedStatement statement{DdlKind::owner, fmt::format("ALTER {} OWNER TO {}", what, sql::quote_identifier(role)),
                               std::move(object)};
    statement.condition =
        fmt::format("EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {})", sql::quote_literal(role));
    statement.otherwise = "the target has no such role";
    return statement;
}

}  // namespace pgsluice
