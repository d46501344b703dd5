// Fakes: valid of their kind, never the value, unique where promised, evenly taken from their lists.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "rules/transforms/fake/list_files.h"
#include "stream/format/utf8.h"
#include "tests/support/text.h"
#include "tests/unit/transform_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;
using pgsluice::test::contains;

namespace {

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    for (; !text.empty(); text.remove_prefix(lines.back().size() + 1))
        lines.emplace_back(text.substr(0, text.find('\n')));
    return lines;
}

Column varchar(int length) {
    Column made = column("c", varchar_type);
    made.typmod = length + 4;
    return made;
}

std::string made(const std::string& name, const std::string& parameters, std::string_view value) {
    return std::string(OneTransform(name, parameters, text_type)(value));
}

bool all_differ(const std::string& name, const std::string& parameters, int count) {
    OneTransform transform(name, parameters, text_type);
    std::vector<std::size_t> seen;
    for (int i = 0; i < count; ++i) seen.push_back(std::hash<std::string_view>{}(transform(std::to_string(i))));
    std::sort(seen.begin(), seen.end());
    return std::adjacent_find(seen.begin(), seen.end()) == seen.end();
}

std::string digits_of(std::string_view text) {
    std::string digits;
    for (const char c : text)
        if (c >= '0' && c <= '9') digits += c;
    return digits;
}

bool passes_luhn(const std::string& digits) {
    int sum = 0;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        const int digit = digits[digits.size() - 1 - i] - '0';
        sum += i % 2 == 0 ? digit : digit < 5 ? 2 * digit : 2 * digit - 9;
    }
    return sum % 10 == 0;
}

bool is_iban(const std::string& iban) {
    int remainder = 0;
    for (const char c : iban.substr(4) + iban.substr(0, 4))
        remainder = c <= '9' ? (remainder * 10 + (c - '0')) % 97 : (remainder * 100 + (c - 'A' + 10)) % 97;
    return remainder == 1;
}

}  // namespace

// Of a list that has no more, or need not.
std::size_t least_entries(std::string_view list) {
    const std::map<std::string_view, std::size_t> few{{"genders", 2},          {"titles", 6},  {"weekdays", 7},
                                                      {"company_endings", 10}, {"months", 12}, {"states", 13},
                                                      {"state_codes", 13}};
    const auto found = few.find(list.substr(0, list.find('.')));
    return found == few.end() ? 100 : found->second;
}

TEST_CASE("the lists are whole: a hundred different entries or more, without blanks around them") {
    std::set<std::string> locales;
    for (const rules::ListFile& file : rules::list_files()) {
        CAPTURE(file.name);
        locales.insert(std::string(file.name.substr(0, 2)));
        REQUIRE(file.text.ends_with('\n'));
        const auto lines = lines_of(file.text);
        CHECK(lines.size() >= least_entries(file.name.substr(3)));
        CHECK(std::set<std::string>(lines.begin(), lines.end()).size() == lines.size());
        CHECK(is_utf8(file.text));
        for (const std::string& line : lines) CHECK((!line.empty() && line.front() != ' ' && line.back() != ' '));
    }
    CHECK(rules::list_files().size() == locales.size() * 18);
}

