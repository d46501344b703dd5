#include <doctest/doctest.h>

#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;

namespace {

std::shared_ptr<const CompiledRules> filter(ColumnType type, const std::string& op, const std::string& value) {
    std::string parameters = "operator: " + op;
    if (!value.empty()) parameters += ", value: " + value;
    return load("tables: {t: [{type: filter, column: c, parameters: {" + parameters + "}}]}")
        ->compile(relation("t", {column("c", type)}));
}

bool passes(ColumnType type, const Value& value, const std::string& op, const std::string& operand = {}) {
    const auto compiled = filter(type, op, operand);
    const RelationPtr table = relation("t", {column("c", type)});
    Arena arena;
    const Values row{value};
    Change change = insert(table, row);
    return compiled->apply(change, arena);
}

// -1, 0 or 1 as `value` is below, equal to or above `operand`, by all six operators.
int order(ColumnType type, const char* value, const std::string& operand) {
    CAPTURE(value);
    CAPTURE(operand);
    const auto holds = [&](const char* op) { return passes(type, text(value), op, "'" + operand + "'"); };
    const int found = holds("lt") ? -1 : holds("gt") ? 1 : 0;
    CHECK(holds("eq") == (found == 0));
    CHECK(holds("ne") == (found != 0));
    CHECK(holds("lte") == (found <= 0));
    CHECK(holds("gte") == (found >= 0));
    CHECK(passes(type, text(value), "in", "['" + operand + "']") == (found == 0));
    CHECK(passes(type, text(value), "not_in", "['" + operand + "']") == (found != 0));
    return found;
}

}  // namespace

TEST_CASE("numbers compare as numbers") {
    CHECK(order(integer_type, "9", "10") == -1);
    CHECK(order(integer_type, "-9", "-10") == 1);
    CHECK(order(integer_type, "18", "18.0") == 0);
    CHECK(order(bigint_type, "9007199254740993", "9007199254740992") == 1);
    CHECK(order(numeric_type, "0.10", "0.1") == 0);
    CHECK(order(numeric_type, "0.0", "-0") == 0);
    CHECK(order(numeric_type, "123456789012345678901234567890.1", "123456789012345678901234567890.10000001") == -1);
    CHECK(order(numeric_type, "0.00000000000000000000000000000000001", "0") == 1);
    CHECK(order(numeric_type, "100", "99.999") == 1);
    CHECK(order(numeric_type, "-0.002", "-0.01") == 1);
    CHECK(order(numeric_type, "NaN", "Infinity") == 1);
    CHECK(order(numeric_type, "NaN", "NaN") == 0);
    CHECK(order(numeric_type, "-Infinity", "-1e300") == -1);
    CHECK(order(numeric_type, "18", "18.0000000000000000000001") == -1);
    CHECK(order(numeric_type, "999999999999999999", "1000000000000000000") == -1);
    CHECK(order(numeric_type, "-999999999999999999", "-1000000000000000000") == 1);
    CHECK(order(numeric_type, "-0", "0.00") == 0);
    CHECK(order(numeric_type, "NaN", "5") == 1);
    CHECK(order(double_type, "1e+300", "1e299") == 1);
    CHECK(order(double_type, "1.5e-07", "0.00000015") == 0);
    CHECK(order(double_type, "0.1", "0.1") == 0);
    CHECK(order(double_type, "-1e-300", "0") == -1);
}

TEST_CASE("text compares by code point") {
    CHECK(order(text_type, "a", "b") == -1);
    CHECK(order(text_type, "Z", "a") == -1);
    CHECK(order(text_type, "é", "z") == 1);
    CHECK(order(text_type, "\xf0\x9f\x98\x80", "\xef\xbf\xbd") == 1);
    CHECK(order(text_type, "", "a") == -1);
    CHECK(order(text_type, "a ", "a") == 1);
    CHECK(order(char_type, "a   ", "a") == 0);
    CHECK(order(text_type, "10", "9") == -1);
}

TEST_CASE("booleans") {
    CHECK(order(boolean_type, "t", "true") == 0);
    CHECK(order(boolean_type, "f", "true") == -1);
    CHECK(order(boolean_type, "t", "off") == 1);
}

