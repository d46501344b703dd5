// What a keyed transform makes of a value, apart from what its numbers come from (keyed.h). A new one is a class after
// this, its make function, and a line in the table of rules/transforms/transform_table.cc.
#pragma once

#include <string>
#include <string_view>

#include "rules/transforms/keyed/draw.h"
#include "rules/values/value_type.h"

namespace pgsluice::rules {

// What a value must look like to be one of its column. Default: an unlimited text, as inside JSON.
struct ColumnForm {
    ValueType type = ValueType::text;
    Oid oid = 25;          // a domain's base type
    std::size_t most = 0;  // characters of a text; 0: any number
    int precision = 0;     // of a numeric(precision, scale); 0: any
    int scale = 0;

    static ColumnForm of(const Column& column, ValueType type);
};

// Immutable. Calls come from any thread.
class Recipe {
   public:
    virtual ~Recipe() = default;

    // Why the column cannot be taken; empty when it can. The length of text is checked by the caller.
    [[nodiscard]] virtual std::string unfit(const Column& column, ValueType type) const = 0;
    // Different values stay different.
    [[nodiscard]] virtual bool keeps_distinct() const { return false; }
    // Whether its text says the same with its end cut off. What may not be cut is refused where the column is shorter
    // than longest(), and a value that turns out too long stops the worker.
    [[nodiscard]] virtual bool may_be_cut() const { return false; }
    // Characters at most; 0 where it depends on the value.
    [[nodiscard]] virtual std::size_t longest() const { return 0; }
    // Whether make() looks at the value's characters and so needs valid UTF-8.
    [[nodiscard]] virtual bool reads_text() const { return false; }
    // Appends the value that takes the place of `text`; `out` is empty. Throws Unreadable.
    virtual void make(Draw& draw, std::string_view text, const ColumnForm& form, std::string& out) const = 0;
    // With all parameters.
    [[nodiscard]] virtual std::string describe() const = 0;
};

// For unfit() of those that take text only.
std::string takes_text(const Column& column, ValueType type);

}  // namespace pgsluice::rules
