#include "rules/rows/when.h"

#include <fmt/format.h>

#include "rules/rows/readable.h"

namespace pgsluice::rules {

std::optional<bool> When::applies_to(Row row) const {
    std::optional<bool> all = true;
    for (const Term& term : terms_) {
        const std::optional<bool> one = holds(term, row[term.column]);
        if (!one.value_or(true)) return false;
        if (!one) all.reset();
    }
    return all;
}

// An unchanged value (TOAST) is not known, but it is not NULL.
std::optional<bool> When::holds(const Term& term, const Value& value) const {
    if (term.op == Operator::is_null) return value.is_null();
    if (term.op == Operator::not_null) return !value.is_null();
    if (value.is_unchanged()) return std::nullopt;
    if (value.is_null()) return true;
    const std::string_view text = readable(value, term.type, term.predicate->reads_text(), place_);
    try {
        return term.predicate->passes(text);
    } catch (const Unreadable& unreadable) {
        stop(place_, fmt::format("of a value that 'when' reads: {}", unreadable.reason));
    }
}

}  // namespace pgsluice::rules