TEST_CASE("timestamps") {
    CHECK(order(timestamptz_type, "2024-06-01 12:00:00+02", "2024-06-01 10:00:00+00") == 0);
    CHECK(order(timestamptz_type, "2024-06-01 12:00:00+02", "2024-06-01T10:00:00Z") == 0);
    CHECK(order(timestamptz_type, "2024-06-01 00:30:00+05:30", "2024-05-31T19:00:00.000001Z") == -1);
    CHECK(order(timestamptz_type, "2024-01-01 00:00:00-03:30:15", "2024-01-01 03:30:15") == 0);
    CHECK(order(timestamptz_type, "infinity", "294276-12-31 23:59:59Z") == 1);
    CHECK(order(timestamptz_type, "-infinity", "4713-01-01 00:00:00+00 BC") == -1);
    CHECK(order(timestamptz_type, "0044-03-15 12:00:00+00 BC", "0044-03-14 12:00:00+00 BC") == 1);
    CHECK(order(timestamp_type, "0001-12-31 23:59:59 BC", "0001-01-01") == -1);
    CHECK(order(timestamp_type, "2024-02-29 00:00:00.1", "2024-02-29 00:00:00.09") == 1);
    CHECK(order(timestamp_type, "10000-01-01 00:00:00", "9999-12-31") == 1);
    CHECK(order(timestamp_type, "2024-01-01 00:00:00", "2024-01-01T00:00:00Z") == 0);
    CHECK(order(date_type, "2024-03-01", "2024-02-29") == 1);
    CHECK(order(date_type, "5874897-12-31", "2024-01-01") == 1);
    CHECK(order(date_type, "4713-01-01 BC", "0001-01-01 BC") == -1);
    CHECK(order(date_type, "infinity", "infinity") == 0);
}

TEST_CASE("times of the day") {
    CHECK(order(time_type, "23:59:59.999999", "24:00:00") == -1);
    CHECK(order(time_type, "08:00:00", "08:00") == 0);
    CHECK(order(timetz_type, "10:00:00+02", "08:30:00+00") == -1);
    CHECK(order(timetz_type, "10:00:00+02", "10:00+02:00") == 0);
    CHECK(order(timetz_type, "10:00:00+02", "08:00:00+00") ==
          -1);  // the same instant: the zone decides, as in PostgreSQL
}

TEST_CASE("intervals") {
    CHECK(order(interval_type, "1 mon", "30 days") == 0);
    CHECK(order(interval_type, "1 year", "12 months") == 0);
    CHECK(order(interval_type, "1 day", "24:00:00") == 0);
    CHECK(order(interval_type, "1 year 2 mons -3 days +04:05:06.789", "P1Y2M-3DT4H5M6.789S") == 0);
    CHECK(order(interval_type, "@ 1 day 2 hours 3.5 secs ago", "-1 day -02:00:03.5") == 0);
    CHECK(order(interval_type, "00:00:00", "1 second") == -1);
    CHECK(order(interval_type, "-00:00:01", "0 seconds") == -1);
    CHECK(order(interval_type, "178000000 years", "1 hour") == 1);
}

