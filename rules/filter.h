// A filter's condition on one column's value.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rules/file/fields.h"
#include "rules/values/value_type.h"

namespace pgsluice::rules {

class Sampling;

// No file names `sampled`: that is a rule of its own.
enum class Operator { eq, ne, gt, lt, gte, lte, contains, in, not_in, is_null, not_null, regex, sampled };

// Whether it asks for more than equality: gt, lt, gte, lte.
bool is_order(Operator op);

// A condition as the file says it; the column's type is not known yet.
struct Condition {
    Operator op = Operator::eq;
    std::vector<std::string> values;  // one; any number for in and not_in; none for is_null and not_null
    Place place;
    bool number = false;                         // the value is a number without quotes
    std::shared_ptr<const Sampling> sampling{};  // of `sampled`

    // "gte 18"
    [[nodiscard]] std::string describe() const;
};

// Reads `operator` and `value` (or `values`); checks a regex.
Condition read_condition(Fields& parameters);

// A condition on values of one type. NULL and unchanged values are not for it.
class Predicate {
   public:
    virtual ~Predicate() = default;
    // Whether passes() looks at characters and so needs valid UTF-8.
    [[nodiscard]] virtual bool reads_text() const { return false; }
    // Throws Unreadable when the text is not of the type.
    [[nodiscard]] virtual bool passes(std::string_view text) const = 0;
};

// Not for is_null and not_null. usage Error when the operator or a value does not fit the column.
std::unique_ptr<Predicate> make_predicate(const Condition& condition, const Column& column);

}  // namespace pgsluice::rules
