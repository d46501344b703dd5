#include "rules/personal/inspection.h"

#include <fmt/format.h>

#include "rules/personal/column_names.h"
#include "rules/personal/json_tally.h"
#include "rules/personal/value_tally.h"
#include "rules/values/leaves.h"
#include "rules/values/value_type.h"

namespace pgsluice::rules {
namespace {

// Which say more than a name does.
bool is_certain(PersonalKind kind) {
    switch (kind) {
        case PersonalKind::email:
        case PersonalKind::iban:
        case PersonalKind::card:
        case PersonalKind::ssn:
        case PersonalKind::mac:
        case PersonalKind::ip:
            return true;
        default:
            return false;
    }
}

bool is_vague(PersonalKind kind) {
    return kind == PersonalKind::none || kind == PersonalKind::note || kind == PersonalKind::labelled;
}

PersonalKind kind_of_label(const std::string& label) {
    if (label.empty() || label.starts_with("NOT MASKED")) return PersonalKind::none;
    const PersonalKind kind = kind_by_name(name_words(label), {});
    return is_vague(kind) ? PersonalKind::labelled : kind;
}

ValueFinding look_at(std::span<const Value> values, ValueType type) {
    ValueTally tally;
    for (const Value& value : values) {
        if (!value.is_text()) continue;
        if (type == ValueType::array) {
            each_array_element(value.text(), [&](std::string_view element) { tally.add(element); });
        } else {
            tally.add(value.text());
        }
    }
    const ValueFinding finding = tally.finding();
    const bool telling = is_text(type) || type == ValueType::array || is_certain(finding.kind) ||
                         (type == ValueType::other && finding.kind == PersonalKind::note);
    return telling ? finding : ValueFinding{};
}

bool has_text(ValueType type) {
    return is_text(type) || type == ValueType::array || type == ValueType::number || type == ValueType::other;
}

void add_reason(std::string& reasons, std::string_view reason) {
    if (!reasons.empty()) reasons += ", ";
    reasons += reason;
}

// What the column's name, comment and label say.
Finding said(const Relation& relation, const Column& column, const ColumnFacts& facts) {
    Finding finding;
    const auto take = [&](PersonalKind kind, std::string_view reason) {
        if (kind == PersonalKind::none) return;
        add_reason(finding.reason, reason);
        if (is_vague(finding.kind))
            finding.kind = is_vague(kind) && finding.kind != PersonalKind::none ? finding.kind : kind;
    };
    take(kind_of_label(facts.label), "its label for anon");
    take(kind_by_name(relation, column), "its name or type");
    take(kind_by_comment(facts.comment), "its comment");
    return finding;
}

}  // namespace

std::vector<Finding> inspect(const Relation& relation, const Column& column, const ColumnFacts& facts,
                             std::span<const Value> values) {
    const ValueType type = value_type(column);
    Finding finding = said(relation, column, facts);
    if (type == ValueType::json) {
        JsonTally tally;
        for (const Value& value : values)
            if (value.is_text()) tally.add(value.text());
        auto about = name_words(relation.table);
        for (std::string& word : name_words(column.name)) about.push_back(std::move(word));
        if (auto within = tally.findings(about); !within.empty()) return within;
        if (finding.kind == PersonalKind::note) return {};  // what is in it was looked at
    } else if (has_text(type)) {
        const ValueFinding seen = look_at(values, type);
        if (seen.kind != PersonalKind::none) {
            add_reason(finding.reason, fmt::format("{} of {} different values", seen.hits, seen.values));
            if (is_vague(finding.kind) || is_certain(seen.kind)) finding.kind = seen.kind;
        }
    }
    if (finding.kind == PersonalKind::none) return {};
    return {finding};
}

}  // namespace pgsluice::rules
