#include "sinks/nats/subject_template.h"

#include <doctest/doctest.h>

#include "sql/error.h"

using namespace pgsluice;

TEST_CASE("names are put in") {
    CHECK(SubjectTemplate("cdc.{schema}.{table}.{op}", "shop").fill("public", "users", "insert") ==
          "cdc.public.users.insert");
    CHECK(SubjectTemplate("{group}-{table}", "shop").fill("public", "users", "insert") == "shop-users");
    CHECK(SubjectTemplate("all", "shop").fill("public", "users", "insert") == "all");
    CHECK(SubjectTemplate("{table}.of.{table}", "shop").fill("public", "users", "insert") == "users.of.users");
}

TEST_CASE("a name is one token, whatever it holds") {
    const SubjectTemplate subject("cdc.{schema}.{table}", "shop");
    CHECK(subject.fill("a.b", "c *>\t\nd", "") == "cdc.a_b.c_____d");
    CHECK(subject.fill("", "ü", "") == "cdc._.ü");
}

TEST_CASE("a name of the source leads to no subject of ours, nor of NATS") {
    const SubjectTemplate bare("{schema}.{table}.{op}", "shop");
    CHECK(bare.fill("pgsluices", "shop", "insert") == "pgsluices.shop.insert");
    for (const char* schema : {"pgsluice", "pgsluice-dlq", "$JS", "$KV", "$SYS", "$", "_INBOX", "_R_", "_GR_"}) {
        CAPTURE(schema);
        CHECK_THROWS_AS(static_cast<void>(bare.fill(schema, "shop", "insert")), Error);
        CHECK(SubjectTemplate("cdc.{schema}", "shop").fill(schema, "t", "") == "cdc." + std::string(schema));
    }
    CHECK_THROWS_AS(static_cast<void>(SubjectTemplate("pg{table}", "shop").fill("s", "sluice", "")), Error);
}

TEST_CASE("a name of the source leads to no subject that answers come to") {
    const SubjectTemplate bare("{schema}.{table}.{op}", "shop", "inbox.shop");
    CHECK_THROWS_AS(static_cast<void>(bare.fill("inbox", "shop", "insert")), Error);
    CHECK(bare.fill("inbox", "shops", "insert") == "inbox.shops.insert");
    CHECK(bare.fill("inbox", "s", "insert") == "inbox.s.insert");
    CHECK_THROWS_AS(SubjectTemplate("inbox.{group}.{table}", "shop", "inbox.shop"), Error);
    CHECK_THROWS_AS(SubjectTemplate("inbox.{group}", "shop", "inbox.shop"), Error);
}

TEST_CASE("what makes no subject, or one of ours, is refused") {
    for (const char* bad : {"", "cdc.{tabel}", "cdc.{table", "cdc..{table}", ".{table}", "{table}.", "cdc {table}",
                            "cdc.>", "cdc.*", "pgsluice.{group}.changes", "pgsluice-dlq.{group}", "$JS.API"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(SubjectTemplate(bad, "shop"), Error);
    }
}
