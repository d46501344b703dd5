#include "sinks/ddl/option_changes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "sql/quote.h"

namespace pgsluice {

namespace {

using Options = std::vector<std::pair<std::string, std::string>>;  // in the order in which they were set

// "fillfactor=70" -> fillfactor, 70
Options values_of(const std::vector<std::string>& options) {
    Options values;
    for (const std::string& option : options) {
        const auto equals = option.find('=');
        const bool plain = option.find_first_not_of("abcdefghijklmnopqrstuvwxyz_.0123456789") >= equals;
        if (equals != std::string::npos && plain)
            values.emplace_back(option.substr(0, equals), option.substr(equals + 1));
    }
    return values;
}

const std::string* find(const Options& options, const std::string& name) {
    for (const auto& [known, value] : options)
        if (known == name) return &value;
    return nullptr;
}

}  // namespace

std::vector<std::string> option_changes(const std::vector<std::string>& before, const std::vector<std::string>& after) {
    const Options old = values_of(before);
    const Options now = values_of(after);
    std::vector<std::string> set;
    std::vector<std::string> reset;
    for (const auto& [name, value] : now) {
        const std::string* was = find(old, name);
        if (was == nullptr || *was != value) set.push_back(fmt::format("{} = {}", name, sql::quote_literal(value)));
    }
    for (const auto& [name, value] : old)
        if (find(now, name) == nullptr) reset.push_back(name);
    std::vector<std::string> changes;
    if (!set.empty()) changes.push_back(fmt::format("SET ({})", fmt::join(set, ", ")));
    if (!reset.empty()) changes.push_back(fmt::format("RESET ({})", fmt::join(reset, ", ")));
    return changes;
}

}  // namespace pgsluice
