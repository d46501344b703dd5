// What doctest prints of values that it does not know. In the precompiled headers, so that every test has it.
#pragma once

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace doctest {

template <>
struct StringMaker<std::vector<std::string>> {
    static String convert(const std::vector<std::string>& values) {
        std::string text = "{";
        for (const std::string& value : values) text += (text.size() > 1 ? ", '" : "'") + value + "'";
        return (text + "}").c_str();
    }
};

}  // namespace doctest
