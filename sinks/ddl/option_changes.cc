#include "sinks/ddl/option_changes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "sql/quote.h"

namespace pgsluice {

namespace {

using Options = std::map<std::string, std::string>;

// "fillfactor=70" -> fillfactor, 70
Options values_of(const std::vector<std::string>& options) {
    Options values;
    for (const std::string& option : options) {
        const auto equals = option.find('=');
        const bool plain = option.find_first_not_of("abcdefghijklmnopqrstuvwxyz_.0123456789") >= equals;
        if (equals != std::string::npos && plain) values[option.substr(0, equals)] = option.substr(equals + 1);
    }
    return values;
}

}  // namespace

std::vector<std::string> option_changes(const std::vector<std::string>& before, const std::vector<std::string>& after) {
    const Options old = values_of(before);
    const Options now = values_of(after);
    std::vector<std::string> set;
    std::vector<std::string> reset;
    for (const auto& [name, value] : now) {
        const auto was = old.find(name);
        if (was == old.end() || was->second != value)
            set.push_back(fmt::format("{} = {}", name, sql::quote_literal(value)));
    }
    for (const auto& [name, value] : old)
        if (!now.contains(name)) reset.push_back(name);
    std::vector<std::string> changes;
    if (!set.empty()) changes.push_back(fmt::format("SET ({})", fmt::join(set, ", ")));
    if (!reset.empty()) changes.push_back(fmt::format("RESET ({})", fmt::join(reset, ", ")));
    return changes;
}

}  // namespace pgsluice