TEST_CASE("a million e-mail addresses are all different, and so are usernames and addresses of hosts") {
    CHECK(all_differ("email", "", 1'000'000));
    CHECK(all_differ("username", "", 100'000));
    CHECK(all_differ("ipv6", "", 100'000));
}

TEST_CASE("names are taken evenly from their lists") {
    OneTransform first_name("first_name", "", text_type);
    std::map<std::string, int> counts;
    for (int i = 0; i < 50000; ++i) ++counts[std::string(first_name(std::to_string(i)))];
    std::map<std::string, double> expected;
    std::size_t entries = 0;
    for (const rules::ListFile& file : rules::list_files()) {
        if (!file.name.starts_with("en/first_names")) continue;
        for (const std::string& name : lines_of(file.text)) ++expected[name], ++entries;
    }
    double chi_square = 0;
    for (auto& [name, times] : expected) {
        const double wanted = times * 50000 / static_cast<double>(entries);
        const double difference = counts[name] - wanted;
        chi_square += difference * difference / wanted;
    }
    const double freedom = static_cast<double>(expected.size()) - 1;  // its mean; its variance is twice that
    CHECK(chi_square < freedom + 3.1 * std::sqrt(2 * freedom));
    CHECK(chi_square > freedom - 3.1 * std::sqrt(2 * freedom));
}

TEST_CASE("card numbers and IBANs have valid check digits, in the form of the value") {
    OneTransform card("credit_card", "", text_type);
    OneTransform kept("credit_card", "keep_bin: true", text_type);
    OneTransform iban("iban", "", text_type);
    const std::regex dutch("NL[0-9]{2}[A-Z]{4}[0-9]{10}");
    for (int i = 1000; i < 2000; ++i) {
        const std::string value = "5500-0000-0000-" + std::to_string(i);
        const std::string other(card(value));
        CHECK((other.starts_with("4000-00") && other.size() == 19 && other[9] == '-'));
        CHECK(passes_luhn(digits_of(other)));
        const std::string same_bank(kept(value));
        CHECK((same_bank.starts_with("5500-00") && passes_luhn(digits_of(same_bank))));
        const std::string number(iban("NL91ABNA041716" + std::to_string(i)));
        CHECK((is_iban(number) && std::regex_match(number, dutch)));
        CHECK(is_iban(std::string(iban("?" + std::to_string(i)))));
    }
    CHECK(made("credit_card", "keep_bin: true", "my card is 5500000000000004").starts_with("400000"));
    CHECK(made("iban", "country: PL", "x").size() == 28);
    CHECK(passes_luhn("4111111111111111"));
    CHECK(is_iban("DE89370400440532013000"));
}

TEST_CASE("telephone numbers keep their country and form, and nothing that is written beside them") {
    const struct {
        const char* from;
        const char* form;
    } cases[] = {{"+49 (30) 901-820", "\\+49 \\([0-9]{2}\\) [0-9]{3}-[0-9]{3}"},
                 {"+1 212 555 0100", "\\+1 [0-9]{3} [0-9]{3} [0-9]{4}"},
                 {"+420123456789", "\\+420[0-9]{9}"},
                 {"0041 44 123", "0041 [0-9]{2} [0-9]{3}"},
                 {"030 901820", "0[0-9]{2} [0-9]{6}"},
                 {"call Ömür: 12", "[a-z]{4} [A-Za-z][a-z][a-z][a-z]: [0-9]{2}"},
                 {"+", "\\+"},
                 {"+4", "\\+[0-9]"},
                 {"00", "00"},
                 {"", ""}};
    for (const auto& one : cases) {
        const std::string number = made("phone", "", one.from);
        CHECK_MESSAGE(std::regex_match(number, std::regex(one.form)), number);
    }
}

TEST_CASE("an e-mail address keeps its domain only where it is one") {
    CHECK(made("email", "keep_domain: true", "a@corp.example.org").ends_with("@corp.example.org"));
    CHECK(made("email", "keep_domain: true", "a@his secret.txt").ends_with("@example.com"));
    CHECK(made("email", "domain: shop.test", "a@corp.com").ends_with("@shop.test"));
    CHECK(
        std::regex_match(made("email", "locale: de", "x"), std::regex("[a-z]+\\.[a-z]+\\.[a-z0-9]{13}@example\\.com")));
    CHECK(contains(error_of([] { made("email", "domain: shop, keep_domain: true", "x"); }), "both 'domain' and"));
    CHECK(contains(error_of([] { made("email", "domain: a b", "x"); }), "is not a domain"));
}

TEST_CASE("what is made up fits the column: cut, shortened in front, refused or stopped") {
    OneTransform sentence("sentence", "", varchar(12));
    CHECK(sentence("x").size() <= 12);
    OneTransform street("street_address", "locale: de", varchar(4));
    for (int i = 0; i < 300; ++i) CHECK(is_utf8(street(std::to_string(i))));
    OneTransform email("email", "", varchar(30));
    std::set<std::string> seen;
    for (int i = 0; i < 300; ++i) seen.emplace(email(std::to_string(i)));
    CHECK(seen.size() == 300);
    CHECK(seen.begin()->size() <= 30);
    CHECK(contains(error_of([] { OneTransform("email", "", varchar(20)); }),
                   "has 25 characters, but the column holds 20"));
    OneTransform kept("email", "keep_domain: true", varchar(25));
    CHECK(kept("a@example.org").size() <= 25);
    const std::string error = error_of([&] { kept("a@canary.example.org"); });
    CHECK(contains(error, "its result has more characters than the column holds, 25"));
    CHECK_FALSE(contains(error, "canary"));
    CHECK(contains(error_of([] { OneTransform("pattern", "pattern: 'A\\##ä'", varchar(3)); }), "has 4 characters"));
}

TEST_CASE("the forms that are never given out, and the band that stays") {
    OneTransform ssn("ssn", "", text_type);
    OneTransform born("date_of_birth", "", date_type);
    for (int i = 0; i < 300; ++i) {
        CHECK(std::regex_match(std::string(ssn("123-45-" + std::to_string(i))), std::regex("666-[0-9]{2}-[0-9]{4}")));
        const std::string day = "1984-05-" + std::to_string(10 + i % 20);
        CHECK(std::regex_match(std::string(born(day)), std::regex("198[0-4]-[0-9]{2}-[0-9]{2}")));
    }
    CHECK(made("ssn", "", "123456789").size() == 9);
    CHECK(contains(error_of([&] { born("infinity"); }), "it is not a date of birth"));
    CHECK(made("domain", "", "keller.com").ends_with(".example"));
    CHECK(std::regex_match(made("pattern", "pattern: 'A\\A-##*'", "x"), std::regex("[A-Z]A-[0-9]{2}[a-z0-9]")));
}

TEST_CASE("addresses of the network are taken by inet and macaddr columns, too") {
    const Column inet = column("c", ColumnType{869, "inet"});
    CHECK(std::string(OneTransform("ipv4", "", inet)("1.2.3.4/24")).starts_with("10."));
    CHECK(std::string(OneTransform("ipv6", "", inet)("::1")).starts_with("fd"));
    CHECK(std::string(OneTransform("mac", "", column("c", ColumnType{829, "macaddr"}))("x")).starts_with("02:"));
    CHECK(
        contains(error_of([&] { OneTransform("mac", "", inet); }), "it takes text or macaddr, but the column is inet"));
}

TEST_CASE("the file's locale holds where a rule does not say, and json takes fakes inside") {
    const TextFile secret("s", "secret");
    const auto city = [&](const std::string& top) {
        const RelationPtr table = relation("t", {column("id", integer_type, true), column("doc", jsonb_type)});
        const auto compiled = load(top + "\nsecret_file: " + secret.path() +
                                   "\ntables: {t: [{type: transform, column: doc, parameters: {type: json, path: "
                                   "$.city, transform: {type: city}}}]}")
                                  ->compile(table);
        const Values row{text("1"), text(R"({"city": "Elsewhere"})")};
        Change change = insert(table, row);
        Arena arena;
        REQUIRE(compiled->apply(change, arena));
        return std::string(change.new_row[1].text());
    };
    CHECK(city("locale: de") != city(""));
    CHECK_FALSE(contains(city(""), "Elsewhere"));
}

TEST_CASE("a value's state and its code are of the same place, its month and weekday of the same number") {
    for (const char* locale : {"de", "en", "es", "fr"}) {
        const std::string of = "locale: " + std::string(locale);
        OneTransform state("state", of, text_type);
        OneTransform code("state", of + ", short: true", text_type);
        OneTransform month("month", of, text_type);
        OneTransform month_number("month", of, integer_type);
        OneTransform weekday("weekday", of, text_type);
        OneTransform weekday_number("weekday", of, integer_type);
        const auto place_in = [&](const std::string& list, std::string_view entry) {
            for (const rules::ListFile& file : rules::list_files()) {
                if (file.name != std::string(locale) + "/" + list + ".txt") continue;
                const auto lines = lines_of(file.text);
                return std::find(lines.begin(), lines.end(), entry) - lines.begin();
            }
            return std::ptrdiff_t{-1};
        };
        for (int i = 0; i < 100; ++i) {
            const std::string value = std::to_string(i);
            CHECK(place_in("states", state(value)) == place_in("state_codes", code(value)));
            CHECK(std::to_string(place_in("months", month(value)) + 1) == month_number(value));
            CHECK(std::to_string(place_in("weekdays", weekday(value)) + 1) == weekday_number(value));
        }
    }
}

TEST_CASE("a gender has the form of the value") {
    OneTransform german("gender", "locale: de", text_type);
    Column letter = column("c", char_type);
    letter.typmod = 5;
    OneTransform padded("gender", "", letter);
    for (int i = 0; i < 20; ++i) {
        const std::string word(german("x" + std::to_string(i)));
        CHECK((word == "weiblich" || word == "männlich"));
        const std::string capital(german("X" + std::to_string(i)));
        CHECK((capital == "Weiblich" || capital == "Männlich"));
    }
    CHECK((german("F") == "W" || german("F") == "M"));
    CHECK((german("f") == "w" || german("f") == "m"));
    CHECK((padded("F") == "F" || padded("F") == "M"));
    CHECK((padded("") == "f" || padded("") == "m"));
}

TEST_CASE("coordinates, months and years have the form of their column, or it is refused") {
    const auto numeric = [](int precision, int scale) {
        Column made = column("c", numeric_type);
        made.typmod = (precision << 16 | scale) + 4;
        return made;
    };
    const std::regex degrees("-?[0-9]{1,3}\\.[0-9]{6}");
    OneTransform latitude("latitude", "", numeric(9, 6));
    OneTransform longitude("longitude", "", varchar(11));
    for (int i = 0; i < 2000; ++i) {
        const std::string north(latitude(std::to_string(i)));
        const std::string east(longitude(std::to_string(i)));
        CHECK((std::regex_match(north, degrees) && std::abs(std::stod(north)) <= 90));
        CHECK((std::regex_match(east, degrees) && std::abs(std::stod(east)) <= 180));
    }
    CHECK(std::regex_match(std::string(OneTransform("latitude", "", numeric(12, 8))("1")),
                           std::regex("-?[0-9]+\\.[0-9]{6}00")));
    CHECK(std::regex_match(std::string(OneTransform("latitude", "", integer_type)("1")), std::regex("-?[0-9]+")));
    CHECK(OneTransform("month", "", numeric(4, 2))("1").ends_with(".00"));
    const auto refused = [](const std::string& name, const Column& column) {
        return error_of([&] { OneTransform(name, "", column); });
    };
    CHECK(contains(refused("longitude", numeric(8, 6)), "out of the range"));
    CHECK(contains(refused("longitude", varchar(10)), "11 characters"));
    CHECK(contains(refused("month", numeric(1, 0)), "out of the range"));
    CHECK(refused("weekday", numeric(1, 0)).empty());
    CHECK(contains(refused("year", numeric(3, 0)), "out of the range"));
    CHECK(contains(refused("year", varchar(3)), "4 characters"));
    CHECK(contains(refused("month", column("c", date_type)), "text or numbers"));
    CHECK(contains(error_of([] { OneTransform("year", "min: 2000, max: 1999", integer_type); }), "no year"));
    CHECK(contains(error_of([] { OneTransform("year", "max: 10000", integer_type); }), "no year"));
    CHECK(made("year", "min: 1999, max: 1999", "x") == "1999");
}

TEST_CASE("a browser names itself as browsers do, and a password has its length") {
    OneTransform agent("user_agent", "", text_type);
    const std::regex form("Mozilla/5\\.0 \\([^()]+\\) [A-Za-z]+/[0-9.]+( .*)?");
    std::set<std::string> seen;
    for (int i = 0; i < 500; ++i) {
        const std::string one(agent(std::to_string(i)));
        CHECK(std::regex_match(one, form));
        seen.insert(one);
    }
    CHECK(seen.size() > 100);
    CHECK(made("password", "length: 20", "x").size() == 20);
    CHECK(all_differ("password", "length: 12", 100'000));
    Column unique = column("c", text_type);
    unique.unique = true;
    CHECK(error_of([&] { OneTransform("password", "length: 12", unique); }).empty());
    CHECK(contains(error_of([&] { OneTransform("password", "length: 11", unique); }), "different values the same"));
}
