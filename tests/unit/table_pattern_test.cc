#include "stream/table_pattern.h"

#include <doctest/doctest.h>

#include "replicator/source/table_selection.h"
#include "sql/error.h"

using namespace pgsluice;

namespace {

TablePattern pattern(std::string_view text) { return parse_table_pattern(text, "public"); }

bool matches(std::string_view text, std::string_view schema, std::string_view table) {
    return pattern(text).matches(schema, table);
}

}  // namespace

TEST_CASE("a name without a star is exact") {
    CHECK(matches("orders", "public", "orders"));
    CHECK_FALSE(matches("orders", "public", "Orders"));
    CHECK_FALSE(matches("orders", "shop", "orders"));
    CHECK(matches("shop.orders", "shop", "orders"));
    CHECK_FALSE(matches("a_b", "public", "axb"));
    CHECK_FALSE(matches("a%", "public", "ab"));
    CHECK_FALSE(pattern("shop.orders").wildcard());
}

TEST_CASE("a star in quotes is a star") {
    CHECK(matches("\"a*\"", "public", "a*"));
    CHECK_FALSE(matches("\"a*\"", "public", "ab"));
    CHECK(matches("\"s*\".x*", "s*", "xyz"));
    CHECK_FALSE(matches("\"s*\".x*", "st", "xyz"));
}

TEST_CASE("quotes in names") {
    CHECK(parse_table_name("\"\"\"\"", "public") == QualifiedName{"public", "\""});
    CHECK(parse_table_name("\"a\"\"b\"", "public") == QualifiedName{"public", "a\"b"});
    CHECK(parse_table_name("shop.\"a.b\"", "public") == QualifiedName{"shop", "a.b"});
    CHECK(parse_table_name("a*", "public") == QualifiedName{"public", "a*"});
    for (const char* wrong : {"", ".", "a.", ".a", "a.b.c", "\"a", "\"a\"b", "\"\"", "a.\"\""})
        CHECK_THROWS_AS(parse_table_pattern(wrong, "public"), Error);
}

TEST_CASE("a star matches any characters") {
    CHECK(matches("*", "public", "orders"));
    CHECK_FALSE(matches("*", "shop", "orders"));
    CHECK(matches("sales.*", "sales", "x"));
    CHECK(matches("*.events_*", "a", "events_"));
    CHECK(matches("*.events_*", "a", "events_2026"));
    CHECK_FALSE(matches("*.events_*", "a", "old_events_2026"));
    CHECK(matches("*a*b", "public", "aab"));
    CHECK(matches("*a*b", "public", "xaxbxb"));
    CHECK_FALSE(matches("*a*b", "public", "xaxbx"));
    CHECK(matches("a**b", "public", "ab"));
    CHECK(matches("*ü*", "public", "größe_üb"));
    CHECK_FALSE(matches("a*a", "public", "a"));
    CHECK(matches("a*a", "public", "aa"));
}

TEST_CASE("a star in the place of the schema leaves out PostgreSQL's own and ours") {
    for (const char* schema : {"pg_catalog", "pg_toast", "pg_temp_3", "information_schema", "pgsluice"}) {
        CHECK_FALSE(matches("*.*", schema, "t"));
        CHECK(pattern(std::string(schema) + ".*").matches(schema, "t"));
    }
    CHECK(matches("*.*", "pga", "t"));
}

TEST_CASE("a pattern for LIKE") {
    CHECK(pattern("a_b*").table.like() == "a\\_b%");
    CHECK(pattern("100%").table.like() == "100\\%");
    CHECK(pattern("\"a*\"").table.like() == "a*");
    CHECK(pattern("a\\b").table.like() == "a\\\\b");
}

TEST_CASE("what a group takes") {
    TableChoice options;
    CHECK(selection_of(options).takes("public", "t"));
    CHECK_FALSE(selection_of(options).takes("shop", "t"));
    CHECK(selection_of(options).open());

    options.schema = "shop";
    options.tables = {"t", "log.*"};
    options.exclude_tables = {"log.debug*", "t2"};
    auto selection = selection_of(options);
    CHECK(selection.takes("shop", "t"));
    CHECK(selection.names("shop", "t"));
    CHECK_FALSE(selection.takes("shop", "t2"));
    CHECK(selection.takes("log", "info"));
    CHECK_FALSE(selection.names("log", "info"));
    CHECK_FALSE(selection.takes("log", "debug_1"));
    CHECK(selection.open());

    options.tables = {"t"};
    CHECK_FALSE(selection_of(options).open());
    options.schemas = {"a", "b"};
    selection = selection_of(options);
    CHECK(selection.takes("a", "x"));
    CHECK(selection.takes("b", "x"));
    CHECK(selection.takes("shop", "t"));
    CHECK_FALSE(selection.takes("shop", "x"));
}

TEST_CASE("all schemas but one table") {
    TableChoice options;
    options.all_schemas = true;
    options.exclude_tables = {"audit.log"};
    const auto selection = selection_of(options);
    CHECK(selection.takes("any", "t"));
    CHECK_FALSE(selection.takes("audit", "log"));
    CHECK_FALSE(selection.takes("pg_catalog", "pg_class"));
}

TEST_CASE("a selection as a condition in SQL") {
    TableChoice options;
    options.tables = {"t"};
    CHECK(selection_of(options).condition("s", "t") == "false");
    options.tables = {"t", "it's.a_*"};
    options.exclude_tables = {"x"};
    CHECK(selection_of(options).condition("s", "t") ==
          "(s = 'it''s' AND t LIKE E'a\\\\_%') AND NOT (s = 'public' AND t = 'x')");
}

TEST_CASE("a name as a word of a shell, which is read back as that table alone") {
    CHECK(shell_argument({"public", "order_lines2"}) == "public.order_lines2");
    CHECK(shell_argument({"a.b", "it's \"*\""}) == R"('"a.b"."it'\''s ""*"""')");
    for (const QualifiedName& name : {QualifiedName{"s", "t"}, {"a.b", "x*"}, {"S", "\"q\" ü"}}) {
        std::string word = shell_argument(name);
        if (word.front() == '\'') word = word.substr(1, word.size() - 2);
        const TablePattern read = pattern(word);
        CHECK_FALSE(read.wildcard());
        CHECK(QualifiedName{read.schema.text, read.table.text} == name);
    }
}
