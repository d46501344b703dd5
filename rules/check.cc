#include "rules/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "rules/keys/key_report.h"
#include "rules/rule.h"
#include "sql/error.h"
#include "stream/base/printable.h"
#include "stream/format/json_array.h"
#include "stream/full_name.h"

namespace pgsluice {
namespace {

std::string row_text(const Relation& relation, Row row) {
    std::string text;
    for (std::size_t i = 0; i < row.size(); ++i) {
        text += fmt::format("{}{}=", i == 0 ? "" : " ", printable(relation.columns[i].name));
        text += row[i].is_null()        ? "NULL"
                : row[i].is_unchanged() ? "unchanged"
                                        : fmt::format("'{}'", printable(row[i].text()));
    }
    return text;
}

void check_sample(const CompiledRules& compiled, const Relation& relation, Row row, RulesCheck& check) {
    Change change;
    change.relation = &relation;
    change.new_row = row;
    Arena arena;
    check.text += fmt::format("  before  {}\n", row_text(relation, row));
    try {
        const bool passes = compiled.apply(change, arena);
        check.text +=
            fmt::format("  after   {}\n", passes ? row_text(*compiled.target(), change.new_row) : "(left out)");
    } catch (const Error& error) {
        check.text += "  after   (the worker would stop)\n";
        check.problems.push_back(in_one_line(error));
    }
}

void check_table(const Ruleset& ruleset, const CheckedTable& table, RulesCheck& check) {
    const Relation& relation = *table.relation;
    check.text += printable(full_name(relation));
    std::shared_ptr<const CompiledRules> compiled;
    try {
        compiled = ruleset.compile(table.relation);
    } catch (const Error& error) {
        check.text += ": refused\n";
        check.problems.push_back(in_one_line(error));
        return;
    }
    if (compiled == nullptr) {
        check.text += ": not replicated\n";
        return;
    }
    const auto steps = compiled->describe();
    check.text += steps.empty() ? ": as it is\n" : "\n";
    for (const std::string& step : steps) check.text += fmt::format("  {}\n", printable(step));
    check.warnings.insert(check.warnings.end(), compiled->warnings().begin(), compiled->warnings().end());
    for (const Row row : table.samples) check_sample(*compiled, relation, row, check);
}

}  // namespace

RulesCheck check_rules(const Ruleset& ruleset, std::span<const CheckedTable> tables) {
    RulesCheck check;
    for (const CheckedTable& table : tables) check_table(ruleset, table, check);
    for (const std::string& name : ruleset.tables()) {
        const auto wanted = rules::TableName::parse_pattern(name, {});
        const bool there = std::any_of(tables.begin(), tables.end(),
                                       [&](const CheckedTable& table) { return wanted.covers(*table.relation); });
        if (!there) check.warnings.push_back(fmt::format("the files name table '{}', which does not exist", name));
    }
    check.foreign_keys = ruleset.referring_columns();
    check.text += keys_text(check.foreign_keys);
    std::ranges::move(lost_references(ruleset, tables), std::back_inserter(check.warnings));
    return check;
}

std::string rules_check_json(const RulesCheck& check) {
    JsonText json;
    json.raw('{');
    append_objects(json, "foreign_keys", check.foreign_keys,
                   [&](const rules::ReferringColumn& one) { append_key(json, one); });
    const auto add = [&](const std::string& text) { json.text(text); };
    append_array(json, "problems", check.problems, add);
    append_array(json, "warnings", check.warnings, add);
    json.raw("}\n");
    return std::string(json.view());
}

}  // namespace pgsluice
