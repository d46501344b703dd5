// A transform turns one column's value into another. The table of transforms is in transform_table.cc: a new one is a
// file with its class and its make function, and one entry there.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "rules/file/fields.h"
#include "rules/values/value_type.h"
#include "stream/base/arena.h"
#include "stream/change.h"

namespace pgsluice::rules {

// Immutable, and the same input always gives the same output, unless repeats() says otherwise. Calls come from any
// thread.
class Transform {
   public:
    virtual ~Transform() = default;

    // Why the column cannot be taken; empty when it can.
    [[nodiscard]] virtual std::string unfit(const Column& column, ValueType type) const = 0;
    // The same for one column that it takes, whose type and length its results then fit. Null: this one does.
    [[nodiscard]] virtual std::shared_ptr<const Transform> for_column(const Column& /*column*/,
                                                                      ValueType /*type*/) const {
        return nullptr;
    }
    // Different values stay different: fit for a key.
    [[nodiscard]] virtual bool keeps_distinct(ValueType /*type*/) const { return false; }
    // The same value gives the same result, so that an update or delete finds its row.
    [[nodiscard]] virtual bool repeats() const { return true; }
    // The column of the same row that decides on the result; empty: the value does.
    [[nodiscard]] virtual std::string_view subject() const { return {}; }
    // The columns of the same row that it is made of, as the other rules leave them; then compose() is for it, and not
    // apply(). Empty: the value is.
    [[nodiscard]] virtual std::span<const std::string> inputs() const { return {}; }
    // Whether more than the column's own value decides on the result.
    [[nodiscard]] bool reads_row() const { return !subject().empty() || !inputs().empty(); }
    // The result says nothing of the value: inside JSON a whole object or array is replaced by it.
    [[nodiscard]] virtual bool ignores_value() const { return false; }
    // Whether apply() looks at characters and so needs valid UTF-8.
    [[nodiscard]] virtual bool reads_text() const { return true; }
    // A value that is neither NULL nor unchanged; blanks that pad a char(n) are cut off. The result is a view into
    // `text`, into the arena, or lives as long as this. Throws Unreadable.
    virtual Value apply(std::string_view text, ValueType type, Arena& arena) const = 0;
    // The same with a subject() and its value in this row.
    virtual Value apply_for(std::string_view text, std::string_view /*subject*/, Arena& arena) const {
        return apply(text, ValueType::text, arena);
    }
    // Of a value that is not NULL, by the values of its inputs(); none of them is unchanged.
    virtual Value compose(std::span<const Value> /*inputs*/, Arena& /*arena*/) const { return {}; }
    // The value that apply() made `result` of, where there is a way back. Throws Unreadable where it made no such
    // result.
    [[nodiscard]] virtual std::optional<std::string> undone(std::string_view /*result*/) const { return std::nullopt; }
    // What NULL becomes.
    [[nodiscard]] virtual Value for_null(ValueType /*type*/) const { return {}; }
    // For check's output: "mask with '*'". Never a secret.
    [[nodiscard]] virtual std::string describe() const = 0;
    // All that its result depends on, for comparing with another start's rules; only a digest of it is kept.
    [[nodiscard]] virtual std::string meaning() const { return describe(); }
};

// Where the transforms that need a secret find it, and the language of fakes, when they do not say themselves.
struct TransformDefaults {
    std::string secret_env;
    std::string secret_file;
    std::string locale{};
};

// usage Error for a locale that there is not.
void check_locale(const std::string& name, const Place& place);

// By the `type` in `parameters`; takes all the parameters it knows, but leaves expect_end() to the caller.
std::unique_ptr<Transform> make_transform(Fields& parameters, const TransformDefaults& defaults);

// Why a text of `characters` does not fit a varchar(n) or char(n); empty when it does.
std::string too_long(std::size_t characters, const Column& column);

// "it takes text, the column is integer": for unfit().
std::string takes(std::string_view wanted, const Column& column);

}  // namespace pgsluice::rules