TEST_CASE("uuid, bytea and enum") {
    CHECK(order(uuid_type, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}") == 0);
    CHECK(order(uuid_type, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "b0eebc999c0b4ef8bb6d6bb9bd380a11") == -1);
    CHECK(passes(mood_type, text("happy"), "eq", "happy"));
    CHECK(passes(mood_type, text("happy"), "in", "[sad, happy]"));
    CHECK_FALSE(passes(mood_type, text("happy"), "ne", "happy"));
    CHECK(error_of([] { (void)filter(mood_type, "gt", "sad"); }).find("order") != std::string::npos);
    CHECK(passes(bytea_type, text("\\x00ff"), "eq", "'\\x00ff'"));
}

TEST_CASE("an operand that PostgreSQL would print otherwise equals no value, and is refused") {
    const ColumnType inet{869, "inet"};
    const ColumnType cidr{650, "cidr"};
    const ColumnType mac{829, "macaddr"};
    for (const auto& [type, operand] : {std::pair{bytea_type, "\\x00FF"},
                                        {bytea_type, "abc"},
                                        {bytea_type, "\\x0"},
                                        {inet, "10.0.0.1/32"},
                                        {inet, "10.0.0.01"},
                                        {inet, "2001:DB8::1"},
                                        {inet, "2001:db8:0:0::1"},
                                        {inet, "::1/128"},
                                        {inet, "10.0.0.1/"},
                                        {cidr, "10.0.0.0"},
                                        {mac, "08:00:2B:01:02:03"},
                                        {mac, "08-00-2b-01-02-03"}}) {
        const ColumnType column_type = type;
        const std::string quoted = std::string("'") + operand + "'";
        CAPTURE(quoted);
        CHECK(error_of([&] { (void)filter(column_type, "eq", quoted); }).find("it is not") != std::string::npos);
    }
    for (const auto& [type, operand] : {std::pair{bytea_type, "\\x00ff"},
                                        {bytea_type, "\\x"},
                                        {inet, "10.0.0.1"},
                                        {inet, "10.0.0.1/8"},
                                        {inet, "2001:db8::1"},
                                        {inet, "::ffff:1.2.3.4"},
                                        {cidr, "10.0.0.0/8"},
                                        {cidr, "10.1.2.3/32"},
                                        {cidr, "2001:db8::/32"},
                                        {mac, "08:00:2b:01:02:03"}}) {
        const std::string quoted = std::string("'") + operand + "'";
        CAPTURE(quoted);
        CHECK(passes(type, text(operand), "eq", quoted));
        CHECK(passes(type, text(operand), "in", "[" + quoted + "]"));
    }
}

TEST_CASE("NULL passes no comparison") {
    for (const char* op : {"eq", "ne", "gt", "lt", "gte", "lte", "contains", "regex"})
        CHECK_FALSE(passes(text_type, null, op, "x"));
    CHECK_FALSE(passes(text_type, null, "in", "[x]"));
    CHECK_FALSE(passes(text_type, null, "not_in", "[x]"));
    CHECK_FALSE(passes(text_type, null, "not_null"));
    CHECK(passes(text_type, null, "is_null"));
    CHECK_FALSE(passes(text_type, text(""), "is_null"));
    CHECK(passes(text_type, text(""), "not_null"));
}

TEST_CASE("searching") {
    CHECK(passes(text_type, text("john@example.com"), "contains", "'@example'"));
    CHECK_FALSE(passes(text_type, text("john"), "contains", "'@'"));
    CHECK(passes(text_type, text("abc123"), "regex", "'[0-9]+$'"));
    CHECK_FALSE(passes(text_type, text("abc"), "regex", "'^b'"));
    CHECK(passes(jsonb_type, text("{\"a\": 1}"), "contains", "'\"a\"'"));
    CHECK(passes(text_type, text("b"), "in", "[a, b]"));
    CHECK_FALSE(passes(text_type, text("b"), "not_in", "[a, b]"));
}

TEST_CASE("an operand of the wrong form is refused") {
    for (const auto& [type, operand] : {std::pair{date_type, "2024-02-30"},
                                        {timestamp_type, "yesterday"},
                                        {timestamp_type, "2024-01-01T00:00:00+02:00"},
                                        {time_type, "25:00"},
                                        {interval_type, "soon"},
                                        {interval_type, "1.5 months"},
                                        {uuid_type, "abc"},
                                        {boolean_type, "maybe"},
                                        {numeric_type, "1,5"},
                                        {numeric_type, "0x10"},
                                        {numeric_type, "."},
                                        {numeric_type, "1e"},
                                        {numeric_type, "1.2.3"}}) {
        const ColumnType column_type = type;
        const std::string quoted = std::string("'") + operand + "'";
        CAPTURE(quoted);
        CHECK(error_of([&] { (void)filter(column_type, "eq", quoted); }).find("it is not") != std::string::npos);
    }
}

TEST_CASE("a value the filter cannot read stops, and is not shown") {
    const auto compiled = filter(timestamp_type, "eq", "2024-01-01");
    Arena arena;
    const RelationPtr table = relation("t", {column("c", timestamp_type)});
    const Values row{text("Mon 01 Jan canary")};
    Change change = insert(table, row);
    const std::string error = error_of([&] { compiled->apply(change, arena); });
    CHECK(error.find("unable to apply rule 1 of table 't', column 'c'") == 0);
    CHECK(error.find("canary") == std::string::npos);
}
