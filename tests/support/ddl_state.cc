#include "tests/support/ddl_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <regex>

#include "sql/connection.h"
#include "sql/quote.h"
#include "tests/support/read_file.h"

namespace pgsluice::test {

namespace {

// For psql, too: tests/support/catalog.sql has :'schemas'.
std::string of_schemas(const std::string& query, const std::string& schemas) {
    return std::regex_replace(query, std::regex(":'schemas'"), sql::quote_literal(schemas));
}

// Names are qualified: the search_path is empty.
std::string catalog(const std::string& schemas) {
    return of_schemas(read_file(PGSLUICE_SOURCE_DIR "/tests/support/catalog.sql"), schemas);
}

constexpr const char* columns_of_tables = R"(
SELECT c.oid::regclass::text,
    coalesce((SELECT string_agg(quote_ident(attname), ',' ORDER BY attname) FROM pg_attribute
              WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped), '')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname LIKE :'schemas' AND c.relkind = 'r'
ORDER BY 1)";

constexpr const char* tables_of =
    "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname LIKE "
    ":'schemas' AND c.relkind = 'r' ORDER BY 1";

std::string missing(const char* where, const std::vector<std::string>& all, const std::vector<std::string>& others) {
    std::string text;
    for (const std::string& line : all)
        if (std::find(others.begin(), others.end(), line) == others.end())
            text += fmt::format("\n  only on the {}: {}", where, line);
    return text;
}

}  // namespace

std::vector<std::string> ddl_tables(PostgresServer& server, const std::string& database, const std::string& schemas) {
    return server.rows(database, of_schemas(tables_of, schemas));
}

std::vector<std::string> ddl_state(PostgresServer& server, const std::string& database, const std::string& schemas) {
    std::vector<std::string> lines = server.rows(database, catalog(schemas));
    sql::Connection connection(server.connect(database));
    connection.exec("SET search_path = public");
    const auto columns = connection.exec(of_schemas(columns_of_tables, schemas));
    for (int table = 0; table < columns.rows(); ++table) {
        const std::string name(columns.get(table, 0).value());
        const auto rows = connection.exec(
            fmt::format("SELECT ROW({})::text FROM ONLY {} ORDER BY 1", columns.get(table, 1).value(), name));
        for (int row = 0; row < rows.rows(); ++row)
            lines.push_back(fmt::format("row of {}: {}", name, rows.get(row, 0).value()));
    }
    return lines;
}

std::vector<std::string> without_not_null(const std::vector<std::string>& lines) {
    static const std::regex of_table(
        R"(^constraint .* NOT NULL ("[^"]*"|\S+)( NO INHERIT)?( NOT VALID)? [tf] [tf] \d+)");
    static const std::regex of_domain(R"([^ ,]+ NOT NULL,| [^ ,]+ NOT NULL(?= |$))");
    std::vector<std::string> kept;
    for (const std::string& line : lines) {
        if (std::regex_search(line, of_table)) continue;
        kept.push_back(line.starts_with("type ") ? std::regex_replace(line, of_domain, "") : line);
    }
    return kept;
}

std::string ddl_difference(const std::vector<std::string>& source, const std::vector<std::string>& target) {
    std::string text = missing("source", source, target) + missing("target", target, source);
    if (text.empty() && source.size() != target.size()) text = "some lines are there twice";
    return text;
}

}  // namespace pgsluice::test
