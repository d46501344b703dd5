// The texts within a value that holds several: the strings and numbers of JSON, the elements of an array.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace pgsluice::rules {

// The names of members on the way to a leaf; an element of an array is "[*]".
using UseLeaf = std::function<void(std::string_view path, std::string_view text)>;

// Calls `use` for each string (decoded), number and boolean; `path` is one as the transform json takes it:
// `$.items[*]."a name"`. False where the text is not JSON; `use` may have been called by then.
bool each_json_leaf(std::string_view json, const UseLeaf& use);
// Names of members, decoded; at any depth.
bool each_json_name(std::string_view json, const std::function<void(std::string_view name)>& use);

// Each element of PostgreSQL's text of an array that is not NULL, also of arrays within it; false where it is none.
bool each_array_element(std::string_view text, const std::function<void(std::string_view element)>& use);

}  // namespace pgsluice::rules
