#include "cmd/cli/config_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "cmd/cli/references.h"
#include "cmd/cli/suggest.h"
#include "cmd/cli/value.h"
#include "sql/error.h"

namespace pgsluice {

GivenSettings ConfigReader::flags_of(const YAML::Node& mapping, Level level,
                                     std::span<const std::string_view> others) const {
    GivenSettings given;
    if (mapping.IsNull()) return given;
    if (!mapping.IsMap()) refuse(mapping, "expected a mapping of flag names to values");
    for (const auto& entry : mapping) {
        if (entry.first.IsScalar() && std::ranges::find(others, entry.first.Scalar()) != others.end()) continue;
        const Flag& flag = flag_for(entry.first);
        if (given.find(flag.name) != nullptr) refuse(entry.first, fmt::format("'{}' is given twice", flag.name));
        std::vector<std::string> values = values_of(flag, entry.second);
        if (values.empty()) continue;  // "password:" without a value is not set
        given.add(given_in_file(flag, entry.second, level, std::move(values)));
    }
    return given;
}

// A reference that cannot be followed matters only to a command that needs the value.
Given ConfigReader::given_in_file(const Flag& flag, const YAML::Node& node, Level level,
                                  std::vector<std::string> values) const {
    Given given{&flag, level, fmt::format("'{}' ({})", flag.name, place(node)), std::move(values)};
    given.refers = std::ranges::any_of(given.values, has_references);
    try {
        std::vector<std::string> expanded;
        for (const std::string& value : given.values) {
            const std::string text = expand_references(value, environment_);
            const bool splits = flag.kind == FlagKind::list && text != value;
            for (std::string& item : splits ? split_list(text) : std::vector{text}) expanded.push_back(std::move(item));
        }
        given.values = std::move(expanded);
    } catch (const BadValue& bad) {
        given.unusable = bad.what();
    }
    return given;
}

std::string ConfigReader::place(const YAML::Mark& mark) const { return fmt::format("{}:{}", path_, mark.line + 1); }

void ConfigReader::refuse(const YAML::Node& node, const std::string& reason, const std::string& hint) const {
    throw usage_error(fmt::format("{}: {}", place(node), reason), hint);
}

YAML::Node ConfigReader::parse(const std::string& text) const {
    try {
        return YAML::Load(text);
    } catch (const YAML::ParserException& error) {
        throw usage_error(fmt::format("{}: unable to read as YAML: {}", place(error.mark), error.msg));
    }
}

const Flag& ConfigReader::flag_for(const YAML::Node& key) const {
    if (!key.IsScalar()) refuse(key, "expected the name of a flag");
    std::string name = key.Scalar();
    std::replace(name.begin(), name.end(), '_', '-');
    const Flag* flag = find_flag(name);
    if (name == "config") refuse(key, "a configuration file cannot name another");
    if (flag == nullptr) {
        std::vector<std::string> names;
        for (const Flag& known : flags()) {
            names.emplace_back(known.name);
        }
        refuse(key, fmt::format("unknown key '{}'", key.Scalar()), did_you_mean(name, names));
    }
    return *flag;
}

std::vector<std::string> ConfigReader::values_of(const Flag& flag, const YAML::Node& node) const {
    const bool many = flag.kind == FlagKind::list || flag.kind == FlagKind::repeated;
    if (node.IsNull()) return {};
    if (node.IsScalar()) {
        if (node.Scalar().empty()) return {};
        if (flag.kind != FlagKind::list) return {node.Scalar()};
        try {
            return split_list(node.Scalar());
        } catch (const BadValue& bad) {
            refuse(node, fmt::format("bad value of '{}': {}", flag.name, bad.what()));
        }
    }
    if (!many || !node.IsSequence()) {
        refuse(node, fmt::format("'{}' takes {}", flag.name, many ? "a list of values" : "one value"));
    }
    std::vector<std::string> values;
    for (const YAML::Node& item : node) {
        if (!item.IsScalar() || item.Scalar().empty())
            refuse(item, fmt::format("'{}' takes a list of values", flag.name));
        values.push_back(item.Scalar());
    }
    return values;
}

}  // namespace pgsluice
