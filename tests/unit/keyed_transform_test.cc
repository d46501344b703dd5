// Keyed transforms: what decides on the value, how evenly values come, and that distinct ones stay so.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "rules/transforms/keyed/draw.h"
#include "rules/values/moment.h"
#include "tests/support/text.h"
#include "tests/unit/transform_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;
using pgsluice::test::contains;

namespace {

// Sum of squared differences from an even (or weighted) count, in units of it.
double chi_square(const std::map<std::string, int>& counts, const std::map<std::string, double>& expected) {
    double sum = 0;
    for (const auto& [value, wanted] : expected) {
        const auto found = counts.find(value);
        const double difference = (found == counts.end() ? 0 : found->second) - wanted;
        sum += difference * difference / wanted;
    }
    return sum;
}

// Of 20,000 values with a fixed secret, so that it comes out the same each time.
std::map<std::string, int> counts_of(OneTransform& transform) {
    std::map<std::string, int> counts;
    for (int i = 0; i < 20000; ++i) ++counts[std::string(transform(std::to_string(i)))];
    return counts;
}

std::string refused(const std::string& name, const std::string& parameters, const Column& column) {
    return error_of([&] { OneTransform(name, parameters, column); });
}

Column numeric(int precision, int scale) {
    Column made = column("c", numeric_type);
    made.typmod = (precision << 16 | scale) + 4;
    return made;
}

Column varchar(int length) {
    Column made = column("c", varchar_type);
    made.typmod = length + 4;
    return made;
}

}  // namespace

TEST_CASE("numbers are drawn the same on every machine") {
    rules::Hmac::Digest seed{};
    for (std::size_t i = 0; i < seed.size(); ++i) seed[i] = static_cast<unsigned char>(i);
    rules::Draw draw(seed);
    // xoshiro256** with the state 0001020304050607, 08090a0b0c0d0e0f, ... (computed from its definition)
    CHECK(draw.next() == 0xcb61f88f25bc5234ULL);
    CHECK(rules::Draw(seed).below(0) == 0xcb61f88f25bc5234ULL);
    CHECK(rules::Draw(seed).between(-3, -3) == -3);
    for (int i = 0; i < 100; ++i) CHECK(draw.below(7) < 7);
    CHECK(draw.between(INT64_MIN, INT64_MAX) != draw.between(INT64_MIN, INT64_MAX));
}

TEST_CASE("values of a range come evenly") {
    OneTransform transform("integer", "min: 1, max: 10", integer_type);
    std::map<std::string, double> expected;
    for (int i = 1; i <= 10; ++i) expected[std::to_string(i)] = 2000;
    const auto counts = counts_of(transform);
    CHECK(counts.size() == 10);
    CHECK(chi_square(counts, expected) < 27.9);  // 9 degrees of freedom: once in 1,000 secrets it is above
}

TEST_CASE("a choice comes by its weights") {
    OneTransform transform("choice", "values: [a, b, c], weights: [7, 3, 0]", text_type);
    const auto counts = counts_of(transform);
    CHECK(counts.count("c") == 0);
    CHECK(chi_square(counts, {{"a", 14000}, {"b", 6000}}) < 10.8);  // 1 degree
}

