// A rule's `when`: conditions on the source's row, before any rule. Where one of them is false, the rule's transform is
// not applied.
//
// Only what is false counts: NULL makes no condition false, so that what nothing is known of is hidden.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "rules/filter.h"
#include "stream/change.h"

namespace pgsluice::rules {

class When {
   public:
    struct Term {
        std::size_t column = 0;  // of the source
        Operator op = Operator::eq;
        ValueType type = ValueType::other;
        std::shared_ptr<const Predicate> predicate;  // null for is_null and not_null
    };

    When(std::vector<Term> terms, Place place) : terms_(std::move(terms)), place_(std::move(place)) {}

    [[nodiscard]] const std::vector<Term>& terms() const { return terms_; }
    // Whether the transform is to be applied to this row; nothing where that depends on an unchanged value. A stop
    // Error at a value that cannot be read.
    [[nodiscard]] std::optional<bool> applies_to(Row row) const;

   private:
    [[nodiscard]] std::optional<bool> holds(const Term& term, const Value& value) const;

    std::vector<Term> terms_;
    Place place_;
};

}  // namespace pgsluice::rules
