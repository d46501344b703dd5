#include "rules/node.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "rules/place.h"

namespace pgsluice::rules {
namespace {

constexpr int kMaxDepth = 32;  // an alias may point at its own parent

int line_of(const YAML::Node& yaml) { return yaml.Mark().line + 1; }

Node convert(const YAML::Node& yaml, const std::string& name, int depth);

void add_entry(Node& map, const YAML::Node& key, const YAML::Node& value, const std::string& name, int depth) {
    const Place place{name, line_of(key), {}, 0, {}};
    if (!key.IsScalar()) throw refuse(place, "a key must be a plain name");
    const std::string& text = key.Scalar();
    if (std::any_of(map.items.begin(), map.items.end(), [&](const Node& item) { return item.key == text; }))
        throw refuse(place, fmt::format("the key '{}' stands there twice", text));
    Node item = convert(value, name, depth + 1);
    item.key = text;
    item.line = line_of(key);
    map.items.push_back(std::move(item));
}

Node convert(const YAML::Node& yaml, const std::string& name, int depth) {
    Node node;
    node.line = line_of(yaml);
    if (depth > kMaxDepth) throw refuse({name, node.line, {}, 0, {}}, "nested too deeply");
    if (yaml.IsScalar()) {
        node.kind = Node::Kind::scalar;
        node.text = yaml.Scalar();
    } else if (yaml.IsSequence()) {
        node.kind = Node::Kind::list;
        for (const auto& item : yaml) node.items.push_back(convert(item, name, depth + 1));
    } else if (yaml.IsMap()) {
        node.kind = Node::Kind::map;
        for (const auto& entry : yaml) add_entry(node, entry.first, entry.second, name, depth);
    }
    return node;
}

}  // namespace

Node read_yaml(const std::string& text, const std::string& name) {
    try {
        const auto documents = YAML::LoadAll(text);
        if (documents.size() > 1) throw refuse({name, line_of(documents[1]), {}, 0, {}}, "a second YAML document");
        return documents.empty() ? Node{} : convert(documents[0], name, 0);
    } catch (const YAML::Exception& error) {
        throw refuse({name, error.mark.line + 1, {}, 0, {}}, fmt::format("not YAML: {}", error.msg));
    }
}

Node read_yaml_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!file)
        throw usage_error(fmt::format("unable to read '{}'", path), "Check that the file exists and is readable.");
    return read_yaml(text, path);
}

}  // namespace pgsluice::rules
