#include "cmd/cli/in_force.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace pgsluice {

namespace {

constexpr const char* hidden = "(hidden)";

// A plain scalar where it is one to every reader of YAML.
std::string yaml(const std::string& value) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("_./:+-@").find(c) != std::string_view::npos;
    };
    const bool safe = !value.empty() && std::ranges::all_of(value, plain) && value.front() != '-' &&
                      value.front() != ':' && value.front() != '@' && value.back() != ':';
    if (safe || value == hidden) return value;
    std::string quoted = "'";
    for (const char c : value) quoted += c == '\'' ? "''" : std::string(1, c);
    return quoted + '\'';
}

std::string yaml(const Flag& flag, const std::vector<std::string>& values) {
    std::vector<std::string> shown;
    for (const std::string& value : values) shown.push_back(yaml(shown_value(flag, value)));
    if (flag.kind != FlagKind::list && flag.kind != FlagKind::repeated) return shown.back();
    std::string text;
    for (const std::string& value : shown) text += (text.empty() ? "" : ", ") + value;
    return '[' + text + ']';
}

// What libpq adds by itself.
std::string of_libpq(const Environment& environment) {
    std::string text;
    for (const auto& [name, value] : environment)
        if (name.starts_with("PG") && !name.starts_with("PGSLUICE_") && !name.starts_with("PG_FLO_") && !value.empty())
            text += (text.empty() ? "" : ", ") + name;
    return text.empty() ? "" : fmt::format("# libpq also reads: {}\n", text);
}

std::string line_of(const Given& given) {
    if (!given.unusable.empty()) return fmt::format("# {}: {} ({})\n", given.flag->name, given.unusable, given.where);
    return fmt::format("{}: {}  # {}\n", given.flag->name, yaml(*given.flag, given.values), given.where);
}

std::string lines_of(const GivenSettings& given, std::string_view indent) {
    std::string text;
    for (const Flag& flag : flags())
        if (const Given* found = given.find(flag.name)) text.append(indent).append(line_of(*found));
    return text;
}

}  // namespace

std::string shown_value(const Flag& flag, std::string_view value) {
    const bool url = flag.name.ends_with("-url");
    const bool header = flag.kind == FlagKind::repeated;
    if (flag.kind == FlagKind::secret || header) return hidden;
    if (url && value.find('@') != std::string_view::npos) return hidden;
    if (url && value.find('?') != std::string_view::npos) return std::string(value.substr(0, value.find('?'))) + "?...";
    return std::string(value);
}

std::string settings_in_force(const GivenSettings& given, const std::string& path, const Environment& environment) {
    std::string text = path.empty() ? "# no configuration file\n" : fmt::format("# configuration file: {}\n", path);
    for (const Flag& flag : flags()) {
        if (flag.name == "config") continue;
        const Given* found = given.find(flag.name);
        if (found != nullptr)
            text += line_of(*found);
        else if (!flag.fallback.empty())
            text += fmt::format("{}: {}  # default\n", flag.name, yaml(std::string(flag.fallback)));
    }
    return text + of_libpq(environment);
}

std::string groups_in_force(const std::vector<GivenGroup>& groups) {
    std::string text = groups.empty() ? "" : "groups:\n";
    for (const GivenGroup& group : groups) {
        text += fmt::format("  {}:  # {}\n", yaml(group.name), group.place);
        text += lines_of(group.given, "    ");
        bool workers = false;
        for (const GivenPart& part : group.parts) {
            if (part.words == "replicator") {
                text += fmt::format("    replicator:  # {}\n", part.place) + lines_of(part.given, "      ");
                continue;
            }
            text += std::exchange(workers, true) ? "" : "    workers:\n";
            text +=
                fmt::format("      - sink: {}  # {}\n", yaml(part.words.substr(part.words.find(' ') + 1)), part.place);
            text += lines_of(part.given, "        ");
        }
    }
    return text;
}

}  // namespace pgsluice
