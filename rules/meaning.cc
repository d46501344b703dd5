#include "rules/meaning.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "rules/rows/sampling.h"
#include "rules/transforms/hmac.h"
#include "stream/base/hex.h"

namespace pgsluice::rules {
namespace {

constexpr std::size_t digest_bytes = 8;

std::string text_of(const Condition& condition) {
    std::string text = fmt::format("{}{}", static_cast<int>(condition.op), condition.number ? " number" : "");
    if (condition.sampling != nullptr) text += " " + condition.sampling->meaning();
    for (const std::string& value : condition.values) text += fmt::format(" {} {}", value.size(), value);
    return text;
}

std::string text_of(const std::vector<ColumnCondition>& when) {
    std::string text;
    for (const auto& [column, condition] : when)
        text += fmt::format(" when {} {} {}", column.size(), column, text_of(condition));
    return text;
}

std::string target_of(const Route* route) {
    if (route == nullptr) return {};
    if (!route->replicate) return "-";
    if (route->target.schema.empty()) return route->target.table;
    return fmt::format("{}.{}", route->target.schema, route->target.table);
}

// What rows are there beside those of the source, and what is added to them; empty for a copy.
std::string text_of(const Keeping& keeping, const Route& route) {
    std::string text;
    for (std::size_t i = 0; i < keeping.constants.size(); ++i)
        text += fmt::format(" {}={}", route.constants[i].name, keeping.constants[i]);
    if (keeping.mode == Keeping::Mode::append) text += " append";
    if (keeping.mode != Keeping::Mode::history) return text;
    const HistoryColumns& history = keeping.history;
    text += fmt::format(" history {} {} {} {}", history.valid_from, history.valid_to, history.deleted, history.open);
    if (!history.first.empty()) text += fmt::format(" from {}", history.first);
    if (history.every_change) text += " of each change";
    return text;
}

// The computed columns that the source does not have.
std::string text_of_added(const std::vector<ComputedColumn>& computed, const Relation& relation) {
    std::string text;
    for (const ComputedColumn& one : computed)
        if (std::ranges::find(relation.columns, one.name, &Column::name) == relation.columns.end())
            text += fmt::format(" set {} {}", one.name, meaning_digest(one.expression.text));
    return text;
}

// One column's rules, in the file's order.
class ColumnMeaning {
   public:
    void add(const Rule& rule) {
        const std::string operations = rule.operations.all(row_operations) ? std::string{} : rule.operations.text();
        switch (rule.kind) {
            case Rule::Kind::keep:
                break;
            case Rule::Kind::exclude:
                excluded_ = true;
                break;
            case Rule::Kind::transform:
                values_ +=
                    fmt::format("transform {} on {}{}\n", rule.transform->meaning(), operations, text_of(rule.when));
                ++transforms_;
                break;
            case Rule::Kind::filter:
                if (!rule.condition) break;
                rows_ += fmt::format("after {}: {} on {}{}\n", transforms_, text_of(*rule.condition), operations,
                                     rule.allow_empty_deletes ? ", empty deletes" : "");
                break;
        }
    }
    void rename(const std::string& target) { values_ += fmt::format("named {}\n", target); }
    void set(const std::string& expression) { values_ += fmt::format("set {}\n", expression); }

    [[nodiscard]] std::string rules() const { return excluded_ ? "excluded" : meaning_digest(values_); }
    [[nodiscard]] std::string filters() const { return meaning_digest(rows_); }

   private:
    bool excluded_ = false;
    int transforms_ = 0;
    std::string values_;
    std::string rows_;
};

DeliveredColumn meaning_of(const Column& column, const CompilerInput& input) {
    ColumnMeaning meaning;
    if (input.rules != nullptr)
        for (const Rule& rule : input.rules->rules)
            if (rule.column == column.name) meaning.add(rule);
    if (input.route != nullptr)
        for (const auto& [source, target] : input.route->columns)
            if (source == column.name) meaning.rename(target);
    if (input.route != nullptr)
        for (const ComputedColumn& computed : input.route->set)
            if (computed.name == column.name) meaning.set(computed.expression.text);
    return {column.number, column.name, meaning.rules(), meaning.filters()};
}

}  // namespace

std::string meaning_digest(std::string_view text) {
    if (text.empty()) return {};
    static const Hmac hmac("pgsluice: meaning of rules");
    const auto whole = hmac.digest(text);
    return to_hex(std::span(whole).first(digest_bytes));
}

DeliveredRules meaning_of(const CompilerInput& input) {
    DeliveredRules meaning;
    meaning.table = fmt::format("{}.{}", input.relation->schema, input.relation->table);
    meaning.target = target_of(input.route);
    if (input.route != nullptr && !input.route->operations.all(all_operations))
        meaning.operations = input.route->operations.text();
    if (input.route != nullptr) meaning.target += text_of(input.route->keeping(*input.relation), *input.route);
    if (input.route != nullptr && !input.route->where.text.empty())
        meaning.target += " where " + meaning_digest(input.route->where.text);
    if (input.route != nullptr) meaning.target += text_of_added(input.route->set, *input.relation);
    for (const Column& column : input.relation->columns) meaning.columns.push_back(meaning_of(column, input));
    return meaning;
}

}  // namespace pgsluice::rules
