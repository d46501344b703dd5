// composite: another transform for some fields of a row, by what the rule says they are; all others stay as they are.
#include <doctest/doctest.h>

#include "tests/support/text.h"
#include "tests/unit/transform_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;
using pgsluice::test::contains;

namespace {

constexpr ColumnType pair_type{16503, "public.pair"};

std::string made_by(const std::string& parameters, std::string_view value) {
    return std::string(OneTransform("composite", parameters, pair_type)(value));
}

}  // namespace

TEST_CASE("composite changes its fields and leaves the others as they are") {
    const std::string second = "field: 2, transform: {type: mask}";
    CHECK(made_by(second, R"((7,Keller,"a b"))") == R"((7,K****r,"a b"))");
    CHECK(made_by(second, R"((,"a,""b\\c",))") == R"((,a****c,))");
    CHECK(made_by(second, R"((7,"",x))") == R"((7,"",x))");
    CHECK(made_by(second, "(,,)") == "(,,)");
    CHECK(made_by("fields: [3, 1], transform: {type: constant, value: 'a \"b\\c'}", "(,x,y)") ==
          R"(("a ""b\\c",x,"a ""b\\c"))");
    for (const char* wrong : {"", "x", "(", "(a", "(a,b", "(a,b)x", "(a,\"b)", "(a,b\\", "(a)"})
        CHECK_MESSAGE(contains(error_of([&] { made_by(second, wrong); }), "unable to apply"), wrong);
    CHECK(contains(error_of([] { OneTransform("composite", "field: 1, transform: {type: mask}", text_type); }),
                   "it takes row types, but the column is text"));
}

TEST_CASE("composite: a field of another type than text is transformed as a column of its type is") {
    const std::string value = "(7,1984-05-06,t,12.50,83619427-5013-4642-8777-120450836194)";
    CHECK(made_by("field: 2, field_type: date, transform: {type: truncate_date}", value) ==
          "(7,1984-05-01,t,12.50,83619427-5013-4642-8777-120450836194)");
    CHECK(made_by("field: 1, field_type: smallint, transform: {type: constant, value: 0}", value) ==
          "(0,1984-05-06,t,12.50,83619427-5013-4642-8777-120450836194)");
    const auto in_row = [&](const std::string& field, const std::string& type, const std::string& transform) {
        const std::string row =
            made_by("field: " + field + ", field_type: " + type + ", transform: {" + transform + "}",
                    "(" + std::string(static_cast<std::size_t>(std::stoi(field) - 1), ',') +
                        (type == "date"      ? "1984-05-06"
                         : type == "integer" ? "42"
                                             : "t") +
                        ")");
        return row.substr(static_cast<std::size_t>(std::stoi(field)), row.size() - std::stoul(field) - 1);
    };
    CHECK(in_row("2", "date", "type: shift, days: 30") == OneTransform("shift", "days: 30", date_type)("1984-05-06"));
    CHECK(in_row("3", "integer", "type: encrypt_number") == OneTransform("encrypt_number", "", integer_type)("42"));
    CHECK(in_row("1", "boolean", "type: boolean") == OneTransform("boolean", "", boolean_type)("t"));
    CHECK(made_by("field: 1, field_type: date, transform: {type: shift, days: 3}", "(,x)") == "(,x)");
}

TEST_CASE("composite: arrays, JSON, hstore and rows within a row") {
    CHECK(made_by("field: 2, field_type: 'text[]', transform: {type: array, transform: {type: mask}}",
                  R"((7,"{Keller,""a b"",NULL}",x))") == R"((7,"{K****r,a*b,NULL}",x))");
    CHECK(made_by("field: 1, field_type: 'date[]', transform: {type: array, transform: {type: truncate_date}}",
                  R"(("{1984-05-06,2024-02-03}",x))") == R"(("{1984-05-01,2024-02-01}",x))");
    CHECK(made_by("field: 1, field_type: jsonb, transform: {type: json, path: $.a, transform: {type: mask}}",
                  R"(("{""a"": ""Keller""}",x))") == R"(("{""a"": ""K****r""}",x))");
    CHECK(made_by("field: 1, field_type: hstore, transform: {type: hstore, key: a, delete: true}",
                  R"(("""a""=>""1"", ""b""=>""2""",x))") == R"(("""b""=>""2""",x))");
    CHECK(made_by("field: 2, field_type: row, transform: {type: composite, field: 1, transform: {type: mask}}",
                  R"J((7,"(Keller,""a b"")",x))J") == R"J((7,"(K****r,""a b"")",x))J");
    CHECK(made_by("field: 2, field_type: row, transform: {type: composite, field: 2, field_type: date, transform: "
                  "{type: truncate_date, to: year}}",
                  R"J((7,"(Keller,1984-05-06)",x))J") == R"J((7,"(Keller,1984-01-01)",x))J");
}

TEST_CASE("composite: what the rule says of a field must be so, and fit its transform") {
    const auto refused = [](const std::string& parameters) {
        return error_of([&] { OneTransform("composite", parameters, pair_type); });
    };
    CHECK(contains(refused("field: 1, transform: {type: truncate_date}"),
                   "inside a row type it gets text: it takes date"));
    CHECK(contains(refused("field: 1, field_type: integer, transform: {type: mask}"),
                   "inside a row type it gets integer: it takes text"));
    CHECK(
        contains(refused("field: 1, field_type: 'text[]', transform: {type: mask}"), "it gets text[]: it takes text"));
    CHECK(contains(refused("field: 1, field_type: row, transform: {type: mask}"), "it gets row: it takes text"));
    CHECK(contains(refused("field: 1, field_type: mood, transform: {type: mask}"), "unknown type of a field 'mood'"));
    for (const char* type : {"date", "timestamp", "integer", "numeric", "'date[]'"}) {
        const std::string inner = contains(type, "[]") ? "{type: array, transform: {type: shift, days: 3}}"
                                  : contains(type, "date") || contains(type, "timestamp") ? "{type: shift, days: 3}"
                                                                                          : "{type: noise, percent: 5}";
        const std::string error = error_of(
            [&] { made_by(std::string("field: 1, field_type: ") + type + ", transform: " + inner, "(canary)"); });
        CHECK_MESSAGE(contains(error, "unable to apply rule"), type);
        CHECK_FALSE(contains(error, "canary"));
    }
}
