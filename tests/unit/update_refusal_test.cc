#include "replicator/source/update_refusal.h"

#include <doctest/doctest.h>

#include <vector>

using namespace pgsluice;

namespace {

constexpr int postgres_17 = 170005;
constexpr int postgres_18 = 180000;

sql::CatalogTable table(char identity) { return {1, "shop", "Orders", 'r', 'p', identity}; }

sql::CatalogColumn column(const char* name, bool key, char generated = '\0', bool primary_key = false) {
    sql::CatalogColumn made;
    made.name = name;
    made.key = key;
    made.generated = generated;
    made.primary_key = primary_key;
    return made;
}

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a table without an identity refuses updates") {
    const std::vector columns{column("a", false)};
    CHECK(contains(update_refusal(table('d'), columns, postgres_17), "no replica identity"));
    CHECK(contains(update_refusal(table('n'), columns, postgres_18),
                   "run ALTER TABLE \"shop\".\"Orders\" REPLICA IDENTITY FULL"));
    CHECK(update_refusal(table('f'), {}, postgres_18).empty());
    CHECK(update_refusal(table('d'), std::vector{column("id", true)}, postgres_18).empty());
}

TEST_CASE("from PostgreSQL 18 on, a generated column in the identity refuses updates") {
    for (const char kind : {'s', 'v'}) {
        const std::vector full{column("id", true, '\0', true), column("twice", true, kind)};
        CHECK(update_refusal(table('f'), full, postgres_17).empty());
        const std::string text = update_refusal(table('f'), full, postgres_18);
        CHECK(contains(text, "the generated column 'twice'"));
        CHECK(contains(text, "run ALTER TABLE \"shop\".\"Orders\" REPLICA IDENTITY DEFAULT"));
    }
    const std::vector keyless{column("id", true), column("twice", true, 's')};
    CHECK(contains(update_refusal(table('f'), keyless, postgres_18), "USING INDEX"));
    const std::vector key{column("id", false), column("twice", true, 's', true)};
    CHECK(contains(update_refusal(table('d'), key, postgres_18), "USING INDEX"));
}

TEST_CASE("a generated column beside the identity is no obstacle") {
    const std::vector columns{column("id", true, '\0', true), column("twice", false, 's')};
    CHECK(update_refusal(table('d'), columns, postgres_18).empty());
}
