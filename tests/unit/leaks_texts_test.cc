// What hidden values are known by, and what is not looked for.
#include <doctest/doctest.h>

#include <set>

#include "cmd/leaks/needles.h"
#include "cmd/leaks/sightings.h"
#include "cmd/leaks/texts.h"
#include "cmd/leaks/tokens.h"

using namespace pgsluice;
using rules::ValueType;

namespace {

// Where a value that is hidden is seen in a text: how many values.
std::size_t seen(const std::string& hidden, const std::string& text, ValueType type = ValueType::text) {
    Needles needles;
    Needles::Column column(needles, "public.users.c");
    column.add(hidden, {});
    column.finish(1);
    needles.close();
    const ChanceByColumn chances;
    Sightings sightings(needles, chances);
    sightings.look(sightings.place("target", "public.notes.note"), text, type);
    const auto leaks = sightings.leaks();
    return leaks.empty() ? 0 : leaks[0].values;
}

std::set<std::string> texts(const std::string& value, ValueType type) {
    std::set<std::string> found;
    each_text(value, type, false, [&](std::string_view text) { found.insert(std::string(text)); });
    return found;
}

}  // namespace

TEST_CASE("a hidden value is seen whole, within a text, in JSON, in arrays, in other spellings") {
    const std::string email = "frieda.keller@corp.com";
    CHECK(seen(email, email) == 1);
    CHECK(seen(email, "write to Frieda.Keller@corp.com, please") == 1);
    CHECK(seen(email, R"({"a": [{"b": "x frieda.keller@corp.com"}]})", ValueType::json) == 1);
    CHECK(seen(email, R"({"frieda.keller@corp.com": 1})") == 1);
    CHECK(seen(email, R"({"a": "{\"b\": \"\\nfrieda.keller@corp.com\"}"})") == 1);
    CHECK(seen(email, R"({x,"a \"frieda.keller@corp.com\""})", ValueType::array) == 1);
    CHECK(seen(email, "https://x.example/?to=frieda.keller%40corp.com") == 1);
    CHECK(seen(email,
               "\\x"
               "6672696564612e6b656c6c657240636f72702e636f6d",
               ValueType::bytea) == 1);
    CHECK(seen("+49 (30) 901-820", "4930901820") == 1);
    CHECK(seen("Müller-Lüdenscheidt", R"({"n": "M\u00fcller L\u00fcdenscheidt"})", ValueType::json) == 1);
    CHECK(seen("203.0.113.7", "from 203.0.113.7:80") == 1);
    CHECK(seen(email, "frieda@corp.com") == 0);
    CHECK(seen(email, "frieda.kellers@corp.com") == 0);
    CHECK(seen("203.0.113.7", "20301137") == 0);
}

TEST_CASE("a part of a long text is seen") {
    std::string text;
    for (int i = 0; i < 40; ++i) text += "word" + std::to_string(i) + " ";
    CHECK(seen(text, "... " + text.substr(text.find("word8"), 110) + " ...") > 0);
}

TEST_CASE("values that do not say whose they are are not looked for") {
    for (const char* text :
         {"yes", "", "  ", "active", "12345", "2024-01-02", "19.99", "Berlin", "New York", "pending"})
        CHECK_MESSAGE(is_telling(text) != Telling::yes, text);
    for (const char* text : {"a1b2c3", "frieda@corp.com", "078-05-1120", "10.0.0.1", "Keller, F.", "kanarienvogel"})
        CHECK_MESSAGE(is_telling(text) == Telling::yes, text);
}

TEST_CASE("values of many rows, and what the rule leaves, are not looked for") {
    Needles needles;
    Needles::Column column(needles, "public.users.c");
    for (int i = 0; i < 100; ++i) column.add("the same everywhere", {});
    column.add("only once here", {});
    std::unordered_set<std::uint64_t> left;
    each_window("corp.example", needles.key(), [&](std::uint64_t hash) { left.insert(hash); });
    column.add("corp.example", left);
    column.finish(101);
    CHECK(needles.columns()[0].values == 1);
    CHECK(needles.columns()[0].common == 100);
    CHECK(needles.columns()[0].kept == 1);
}

TEST_CASE("what a fake may be by chance is a leak only where there is more of it") {
    Needles needles;
    Needles::Column column(needles, "public.users.name");
    for (const char* name : {"Jason Hansen", "Lynn Keller", "Gerald Mclean", "Jason Keller"}) column.add(name, {});
    column.add("Xaviera Quux", {});
    column.finish(5);
    needles.close();
    const ChanceByColumn chances{{"public.users.name", {100, 1}}};
    const auto leaks = [&](const std::vector<std::string>& names, const std::string& in) {
        Sightings sightings(needles, chances);
        for (const std::string& name : names) sightings.look(sightings.place("target", in), name, ValueType::text);
        return sightings.leaks();
    };
    CHECK(leaks({"Jason Hansen", "a", "b"}, "public.users.name").empty());
    CHECK(leaks({"Jason Hansen", "a", "b"}, "public.notes.text").size() == 1);
    CHECK(leaks({"Xaviera Quux", "a", "b"}, "public.users.name").size() == 1);
    const auto raw = leaks({"Jason Hansen", "Lynn Keller", "Gerald Mclean", "Jason Keller"}, "public.users.name");
    REQUIRE(raw.size() == 1);
    CHECK(raw[0].rows == 4);
}

TEST_CASE("texts within values are found where they are") {
    CHECK(texts(R"({"a": "x", "b": [1, "y"], "c": null})", ValueType::json) == std::set<std::string>{"x", "1", "y"});
    CHECK(texts("{a,\"b c\",NULL,{d}}", ValueType::array) == std::set<std::string>{"a", "b c", "d"});
    CHECK(texts("{not json", ValueType::text) == std::set<std::string>{"{not json"});
}
