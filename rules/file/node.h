// A configuration file as a plain tree with line numbers; the YAML library is used in node.cc only.
#pragma once

#include <string>
#include <vector>

namespace pgsluice::rules {

struct Node {
    enum class Kind { null, scalar, list, map } kind = Kind::null;
    int line = 0;             // from 1
    std::string text;         // of a scalar
    std::string key;          // of a map's entry
    std::vector<Node> items;  // of a list or map
    bool quoted = false;      // a scalar in quotes

    [[nodiscard]] bool is_null() const { return kind == Kind::null; }
    [[nodiscard]] bool is_scalar() const { return kind == Kind::scalar; }
    [[nodiscard]] bool is_list() const { return kind == Kind::list; }
    [[nodiscard]] bool is_map() const { return kind == Kind::map; }
};

// A usage Error when the file cannot be read.
std::string read_yaml_text(const std::string& path);
// usage Error when the text is not YAML, holds more than one document, repeats a key, or has an alias inside what it
// refers to, or a merge key. `name` names the file in errors.
Node read_yaml(const std::string& text, const std::string& name);

}  // namespace pgsluice::rules
