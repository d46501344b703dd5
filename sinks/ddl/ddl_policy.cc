#include "sinks/ddl/ddl_policy.h"

#include <fmt/format.h>

#include <array>

#include "sql/error.h"

namespace pgsluice {

namespace {

std::string_view trimmed(std::string_view text) {
    const auto from = text.find_first_not_of(' ');
    if (from == std::string_view::npos) return {};
    return text.substr(from, text.find_last_not_of(' ') - from + 1);
}

DdlAction parse_action(std::string_view text) {
    if (text == "apply") return DdlAction::apply;
    if (text == "stop") return DdlAction::stop;
    if (text == "ignore") return DdlAction::ignore;
    throw usage_error(fmt::format("unable to read the DDL policy: '{}' is no action", text),
                      "Use apply, stop or ignore, as in 'drop table=stop, index=ignore'.");
}

// "table" is in "drop table", and so is "drop".
bool is_meant(std::string_view name, std::string_view kind) {
    if (name == "all" || name == kind) return true;
    if (kind == "column type") return name == "column" || name == "alter";
    const auto space = kind.find(' ');
    if (space == std::string_view::npos) return false;
    constexpr std::array<std::string_view, 5> verbs{"create", "alter", "drop", "add", "rename"};
    const std::string_view verb = kind.substr(0, space);
    for (const std::string_view one : verbs)
        if (verb == one) return name == verb || name == kind.substr(space + 1);
    return false;
}

}  // namespace

DdlPolicy DdlPolicy::parse(std::string_view text) {
    DdlPolicy policy;
    while (!trimmed(text).empty()) {
        const std::string_view one = text.substr(0, text.find(','));
        text.remove_prefix(std::min(one.size() + 1, text.size()));
        const auto equals = one.find('=');
        const std::string_view name = trimmed(one.substr(0, equals));
        const DdlAction action =
            parse_action(equals == std::string_view::npos ? std::string_view() : trimmed(one.substr(equals + 1)));
        bool known = false;
        for (std::size_t i = 0; i < ddl_kinds; ++i) {
            const auto kind = static_cast<DdlKind>(i);
            if (!is_meant(name, name_of(kind))) continue;
            policy.actions_[kind] = action;
            known = true;
        }
        if (!known)
            throw usage_error(
                fmt::format("unable to read the DDL policy: '{}' is no kind of command", name),
                fmt::format("Use all, create, alter, drop, table, column, or one of: {}.", all_ddl_kinds()));
    }
    return policy;
}

std::optional<DdlAction> DdlPolicy::of(DdlKind kind) const {
    const auto found = actions_.find(kind);
    return found == actions_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace pgsluice
