#include "cmd/cli/environment.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "cmd/cli/suggest.h"
#include "cmd/cli/value.h"
#include "sql/error.h"

namespace pgsluice {

namespace {

constexpr std::array prefixes{"PG_FLO_", "PGSLUICE_"};  // the later one wins

std::vector<std::string> variable_names() {
    std::vector<std::string> names;
    for (const Flag& flag : flags()) names.push_back("PGSLUICE_" + environment_suffix(flag.name));
    return names;
}

std::vector<std::string> values_of(const Flag& flag, const std::string& variable, const std::string& text) {
    if (flag.kind != FlagKind::list) return {text};
    try {
        return split_list(text);
    } catch (const BadValue& bad) {
        throw usage_error(fmt::format("bad value of {}: {}", variable, bad.what()));
    }
}

}  // namespace

Environment process_environment() {
    Environment environment;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const std::size_t equals = text.find('=');
        if (equals != std::string_view::npos) environment.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return environment;
}

GivenSettings read_environment(const Environment& environment) {
    GivenSettings given;
    for (const Flag& flag : flags()) {
        for (const char* prefix : prefixes) {
            const std::string variable = prefix + environment_suffix(flag.name);
            const auto found = environment.find(variable);
            if (found == environment.end() || found->second.empty()) continue;
            given.add({&flag, Level::environment, variable, values_of(flag, variable, found->second)});
        }
    }
    return given;
}

std::vector<std::string> misspelt_variables(const Environment& environment) {
    const std::vector<std::string> known = variable_names();
    std::vector<std::string> suffixes;
    suffixes.reserve(known.size());
    for (const std::string& variable : known) suffixes.push_back(variable.substr(9));
    std::vector<std::string> out;
    for (const auto& [name, value] : environment) {
        if (name.rfind("PGSLUICE_", 0) != 0 || std::find(known.begin(), known.end(), name) != known.end()) continue;
        const std::string meant = nearest(name.substr(9), suffixes);
        if (meant.empty()) continue;
        out.push_back(fmt::format("environment variable {} is not a setting; did you mean PGSLUICE_{}?", name, meant));
    }
    return out;
}

}  // namespace pgsluice
