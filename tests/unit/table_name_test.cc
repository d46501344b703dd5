#include <doctest/doctest.h>

#include "sql/error.h"
#include "stream/table_pattern.h"

using pgsluice::Error;
using pgsluice::parse_table_name;
using pgsluice::QualifiedName;

TEST_CASE("a name without a schema takes the default one") {
    CHECK(parse_table_name("orders", "shop") == QualifiedName{"shop", "orders"});
    CHECK(parse_table_name("Order", "public") == QualifiedName{"public", "Order"});
    CHECK(parse_table_name("ü", "public") == QualifiedName{"public", "ü"});
}

TEST_CASE("a qualified name says its schema") {
    CHECK(parse_table_name("sales.orders", "shop") == QualifiedName{"sales", "orders"});
    CHECK(parse_table_name("\"a.b\".\"c\"\"d\"", "shop") == QualifiedName{"a.b", "c\"d"});
    CHECK(parse_table_name("sales.\"a.b\"", "shop") == QualifiedName{"sales", "a.b"});
    CHECK(parse_table_name("\"a.b\"", "shop") == QualifiedName{"shop", "a.b"});
}

TEST_CASE("what is not a name is a usage error") {
    for (const char* text : {"", ".", "a.", ".b", "a.b.c", "\"a", "\"a\"b", "a.\"b\"c", "\"\""}) {
        CAPTURE(text);
        try {
            parse_table_name(text, "public");
            FAIL_CHECK("accepted");
        } catch (const Error& error) {
            CHECK(error.action() == pgsluice::Action::usage);
        }
    }
}
