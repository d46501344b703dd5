#include "rules/keys/key_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "rules/check.h"
#include "sql/error.h"
#include "stream/base/printable.h"
#include "stream/format/json_array.h"
#include "stream/full_name.h"

namespace pgsluice {
namespace {

using rules::ReferencedColumn;
using rules::ReferringColumn;
using Goes = ReferringColumn::Goes;

std::string_view name_of(Goes goes) {
    switch (goes) {
        case Goes::as_it_is:
            return "no rule";
        case Goes::inherited:
            return "inherited";
        case Goes::same_rules:
            return "same rules";
        case Goes::own_way:
            return "rules of its own";
        case Goes::refused:
            break;
    }
    return "refused";
}

std::string line_of(const ReferringColumn& one) {
    std::string line = fmt::format("  {}.{}.{}", one.table.schema, one.table.table, one.column);
    for (const ReferencedColumn& to : one.to)
        line += fmt::format("{}{}", &to == one.to.data() ? " -> " : ", ", to.text());
    line += fmt::format(": {}", name_of(one.goes));
    if (!one.rules.empty()) line += fmt::format(": {}", one.rules);
    if (!one.sample.empty()) line += fmt::format("; rows are {}, as what they refer to", one.sample);
    return printable(line) + '\n';
}

bool leaves_rows_out(const Ruleset& ruleset, const RelationPtr& relation) {
    try {
        const auto compiled = ruleset.compile(relation);
        return compiled == nullptr || compiled->leaves_rows_out();
    } catch (const Error&) {  // a problem of the check already
        return false;
    }
}

}  // namespace

std::string keys_text(std::span<const ReferringColumn> columns) {
    std::string text;
    for (const ReferringColumn& one : columns) text += line_of(one);
    return text.empty() ? text : "foreign keys\n" + text;
}

void append_key(JsonText& json, const ReferringColumn& one) {
    json.text("table", full_name(one.table));
    json.text("column", one.column);
    append_array(json, "refers_to", one.to, [&](const ReferencedColumn& to) { json.text(to.text()); });
    json.text("state", name_of(one.goes));
    json.text("rules", one.rules);
    if (!one.sample.empty()) json.text("sample", one.sample);
    if (!one.problem.empty()) json.text("problem", one.problem);
}

std::vector<std::string> lost_references(const Ruleset& ruleset, std::span<const CheckedTable> tables) {
    std::vector<std::string> warnings;
    const auto may_lose = [&](const QualifiedName& table) {
        return std::ranges::any_of(tables, [&](const CheckedTable& one) {
            return rules::is_or_is_below(*one.relation, table) && leaves_rows_out(ruleset, one.relation);
        });
    };
    for (const ReferringColumn& one : ruleset.referring_columns())
        for (const ReferencedColumn& to : one.to)
            if (!one.follows && may_lose(to.table))
                warnings.push_back(
                    fmt::format("rows of {}.{} may refer by '{}' to rows of {}.{} that the files leave out: a target "
                                "that checks this foreign key would refuse them",
                                one.table.schema, one.table.table, one.column, to.table.schema, to.table.table));
    return warnings;
}

}  // namespace pgsluice
