// What the table of transforms promises of the deterministic ones, for all of them: the same values in every build and
// on every machine, others under another secret, and evenly drawn.
//
// With PGSLUICE_UPDATE_PAGES=1 the file of golden vectors is written. A change of it means that the same values become
// others than before, for everyone who updates: CHANGELOG.md must say so.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <vector>

#include "rules/transforms/hmac.h"
#include "tests/support/text.h"
#include "tests/support/transform_values.h"
#include "tests/unit/transform_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;
using pgsluice::test::nth_value;

namespace {

using rules::TransformExample;
using rules::TransformKind;

constexpr const char* golden_path = PGSLUICE_SOURCE_DIR "/tests/unit/golden_transforms.txt";

OneTransform transform_of(const TransformKind& kind, const TransformExample& example, const std::string& more = {},
                          const std::string& secret = example_secret) {
    const std::string both = example.parameters.empty() || more.empty() ? "" : ", ";
    const ColumnType type = kind.name == "xml" ? xml_type : type_for(example.type);
    return {std::string(kind.name), std::string(example.parameters) + both + more, type, secret};
}

// A boolean has two values only, so another column decides on those.
std::string_view made(OneTransform& transform, const TransformExample& example, const std::string& value,
                      std::uint64_t number) {
    return transform(value, example.type == rules::ValueType::boolean ? std::to_string(number) : "");
}
std::string by_of(const TransformExample& example) {
    return example.type == rules::ValueType::boolean ? "by: who" : "";
}

// What it makes of so many values, in one line each.
std::string results(OneTransform transform, const TransformExample& example, std::uint64_t count) {
    std::string all;
    for (std::uint64_t i = 0; i < count; ++i) all.append(made(transform, example, nth_value(example, i), i)) += '\n';
    return all;
}

std::string digest_of(const std::string& text) {
    char digits[16];
    rules::write_hex(rules::Hmac("golden").digest(text), sizeof digits, digits);
    return {digits, sizeof digits};
}

template <typename Call>
void for_each_example(const Call& call) {
    for (const TransformKind& kind : rules::transform_kinds())
        for (const TransformExample& example : kind.examples)
            if (!example.to.empty()) call(kind, example);
}

bool has_locale(const TransformKind& kind, const TransformExample& example) {
    return test::contains(std::string(kind.parameters), "`locale`") &&
           !test::contains(std::string(example.parameters), "locale");
}

// A line for each example, and for each language.
std::string golden_vectors() {
    std::string text;
    const auto add = [&](const TransformKind& kind, const TransformExample& example, const std::string& more) {
        const std::string both = example.parameters.empty() || more.empty() ? "" : ", ";
        const std::string parameters = std::string(example.parameters) + both + more;
        const std::string all =
            results(transform_of(kind, example, more.empty() ? by_of(example) : more), example, 100);
        text += fmt::format("{} {}{}\n", digest_of(all), kind.name, parameters.empty() ? "" : ": " + parameters);
    };
    for_each_example([&](const TransformKind& kind, const TransformExample& example) {
        if (!has_locale(kind, example)) return add(kind, example, "");
        for (const char* locale : {"locale: en", "locale: de", "locale: es", "locale: fr"}) add(kind, example, locale);
    });
    return text;
}

std::string read_golden() {
    std::ifstream file(golden_path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

using Bucket = std::string (*)(std::string_view made);

std::string whole(std::string_view made) { return std::string(made); }
template <std::size_t From, std::size_t Length>
std::string part(std::string_view made) {
    return std::string(made.substr(From, Length));
}
template <int Width>
std::string tens(std::string_view made) {
    return std::to_string(std::floor(std::stod(std::string(made)) / Width));
}

struct Flat {
    const char* kind;
    const char* parameters;
    ColumnType type;
    const char* value;  // % is a number; without one the other column has it, and `by` is among the parameters
    Bucket bucket;
    std::size_t buckets = 0;  // 0: a list has them
};

const Flat flat[] = {
    {"hash", "", text_type, "%", part<0, 1>, 16},
    {"encrypt", "", text_type, "%", part<0, 1>, 64},
    {"encrypt_digits", "", text_type, "AB-1234567%", part<4, 1>, 10},
    {"encrypt_number", "", integer_type, "%", tens<100'000'000>, 10},
    {"integer", "min: -3, max: 9", integer_type, "%", whole, 13},
    {"numeric", "min: 0, max: 99.99", numeric_type, "%", tens<10>, 10},
    {"float", "min: -1, max: 1", double_type, "%", whole, 201},
    {"noise", "absolute: 100, by: who", integer_type, "1000000", tens<1>, 201},
    {"date", "from: 1950-01-01, to: 2005-12-31, by: who", date_type, "1984-05-06", part<0, 4>, 56},
    {"time", "from: '00:00:00', to: '23:59:59'", time_type, "%", part<0, 5>, 1440},
    {"timestamp", "from: 2020-01-01, to: 2020-12-31", timestamp_type, "%", part<0, 10>, 365},
    {"shift", "days: 30, by: who", date_type, "2024-06-15", whole, 60},
    {"boolean", "by: who", boolean_type, "t", whole, 2},
    {"choice", "values: [a, b, c, d, e]", text_type, "%", whole, 5},
    {"uuid", "", text_type, "%", part<0, 2>, 256},
    {"title", "", text_type, "%", whole},
    {"first_name", "gender: female", text_type, "%", whole},
    {"gender", "", text_type, "x%", whole, 2},
    {"last_name", "", text_type, "%", whole},
    {"industry", "", text_type, "%", whole},
    {"job_title", "", text_type, "%", whole},
    {"street", "", text_type, "%", whole},
    {"city", "", text_type, "%", whole},
    {"state", "", text_type, "%", whole, 50},
    {"zip", "", text_type, "%", part<0, 2>, 100},
    {"country", "", text_type, "%", whole},
    {"latitude", "", text_type, "%", tens<10>, 18},
    {"longitude", "", text_type, "%", tens<10>, 36},
    {"mac", "", text_type, "%", part<3, 2>, 256},
    {"ipv6", "", text_type, "%", part<2, 2>, 256},
    {"password", "", text_type, "%", part<0, 1>, 62},
    {"credit_card", "", text_type, "411111111111%", part<8, 2>, 100},
    {"ssn", "", text_type, "%", part<7, 2>, 100},
    {"currency", "", text_type, "%", whole},
    {"month", "", integer_type, "%", whole, 12},
    {"weekday", "", integer_type, "%", whole, 7},
    {"year", "", integer_type, "%", whole, 56},
    {"date_of_birth", "by: who", date_type, "1984-05-06", part<0, 4>, 5},
    {"word", "", text_type, "%", whole},
    {"digits", "", text_type, "1%", part<0, 1>, 10},
    {"characters", "", text_type, "a%", part<0, 1>, 26},
    {"phone", "", text_type, "123-45%", part<4, 1>, 10},
    {"pattern", "pattern: 'A*'", text_type, "%", part<0, 1>, 26},
};

// Made of what is looked at above, several times.
const std::set<std::string_view> compound{
    "name", "username",   "email", "company", "product",  "product_description", "street_address", "ipv4", "domain",
    "url",  "user_agent", "iban",  "words",   "sentence", "paragraph",           "password_hash"};

constexpr int draws = 12000;

std::map<std::string, int> counts_of(const Flat& one) {
    OneTransform transform(one.kind, one.parameters, one.type);
    std::map<std::string, int> counts;
    for (int i = 0; i < draws; ++i) {
        std::string value = one.value;
        const std::size_t at = value.find('%');
        if (at != std::string::npos) value.replace(at, 1, std::to_string(i));
        ++counts[one.bucket(transform(value, std::to_string(i)))];
    }
    return counts;
}

}  // namespace

TEST_CASE("every transform that makes a value has examples, and golden vectors that no build may change") {
    for (const TransformKind& kind : rules::transform_kinds())
        CHECK_MESSAGE((kind.name == "null" || !kind.examples[0].to.empty()), kind.name);
    const std::string golden = golden_vectors();
    if (std::getenv("PGSLUICE_UPDATE_PAGES") != nullptr)
        std::ofstream(golden_path) << golden;
    else
        CHECK(golden == read_golden());
}

TEST_CASE("under another secret every keyed transform makes other values, and the same under the same") {
    for_each_example([](const TransformKind& kind, const TransformExample& example) {
        CAPTURE(kind.name);
        CAPTURE(example.parameters);
        const std::string by = by_of(example);
        const std::string one = results(transform_of(kind, example, by), example, 64);
        CHECK(one == results(transform_of(kind, example, by), example, 64));
        const std::string other = results(transform_of(kind, example, by, "another secret"), example, 64);
        CHECK((one != other) == kind.keyed);
    });
}

// By chi-square. The secret is fixed, so it comes out the same each time.
TEST_CASE("what is drawn comes evenly: every number, day, digit and entry of a list as often") {
    std::set<std::string_view> looked_at = compound;
    for (const Flat& one : flat) {
        INFO(std::string(one.kind));
        looked_at.insert(one.kind);
        const auto counts = counts_of(one);
        if (one.buckets > 0) CHECK(counts.size() == one.buckets);
        const double expected = draws / static_cast<double>(counts.size());
        double chi_square = 0;
        for (const auto& [bucket, count] : counts) chi_square += (count - expected) * (count - expected) / expected;
        const double freedom = static_cast<double>(counts.size()) - 1;  // its mean; its variance is twice that
        CHECK(chi_square < freedom + 4 * std::sqrt(2 * freedom));
        // Too even is no chance either.
        if (freedom > 30) CHECK(chi_square > freedom - 4 * std::sqrt(2 * freedom));
    }
    for (const TransformKind& kind : rules::transform_kinds())
        CHECK_MESSAGE((!kind.keyed || looked_at.contains(kind.name)), kind.name);
}
