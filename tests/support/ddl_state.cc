#include "tests/support/ddl_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>

#include "sql/quote.h"

namespace pgsluice::test {

namespace {

std::string text_of_file(const char* path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

// Names are qualified: the search_path is empty.
std::string catalog(const std::string& schemas) {
    return std::regex_replace(text_of_file(PGSLUICE_SOURCE_DIR "/tests/support/catalog.sql"), std::regex(":'schemas'"),
                              sql::quote_literal(schemas));
}

constexpr const char* tables_of =
    "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname LIKE "
    "{} AND c.relkind = 'r' ORDER BY 1";

std::string missing(const char* where, const std::vector<std::string>& all, const std::vector<std::string>& others) {
    std::string text;
    for (const std::string& line : all)
        if (std::find(others.begin(), others.end(), line) == others.end())
            text += fmt::format("\n  only on the {}: {}", where, line);
    return text;
}

}  // namespace

std::vector<std::string> ddl_tables(PostgresServer& server, const std::string& database, const std::string& schemas) {
    return server.rows(database, fmt::format(fmt::runtime(tables_of), sql::quote_literal(schemas)));
}

std::vector<std::string> ddl_state(PostgresServer& server, const std::string& database, const std::string& schemas) {
    std::vector<std::string> lines = server.rows(database, catalog(schemas));
    for (const std::string& table : ddl_tables(server, database, schemas)) {
        const std::string columns = server.scalar(
            database,
            "SELECT coalesce(string_agg(quote_ident(attname), ',' ORDER BY attname), '1') FROM pg_attribute "
            "WHERE attnum > 0 AND NOT attisdropped AND attrelid = '" +
                table + "'::regclass");
        for (const std::string& row :
             server.rows(database, fmt::format("SELECT {} FROM ONLY {} ORDER BY 1", columns, table)))
            lines.push_back("row of " + table + ": " + row);
    }
    return lines;
}

std::string ddl_difference(const std::vector<std::string>& source, const std::vector<std::string>& target) {
    std::string text = missing("source", source, target) + missing("target", target, source);
    if (text.empty() && source.size() != target.size()) text = "some lines are there twice";
    return text;
}

}  // namespace pgsluice::test
