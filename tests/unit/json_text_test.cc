#include "sinks/lines/json_bytes.h"

#include <doctest/doctest.h>

using namespace pgsluice;

namespace {

std::string compact(std::string_view text) {
    JsonCompactor compactor;
    std::string out = "before ";
    const bool valid = compactor.append(out, text);
    REQUIRE(out.starts_with("before "));
    if (!valid) {
        CHECK(out == "before ");
        return "invalid";
    }
    return out.substr(7);
}

}  // namespace

TEST_CASE("numbers: JSON's grammar and nothing else") {
    for (const std::string_view good :
         {"0", "-0", "7", "-12", "1.5", "0.25", "1e+20", "1e-05", "1.7976931348623157e+308", "10E5"}) {
        CHECK(is_json_number(good));
    }
    for (const std::string_view bad : {"", "-", "+1", "01", ".5", "5.", "1e", "1e+", "NaN", "Infinity", "-Infinity",
                                       "1 ", " 1", "0x1", "1***5", "1,5"}) {
        CHECK_FALSE(is_json_number(bad));
    }
}

TEST_CASE("documents lose the white space between tokens and nothing else") {
    CHECK(compact("{\"a\": 1, \"b\": [1, 2, {\"c\": null}]}") == R"({"a":1,"b":[1,2,{"c":null}]})");
    CHECK(compact(" {\n\t\"a b\" : \"x  y\" ,\r\n \"a b\" : -1.50e+3 } ") == R"({"a b":"x  y","a b":-1.50e+3})");
    CHECK(compact("\"a\\n\\u00e9\\\"\\/ é\"") == "\"a\\n\\u00e9\\\"\\/ é\"");
    CHECK(compact("[]") == "[]");
    CHECK(compact("{}") == "{}");
    CHECK(compact("[[], {}, [ ]]") == "[[],{},[]]");
    for (const std::string_view scalar : {"null", "true", "false", "0", "-1e9", "\"\""})
        CHECK(compact(scalar) == scalar);
    const std::string deep = std::string(5000, '[') + std::string(5000, ']');
    CHECK(compact(deep) == deep);
}

TEST_CASE("documents with half a surrogate pair are refused, whole ones are not") {
    for (const std::string_view good :
         {R"("\ud83d\ude00")", R"("a\uDBFF\uDFFFb")", R"("\ud7ff\ue000")", R"("\\ud800")"})
        CHECK(compact(good) == good);
    for (const std::string_view bad : {R"("\ud800")", R"("\uDC00")", R"("\ud800x")", R"("\ud800\n")",
                                       R"("\ud800\ud800")", R"("\ud800\u0041")", R"({"\udfff":1})"}) {
        CAPTURE(bad);
        CHECK(compact(bad) == "invalid");
    }
}

TEST_CASE("documents that are none are refused") {
    for (const std::string_view bad :
         {"",      " ",          "{",       "}",           "[",         "]",          "[1",
          "[1,]",  "[,1]",       "[1 2]",   "{\"a\"}",     "{\"a\":}",  "{\"a\":1,}", "{a:1}",
          "{1:2}", "{\"a\":1]",  "[1}",     "1 2",         "nul",       "truex",      "'a'",
          "\"a",   "\"a\\\"",    "\"\\x\"", "\"\\u12g4\"", "\"\\u12\"", "\"a\nb\"",   "\"\xff\"",
          "*",     "{\"a\"::1}", ",",       ":",           "\"a\":1",   "[1]x",       "{\"*********\"***}"}) {
        CAPTURE(bad);
        CHECK(compact(bad) == "invalid");
    }
}
