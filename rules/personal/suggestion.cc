#include "rules/personal/suggestion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "rules/personal/proposal.h"
#include "stream/base/printable.h"

namespace pgsluice::rules {

namespace {

// Its rule is not that of the column that it refers to.
std::string with_mismatch(const std::string& rule) {
    const std::string_view begin = "{type: transform, ";
    if (!rule.starts_with(begin)) return rule;
    return fmt::format("{}allow_key_mismatch: true, {}", begin, rule.substr(begin.size()));
}

}  // namespace

ExaminedTable Suggestion::examine(const SampledTable& table) {
    ExaminedTable examined{table.relation, table.facts, {}};
    const Relation& relation = *table.relation;
    for (std::size_t i = 0; i < relation.columns.size(); ++i)
        examined.columns.push_back({inspect(relation, relation.columns[i], table.facts[i], table.values[i])});
    return examined;
}

bool Suggestion::hide(const ExaminedTable& table, std::size_t column, const Finding& finding) {
    const Relation& relation = *table.relation;
    for (std::string& rule : proposals(finding, relation.columns[column], table.facts[column].nullable)) {
        if (table.columns[column].other_type) rule = with_mismatch(rule);
        if (!trial_.takes(table.relation, rule)) continue;
        tables_ += fmt::format("      # {}: {}\n      - {}\n", what(finding.kind), printable(finding.reason), rule);
        return true;
    }
    const std::string name = yaml_text(relation.columns[column].name);
    undecided_.push_back(fmt::format("{}.{}.{}", relation.schema, relation.table, relation.columns[column].name));
    tables_ += fmt::format(
        "      # DECIDE: {}: {}. No transform fits this column, which is part of a key or of a unique index.\n"
        "      # - {{type: keep, column: {}}}\n",
        what(finding.kind), printable(finding.reason), name);
    return false;
}

bool Suggestion::write(const ExaminedTable& table, std::size_t column) {
    const ExaminedColumn& examined = table.columns[column];
    if (!examined.goes_by.empty()) {
        tables_ += fmt::format("      # {}: the rules of {}, to which it refers\n",
                               yaml_text(table.relation->columns[column].name), printable(examined.goes_by));
        ++hidden_;
        return true;
    }
    bool all = !examined.findings.empty();
    for (const Finding& finding : examined.findings) all = hide(table, column, finding) && all;
    if (all) ++hidden_;
    return !examined.findings.empty();
}

void Suggestion::add(const ExaminedTable& table) {
    const Relation& relation = *table.relation;
    tables_ += fmt::format("  {}:\n    mode: strict\n    rules:\n", yaml_table(relation.schema, relation.table));
    const std::size_t before = tables_.size();
    std::vector<std::string> kept;
    for (std::size_t i = 0; i < relation.columns.size(); ++i)
        if (!write(table, i)) kept.push_back(yaml_text(relation.columns[i].name));
    kept_ += kept.size();
    if (!kept.empty())
        tables_ += fmt::format("      # nothing found\n      - {{type: keep, columns: [{}]}}\n", fmt::join(kept, ", "));
    if (tables_.find("      - ", before) == std::string::npos) tables_ += "      []\n";
}

void Suggestion::leave_out(const Relation& table, const std::string& why) {
    left_out_ += fmt::format("  # DECIDE: {}: its rows were not looked at: {}.\n",
                             yaml_table(table.schema, table.table), printable(why));
}

std::string Suggestion::text() const {
    const std::string head = fmt::format(
        "# Suggested by pgsluice check rules --suggest, from names, types, comments, labels and at most {} rows of "
        "each\n"
        "# table. Read it before you use it: what is kept may be personal all the same.\n"
        "secret_env: PGSLUICE_RULES_SECRET  # a long secret of your own; keep it as you keep passwords\n"
        "mode: strict                       # a table or column that no rule names stops a worker\n"
        "tables:\n",
        sample_);
    return head + left_out_ + (tables_.empty() ? "  {}\n" : tables_);
}

}  // namespace pgsluice::rules
