// `pgsluice tables` and which tables `pgsluice resnapshot` means.
#include "cmd/commands/tables.h"

#include <doctest/doctest.h>

#include "sql/error.h"

using namespace pgsluice;

namespace {

TableRecord record(Oid oid, const char* schema, const char* table, TableState state) {
    TableRecord made;
    made.oid = made.delivered_oid = oid;
    made.name = made.delivered_as = {schema, table};
    made.state = state;
    made.lsn = Lsn{0x16B2D50};
    made.capture = "16500";
    return made;
}

std::map<Oid, TableRecord> some() {
    std::map<Oid, TableRecord> records;
    records[3] = record(3, "shop", "orders", TableState::copied);
    records[3].rows = 5000000;
    records[2] = record(2, "shop", "events_1", TableState::born_empty);
    records[2].delivered_as = {"shop", "events"};
    records[2].delivered_oid = 9;
    records[1] = record(1, "public", "t", TableState::left);
    records[1].reason = "dropped";
    return records;
}

GroupTables definitions() {
    Relation orders{3, "shop", "orders", ReplicaIdentity::default_key, {}};
    orders.columns.push_back({"id", 23, -1, true, "integer", 23, 0});
    orders.columns.push_back({"note", 25, -1, false, "text", 25, 0});
    orders.ancestors = {{"shop", "documents"}};
    return {{orders, {9, "shop", "events", ReplicaIdentity::full, {}}}, {}};
}

const LastChanges changes{{3, {Lsn{0x16B2E00}, 846'000'000'000'000}}};

std::set<Oid> asked(std::vector<std::string> tables, std::string schema = "public") {
    TableChoice choice;
    choice.tables = std::move(tables);
    choice.schema = std::move(schema);
    return tables_to_copy_again(some(), definitions(), choice);
}

}  // namespace

TEST_CASE("the tables of a group as text") {
    CHECK(
        tables_text(table_lines(some(), definitions(), changes)) ==
        "table          state       rows     as of      identity          published  last change\n"
        "public.t       left        -        0/16B2D50  -                 no         -                               "
        "dropped\n"
        "shop.events_1  born-empty  -        0/16B2D50  full              yes        -                               "
        "delivered as shop.events\n"
        "shop.orders    copied      5000000  0/16B2D50  primary key (id)  yes        0/16B2E00 2026-10-22T16:00:00Z\n");
}

TEST_CASE("the tables of a group as JSON") {
    CHECK(tables_json(table_lines(some(), definitions(), changes)) ==
          "[\n"
          R"({"oid":1,"schema":"public","table":"t","state":"left","lsn":"0/16B2D50","published":false,)"
          R"("reason":"dropped"},)"
          "\n"
          R"({"oid":2,"schema":"shop","table":"events_1","state":"born-empty","lsn":"0/16B2D50","identity":"full",)"
          R"("published":true,"delivered_schema":"shop","delivered_table":"events"},)"
          "\n"
          R"({"oid":3,"schema":"shop","table":"orders","state":"copied","rows":5000000,"lsn":"0/16B2D50",)"
          R"x("identity":"primary key (id)","published":true,)x"
          R"("last_change_lsn":"0/16B2E00","last_change_time":"2026-10-22T16:00:00Z"})"
          "\n]\n");
}

TEST_CASE("which tables are copied again") {
    CHECK(asked({"shop.orders"}) == std::set<Oid>{3});
    CHECK(asked({"orders"}, "shop") == std::set<Oid>{3});
    CHECK(asked({"shop.*"}) == std::set<Oid>{2, 3});
    CHECK(asked({"shop.events"}) == std::set<Oid>{2});
    CHECK(asked({"shop.documents"}) == std::set<Oid>{3});  // what inherits from it, or is its partition
    CHECK_THROWS_AS(asked({"orders"}), Error);
    CHECK_THROWS_AS(asked({"t"}), Error);
    CHECK_THROWS_AS(asked({"none*"}), Error);
}