TEST_CASE("distinct values stay distinct: uuids") {
    OneTransform transform("uuid", "", uuid_type);
    std::vector<std::uint64_t> seen;
    for (int i = 0; i < 200'000; ++i) seen.push_back(std::hash<std::string_view>{}(transform(std::to_string(i))));
    std::sort(seen.begin(), seen.end());
    CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
}

TEST_CASE("by: what comes out depends on the other column, and the time between two dates stays") {
    OneTransform shift("shift", "days: 100, by: who", date_type);
    const auto day = [&](const char* text, const char* who) {
        return rules::Moment::parse(shift(text, who), false).day;
    };
    std::set<std::int64_t> shifts;
    for (const char* who : {"1", "2", "3", "4", "5"}) {
        CHECK(day("2024-03-01", who) - day("2024-02-01", who) == 29);
        shifts.insert(day("2024-02-01", who));
    }
    CHECK(shifts.size() > 2);
    OneTransform padded("shift", "days: 100, by: who", date_type);
    CHECK(std::string(shift("2024-01-01", "ab")) == padded("2024-01-01", "ab   "));
}

TEST_CASE("random: the same value gives others, and no secret is needed") {
    const RelationPtr table = relation("t", {column("id", integer_type, true), column("c", integer_type)});
    const std::string rule =
        "tables: {t: [{type: transform, column: c, parameters: {type: integer, min: 0, max: "
        "1000000000, random: true}}]}";
    const auto compiled = load(rule)->compile(table);
    std::set<std::string> made;
    Arena arena;
    for (int i = 0; i < 10; ++i) {
        const Values row{text("1"), text("7")};
        Change change = insert(table, row);
        REQUIRE(compiled->apply(change, arena));
        made.insert(std::string(change.new_row[1].text()));
    }
    CHECK(made.size() > 5);
}

TEST_CASE("random and by are refused where a row would not be found again") {
    const RelationPtr table =
        relation("t", {column("id", uuid_type, true), column("c", integer_type), column("who", text_type)});
    const auto error = [&](const std::string& columns) {
        return error_of([&] {
            const TextFile secret("s", "secret");
            static_cast<void>(
                load("secret_file: " + secret.path() + "\ntables: {t: [" + columns + "]}")->compile(table));
        });
    };
    CHECK(contains(error("{type: transform, column: id, parameters: {type: uuid, random: true}}"),
                   "the column is part of the key, and a random value would not be found again\nHINT: Leave 'random' "
                   "out."));
    CHECK(contains(error("{type: transform, column: id, parameters: {type: uuid, by: who}, allow_uniqueness_loss: "
                         "true}"),
                   "the column is part of the key, but 'who', which it goes by, is not\nHINT: Leave 'by' out."));
    CHECK(error("{type: transform, column: id, parameters: {type: uuid}}").empty());
    CHECK(contains(error("{type: transform, column: c, parameters: {type: integer, min: 1, max: 2, by: nobody}}"),
                   "has no column 'nobody'"));
    const std::string by = "{type: transform, column: c, parameters: {type: integer, min: 1, max: 2, by: who}}";
    const std::string filter = "{type: filter, column: c, parameters: {operator: gt, value: 1}}";
    CHECK(contains(error(by + ", " + filter), "HINT: Put the filter above the transform."));
    CHECK(error(filter + ", " + by).empty());
}

TEST_CASE("an update that does not hold the column which a rule goes by stops") {
    const TextFile secret("s", "secret");
    const RelationPtr table =
        relation("t", {column("id", integer_type, true), column("c", date_type), column("who", text_type)});
    const auto compiled = load("secret_file: " + secret.path() +
                               "\ntables: {t: [{type: transform, column: c, parameters: {type: shift, days: 9, by: "
                               "who}}]}")
                              ->compile(table);
    Arena arena;
    const Values row{text("1"), text("2024-01-01"), toast};
    Change change = update(table, row);
    CHECK(contains(error_of([&] { compiled->apply(change, arena); }), "did not touch column 'who'"));
    const Values nobody{text("1"), text("2024-01-01"), null};
    Change without = insert(table, nobody);
    REQUIRE(compiled->apply(without, arena));
    CHECK(without.new_row[1] != nobody[1]);
}

TEST_CASE("two transforms draw different numbers of one value") {
    OneTransform integer("integer", "min: 0, max: 999999999", bigint_type);
    OneTransform numeric_range("numeric", "min: 0, max: 999999999, scale: 0", bigint_type);
    CHECK(std::string(integer("1")) != numeric_range("1"));
}

TEST_CASE("numbers have the form of their column") {
    OneTransform wide("numeric", "min: 5, max: 5.009, scale: 3", numeric(8, 2));
    CHECK(wide("1") == "5.00");
    OneTransform narrow("numeric", "min: 5, max: 5, scale: 1", numeric(8, 3));
    CHECK(narrow("1") == "5.000");
    OneTransform real("float", "min: 2.5, max: 2.5", double_type);
    CHECK(real("1") == "2.5");
    OneTransform whole("numeric", "min: 4.2, max: 5.9", integer_type);
    CHECK(whole("1") == "5");
    CHECK(contains(refused("integer", "min: 0, max: 40000", column("c", ColumnType{21, "smallint"})),
                   "out of the range"));
    CHECK(contains(refused("integer", "min: 0, max: 1000", numeric(4, 2)), "out of the range"));
    CHECK(contains(refused("numeric", "min: 4.2, max: 4.9", column("c", integer_type)), "no number of column type"));
    CHECK(contains(refused("integer", "min: 2, max: 1", column("c", integer_type)), "no number is between"));
    CHECK(contains(refused("integer", "min: 1, max: 2", column("c", text_type)), "it takes numbers"));
    CHECK(contains(refused("integer", "min: x, max: 2", column("c", integer_type)), "of 'min': it is not a number"));
}

TEST_CASE("noise stays near, keeps sums roughly, and never leaves the column's range") {
    OneTransform percent("noise", "percent: 10", numeric_type);
    std::int64_t sum = 0;
    for (int i = 0; i < 10000; ++i) {
        const std::string made(percent("100." + std::to_string(10 + i % 90)));
        const double value = std::stod(made);
        CHECK((value > 89.9 && value < 111.1));
        sum += std::stoll(made.substr(0, made.find('.')) + made.substr(made.find('.') + 1));
        CHECK(made.size() - made.find('.') == 3);
    }
    CHECK(sum / 10000 > 9900);
    CHECK(sum / 10000 < 10150);
    OneTransform small("noise", "percent: 50", ColumnType{21, "smallint"});
    for (int i = 32700; i < 32767; ++i) CHECK(std::stoi(std::string(small(std::to_string(i)))) <= 32767);
    OneTransform cents("noise", "absolute: 0.5", numeric(5, 2));
    CHECK(std::stod(std::string(cents("999.99"))) <= 999.99);
    OneTransform real("noise", "percent: 1", double_type);
    CHECK(contains(std::string(real("1.5e+20")), "e+20"));
    CHECK(contains(std::string(real("1.5e-07")), "e-07"));
    CHECK(real("2.5") != "2.5");
    CHECK(real("0") == "0");
    CHECK(contains(error_of([&] { real("NaN"); }), "it is not a number of at most 27 digits"));
    CHECK(contains(error_of([&] { real("1e+300"); }), "it is not a number of at most 27 digits"));
}

TEST_CASE("dates are shifted where they are printed, and infinity is left") {
    OneTransform shift("shift", "days: 1, by: who", timestamptz_type);
    const std::string made(shift("2024-02-29 23:30:00.25-05", "x"));
    CHECK((made == "2024-02-28 23:30:00.25-05" || made == "2024-03-01 23:30:00.25-05"));
    CHECK(shift("infinity", "x") == "infinity");
    const std::string before(shift("0001-12-31 10:00:00+00 BC", "x"));
    CHECK((before == "0001-12-30 10:00:00+00 BC" || before == "0001-01-01 10:00:00+00"));
    CHECK(contains(error_of([&] {
                       shift("294276-12-31 10:00:00+00", "x"), shift("294276-12-31 10:00:00+00", "y"),
                           shift("294276-12-31 10:00:00+00", "z"), shift("294276-12-31 10:00:00+00", "w");
                   }),
                   "not a date that the server takes"));
    CHECK(contains(error_of([&] { shift("yesterday", "x"); }), "unable to apply rule 1 of table 't', column 'c'"));
}

TEST_CASE("truncated dates") {
    const struct {
        const char* to;
        const char* from;
        const char* made;
    } cases[] = {{"year", "2024-12-31", "2024-01-01"},        {"quarter", "2024-12-31", "2024-10-01"},
                 {"month", "0044-03-15 BC", "0044-03-01 BC"}, {"week", "2024-06-02", "2024-05-27"},
                 {"week", "1999-12-31", "1999-12-27"},        {"month", "-infinity", "-infinity"}};
    for (const auto& one : cases) {
        OneTransform truncate("truncate_date", std::string("to: ") + one.to, date_type);
        CHECK(truncate(one.from) == one.made);
    }
    OneTransform timestamps("truncate_date", "to: month", timestamp_type);
    CHECK(timestamps("2024-06-15 12:30:00.5") == "2024-06-01 00:00:00");
    CHECK(contains(refused("truncate_date", "to: day", column("c", date_type)), "a date is a day already"));
}

TEST_CASE("values that do not fit the column are refused at start") {
    CHECK(contains(refused("uuid", "", varchar(35)), "its result has 36 characters, but the column holds 35"));
    CHECK(refused("uuid", "", varchar(36)).empty());
    CHECK(contains(refused("choice", "values: [abc, abcdef]", varchar(4)), "its result has 6 characters"));
    CHECK(
        contains(refused("choice", "values: [1, x]", column("c", integer_type)), "of 'values': it is not an integer"));
    CHECK(contains(refused("choice", "values: [a], weights: [1, 2]", column("c", text_type)), "one number for each"));
    CHECK(contains(refused("date", "from: 2024-02-30, to: 2024-03-01", column("c", date_type)), "of 'from' and 'to'"));
    CHECK(
        contains(refused("date", "from: 2024-03-02, to: 2024-03-01", column("c", date_type)), "'from' is after 'to'"));
}

TEST_CASE("mask presets show what kind of value it is") {
    const struct {
        const char* preset;
        const char* from;
        const char* made;
    } cases[] = {{"name", "Anna-Maria O'Keller", "A***-M**** O'K*****"},
                 {"name", "Ömür Ş", "Ö*** Ş"},
                 {"email", "anna.keller@example.com", "a**********@example.com"},
                 {"email", "ab@example.com", "**@example.com"},
                 {"email", "anna", "****"},
                 {"phone", "+49 (30) 123-456", "+** (**) ***-*56"},
                 {"phone", "12345", "*****"},
                 {"address", "12b Long Lane, 10115 Köln", "*** L*** L***, ***** K***"},
                 {"id", "AB-12-345678", "**-**-**5678"},
                 {"id", "1234567", "*******"},
                 {"card", "4111 1111 1111 1234", "**** **** **** 1234"},
                 {"card", "1234", "****"},
                 {"url", "https://anna:pw@example.com/p?q=1", "https://*******@example.com/*****"},
                 {"url", "https://example.com", "*******************"},
                 {"url", "nothing", "*******"},
                 {"name", "", ""}};
    for (const auto& one : cases) {
        OneTransform mask("mask", std::string("preset: ") + one.preset, text_type);
        CHECK(mask(one.from) == one.made);
    }
    OneTransform ends("mask", "keep_first: 2, keep_last: 1", text_type);
    CHECK(ends("äbcd") == "äb*d");
    CHECK(ends("abc") == "***");
    OneTransform none("mask", "keep_first: 0", text_type);
    CHECK(none("abc") == "***");
}
