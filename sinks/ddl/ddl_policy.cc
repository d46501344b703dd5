#include "sinks/ddl/ddl_policy.h"

#include <fmt/format.h>

#include <algorithm>
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

std::vector<DdlKind> meant(std::string_view name) {
    std::vector<DdlKind> kinds;
    for (std::size_t i = 0; i < ddl_kinds; ++i)
        if (const auto kind = static_cast<DdlKind>(i); is_meant(name, name_of(kind))) kinds.push_back(kind);
    if (kinds.empty())
        throw usage_error(fmt::format("unable to read the DDL policy: '{}' is no kind of command", name),
                          fmt::format("Use all, create, alter, drop, table, column, or one of: {}.", all_ddl_kinds()));
    return kinds;
}

}  // namespace

DdlPolicy DdlPolicy::parse(std::string_view text) {
    DdlPolicy policy;
    while (!trimmed(text).empty()) {
        const std::string_view one = text.substr(0, text.find(','));
        text.remove_prefix(std::min(one.size() + 1, text.size()));
        policy.add(one);
    }
    return policy;
}

void DdlPolicy::add(std::string_view entry) {
    constexpr std::string_view on = " on ";
    const auto equals = entry.rfind('=');
    const std::string_view subject = trimmed(entry.substr(0, equals));
    const DdlAction action =
        parse_action(equals == std::string_view::npos ? std::string_view() : trimmed(entry.substr(equals + 1)));
    const auto of_table = subject.find(on);
    Actions actions;
    for (const DdlKind kind : meant(trimmed(subject.substr(0, of_table)))) actions[kind] = action;
    if (of_table == std::string_view::npos) {
        for (const auto& [kind, chosen] : actions) actions_[kind] = chosen;
    } else {
        of_tables_.emplace_back(parse_table_pattern(trimmed(subject.substr(of_table + on.size())), "public"),
                                std::move(actions));
    }
}

std::optional<DdlAction> DdlPolicy::of(DdlKind kind, const std::vector<QualifiedName>& tables) const {
    if (tables.empty()) return of_one(kind, {});
    std::optional<DdlAction> action = of_one(kind, tables.front());
    for (const QualifiedName& table : tables)
        if (of_one(kind, table) != action) action = DdlAction::stop;
    return action;
}

std::optional<DdlAction> DdlPolicy::of_one(DdlKind kind, const QualifiedName& table) const {
    for (auto entry = of_tables_.rbegin(); entry != of_tables_.rend(); ++entry) {
        if (!entry->first.matches(table.schema, table.table)) continue;
        if (const auto found = entry->second.find(kind); found != entry->second.end()) return found->second;
    }
    const auto found = actions_.find(kind);
    return found == actions_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace pgsluice
