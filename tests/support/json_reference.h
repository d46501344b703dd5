// A second opinion on transforms inside JSON: the document as a tree, the places that paths name looked up one by one.
// Strings must hold nothing that needs a backslash.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace pgsluice::rules_test {

// What stands at a place: `value` is the text of a string or a scalar as written; the result is the JSON for it.
struct JsonPlace {
    enum class Is { string, null, scalar, nested } is;
    std::string value;
};

// "$.a[*].b", "$..s", "$.*", "$.a[0]".
std::string rewrite_json(const std::string& document, const std::vector<std::string>& paths, bool whole,
                         const std::function<std::string(const JsonPlace&)>& replace);

}  // namespace pgsluice::rules_test
