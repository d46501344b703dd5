// What values and names look like: what is meant, and what is near it and is not.
#include "rules/personal/looks.h"

#include <doctest/doctest.h>

#include "rules/personal/column_names.h"
#include "rules/personal/value_tally.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules;
using namespace pgsluice::rules_test;

namespace {

struct Look {
    const char* name;
    bool (*looks)(std::string_view);
    std::vector<std::string_view> yes;
    std::vector<std::string_view> no;
};

const std::vector<Look> looks{
    {"email",
     is_email,
     {"a@b.io", "Frieda.Keller+x@mail.corp.example", "müller@example.com"},
     {"", "@", "a@b", "@example.com", "a b@example.com", "a@example.c", "a@ex..com", "https://user@host/x"}},
    {"phone",
     is_phone,
     {"+49 30 901820", "+4930901820", "0049 30 901820", "(555) 123-4567", "555-123-4567", "030 901820", "030/901820"},
     {"2024-01-02", "01/02/2024", "01-02-2024", "0-306-40615-2", "12345678", "3.1415926", "10.0.0.1", "1.000.000",
      "00000001", "12 34 56 78"}},
    {"ip",
     is_ip,
     {"203.0.113.7", "2001:db8::1", "1:2:3:4:5:6:7:8"},
     {"1.2.3", "256.1.1.1", "1.2.3.4.5", "12:30:15", "::", "a:b"}},
    {"mac",
     is_mac,
     {"08:00:2b:01:02:03", "08-00-2B-01-02-03"},
     {"08:00:2b:01:02", "08:00-2b:01:02:03", "zz:00:2b:01:02:03"}},
    {"ssn", is_ssn, {"078-05-1120"}, {"000-05-1120", "978-05-1120", "078-00-1120", "078051120", "078-051-120"}},
    {"card",
     is_card,
     {"4111111111111111", "4111 1111 1111 1111", "5500-0000-0000-0004", "340000000000009"},
     {"4111111111111112", "1111111111111117", "411111111111", "2024-01-02 10:00:00", ""}},
    {"iban",
     is_iban,
     {"DE89370400440532013000", "FR14 2004 1010 0505 0001 3M02 606"},
     {"DE89370400440532013001", "ABCDEFGHIJKLMNOP", "12345678901234567890"}},
    {"street",
     is_street,
     {"12 High Street", "Lindenallee 7", "5 Rue Neuve", "Hauptstr. 12"},
     {"Street", "a way to go", "1200 units", "version 12"}},
    {"full name", is_full_name, {"Jason Hansen", "Hansen, Jason"}, {"Blue Harbour", "Jason", "Silver Birch Analytics"}},
};

PersonalKind kind_of(const std::string& table, const std::string& name, ColumnType type = text_type) {
    return kind_by_name(*relation(table, {column(name, type)}), column(name, type));
}

ValueFinding tally(const std::vector<std::string>& values) {
    ValueTally tally;
    for (const std::string& value : values) tally.add(value);
    return tally.finding();
}

}  // namespace

TEST_CASE("values look like what they are, and like nothing else") {
    for (const Look& look : looks) {
        CAPTURE(look.name);
        for (const std::string_view text : look.yes) CHECK_MESSAGE(look.looks(text), text);
        for (const std::string_view text : look.no) CHECK_MESSAGE(!look.looks(text), text);
    }
}

TEST_CASE("an e-mail address is found within a text") {
    CHECK(holds_email("please write to anna@example.com, not here"));
    CHECK(holds_email("<anna@example.com>."));
    CHECK_FALSE(holds_email("3 @ 4.50, please"));
    CHECK_FALSE(holds_email("see @anna"));
}

TEST_CASE("names of columns say what they hold, in four languages and any spelling") {
    using enum PersonalKind;
    const std::vector<std::pair<const char*, PersonalKind>> names{
        {"email", email},
        {"E_Mail", email},
        {"contactEmailAddress", email},
        {"first_name", first_name},
        {"firstName", first_name},
        {"vorname", first_name},
        {"prenom", first_name},
        {"surname", last_name},
        {"apellidos", last_name},
        {"mobile_phone", phone},
        {"telefon", phone},
        {"date_of_birth", birth},
        {"dob", birth},
        {"geburtsdatum", birth},
        {"ssn", ssn},
        {"iban", iban},
        {"card_number", card},
        {"passport_no", id_number},
        {"password_hash", secret},
        {"api_key", secret},
        {"emails", email},
        {"billingAddresses", address},
        {"street_address", address},
        {"full_name", name},
        {"user_agent", user_agent},
        {"lastLoginIP", ip},
        {"notes", note},
        {"religion", sensitive},
        {"longitude", place},
    };
    for (const auto& name_and_kind : names) {
        const auto& text = name_and_kind.first;
        const auto& kind = name_and_kind.second;
        CAPTURE(text);
        const ColumnType type = kind == birth ? date_type : text_type;
        CHECK(kind_of("things", text, type) == kind);
    }
}

TEST_CASE("names near them say nothing") {
    for (const char* name : {"id",           "email_verified_at",
                             "email_count",  "has_phone",
                             "phone_type",   "is_active",
                             "created_at",   "status",
                             "name",         "title",
                             "file_name",    "price",
                             "sku",          "country",
                             "product_name", "plan",
                             "quantity",     "emailed",
                             "assigned",     "category",
                             "slug",         "currency",
                             "address_id",   "password_changed_at",
                             "city",         "zip",
                             "description",  "capital"}) {
        CAPTURE(name);
        CHECK(kind_of("products", name) == PersonalKind::none);
    }
    CHECK(kind_of("users", "phone", boolean_type) == PersonalKind::none);
    CHECK(kind_of("users", "email", timestamptz_type) == PersonalKind::none);
    CHECK(kind_of("users", "born", date_type) == PersonalKind::birth);
}

TEST_CASE("a name, a town and a postal code are personal in what is about persons") {
    for (const char* table : {"users", "customer_contacts", "employees", "Kunden"}) {
        CAPTURE(table);
        CHECK(kind_of(table, "name") == PersonalKind::name);
        CHECK(kind_of(table, "city") == PersonalKind::city);
        CHECK(kind_of(table, "zip") == PersonalKind::zip);
        CHECK(kind_of(table, "file_name") == PersonalKind::none);
    }
    CHECK(kind_of("orders", "shipping_city") == PersonalKind::city);
    CHECK(kind_of("warehouses", "city") == PersonalKind::none);
}

TEST_CASE("comments name a kind, or say that there is one") {
    CHECK(kind_by_comment("the customer's e-mail address") == PersonalKind::email);
    CHECK(kind_by_comment("PII, do not export") == PersonalKind::labelled);
    CHECK(kind_by_comment("rows per page") == PersonalKind::none);
}

TEST_CASE("a column's values count together") {
    CHECK(tally({"a@example.com", "b@example.com", "none"}).kind == PersonalKind::email);
    CHECK(tally({"see a@example.com about it", "nothing", "no"}).kind == PersonalKind::note);
    CHECK(tally({"2024-01-01", "2024-01-02"}).kind == PersonalKind::none);
    CHECK(tally({"1000000000000008", "4111111111111111", "1", "2"}).kind == PersonalKind::none);
    const ValueFinding twice = tally({"a@example.com", "a@example.com"});
    CHECK(twice.hits == 1);
    CHECK(twice.values == 1);
}
