#include "sinks/postgres/array.h"

#include <doctest/doctest.h>

#include <stdexcept>

using namespace pgsluice;
using namespace std::string_literals;

TEST_CASE("arrays in text form quote every element") {
    CHECK(text_array(std::vector<std::string>{}) == "{}");
    CHECK(text_array(std::vector<std::string>{"a", "", "NULL", "x,y", "q\"\\"}) == R"({"a","","NULL","x,y","q\"\\"})");
}

TEST_CASE("arrays in binary form") {
    BinaryArray array;
    array.start();
    array.add(Value("ab"));
    array.add(Value(""));
    CHECK(array.finish() == "\0\0\0\1\0\0\0\0\0\0\0\x19\0\0\0\2\0\0\0\1\0\0\0\2ab\0\0\0\0"s);
    array.start();
    array.add(Value());
    CHECK(array.finish() == "\0\0\0\1\0\0\0\1\0\0\0\x19\0\0\0\1\0\0\0\1\xff\xff\xff\xff"s);
    CHECK_THROWS_AS(array.add(Value::unchanged()), std::logic_error);
}
