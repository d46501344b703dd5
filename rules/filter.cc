#include "rules/filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <compare>

#include "rules/rows/sampling.h"
#include "rules/transforms/regex.h"
#include "rules/transforms/transform.h"
#include "rules/values/moment.h"
#include "rules/values/number.h"
#include "rules/values/printed_form.h"
#include "rules/values/uuid.h"
#include "stream/base/padding.h"
#include "stream/format/utf8.h"

namespace pgsluice::rules {
namespace {

struct OperatorName {
    std::string_view name;
    Operator op;
};

constexpr OperatorName operator_names[] = {
    {"eq", Operator::eq},
    {"ne", Operator::ne},
    {"gt", Operator::gt},
    {"lt", Operator::lt},
    {"gte", Operator::gte},
    {"lte", Operator::lte},
    {"contains", Operator::contains},
    {"in", Operator::in},
    {"not_in", Operator::not_in},
    {"is_null", Operator::is_null},
    {"not_null", Operator::not_null},
    {"regex", Operator::regex},
};

std::string_view name_of(Operator op) {
    for (const auto& known : operator_names)
        if (known.op == op) return known.name;
    return "?";
}

Operator read_operator(Fields& parameters) {
    const std::string name = parameters.required_text("operator");
    std::vector<std::string_view> known;
    for (const auto& entry : operator_names) {
        if (entry.name == name) return entry.op;
        known.push_back(entry.name);
    }
    throw refuse(parameters.place(), fmt::format("unknown operator '{}'", name),
                 fmt::format("Known operators: {}.", fmt::join(known, ", ")));
}

std::string read_value(const Node& node, const Place& place) {
    if (node.is_null())
        throw refuse(place, "a comparison with NULL is never true", "Use the operator is_null or not_null.");
    if (!node.is_scalar()) throw refuse(place, "'value' must be a single value");
    if (!is_utf8(node.text)) throw refuse(place, "'value' is not valid UTF-8");
    return node.text;
}

std::vector<std::string> read_list(const Node& node, const Place& place) {
    if (!node.is_list() || node.items.empty()) throw refuse(place, "this operator takes a list of at least one value");
    std::vector<std::string> values;
    for (const Node& item : node.items) values.push_back(read_value(item, place));
    return values;
}

template <typename Key>
bool holds(Operator op, const Key& value, const std::vector<Key>& operands) {
    switch (op) {
        case Operator::eq:
            return value == operands[0];
        case Operator::ne:
            return !(value == operands[0]);
        case Operator::gt:
            return value > operands[0];
        case Operator::lt:
            return value < operands[0];
        case Operator::gte:
            return value >= operands[0];
        case Operator::lte:
            return value <= operands[0];
        case Operator::in:
            return std::find(operands.begin(), operands.end(), value) != operands.end();
        default:
            return std::find(operands.begin(), operands.end(), value) == operands.end();
    }
}

// Compares what Kind::parse makes of a text.
template <typename Kind>
class Comparison : public Predicate {
   public:
    using Key = decltype(Kind::parse(std::string_view{}));

    explicit Comparison(const Condition& condition) : op_(condition.op), texts_(condition.values) {
        for (const std::string& text : texts_) operands_.push_back(Kind::parse(text));
    }
    [[nodiscard]] bool reads_text() const override { return Kind::reads_text; }
    [[nodiscard]] bool passes(std::string_view text) const override { return holds(op_, Kind::parse(text), operands_); }

   private:
    Operator op_;
    std::vector<std::string> texts_;  // what operands may be views into
    std::vector<Key> operands_;
};

struct TextKind {
    static constexpr bool reads_text = true;
    static std::string_view parse(std::string_view text) { return text; }  // UTF-8 orders bytes as code points
};

struct PaddedTextKind {
    static constexpr bool reads_text = true;
    static std::string_view parse(std::string_view text) { return without_padding(text); }
};

struct NumberKind {
    static constexpr bool reads_text = false;
    static Number parse(std::string_view text) { return Number::parse(text); }
};

struct BooleanKind {
    static constexpr bool reads_text = false;
    static bool parse(std::string_view text) {
        for (const std::string_view yes : {"t", "true", "yes", "on", "1", "True", "TRUE"})
            if (text == yes) return true;
        for (const std::string_view no : {"f", "false", "no", "off", "0", "False", "FALSE"})
            if (text == no) return false;
        throw Unreadable{"it is not a boolean"};
    }
};

template <bool zoned>
struct MomentKind {
    static constexpr bool reads_text = false;
    static Moment parse(std::string_view text) { return Moment::parse(text, zoned); }
};

template <bool zoned>
struct TimeKind {
    static constexpr bool reads_text = false;
    static TimeOfDay parse(std::string_view text) { return TimeOfDay::parse(text, zoned); }
};

struct IntervalKind {
    static constexpr bool reads_text = false;
    static Interval parse(std::string_view text) { return Interval::parse(text); }
};

struct UuidKind {
    static constexpr bool reads_text = false;
    static Uuid parse(std::string_view text) { return Uuid::parse(text); }
};

class Contains : public Predicate {
   public:
    explicit Contains(std::string part) : part_(std::move(part)) {}
    [[nodiscard]] bool reads_text() const override { return true; }
    [[nodiscard]] bool passes(std::string_view text) const override {
        return text.find(part_) != std::string_view::npos;
    }

   private:
    std::string part_;
};

class Matches : public Predicate {
   public:
    explicit Matches(std::unique_ptr<re2::RE2> pattern) : pattern_(std::move(pattern)) {}
    [[nodiscard]] bool reads_text() const override { return true; }
    [[nodiscard]] bool passes(std::string_view text) const override {
        return re2::RE2::PartialMatch({text.data(), text.size()}, *pattern_);
    }

   private:
    std::unique_ptr<re2::RE2> pattern_;
};

class Sampled : public Predicate {
   public:
    Sampled(std::shared_ptr<const Sampling> sampling, ValueType type) : sampling_(std::move(sampling)), type_(type) {}
    [[nodiscard]] bool passes(std::string_view text) const override { return sampling_->keeps(text, type_); }

   private:
    std::shared_ptr<const Sampling> sampling_;
    ValueType type_;
};

std::unique_ptr<Predicate> make_sampled(const Condition& condition, const Column& column) {
    if (const std::string reason = Sampling::unfit(column); !reason.empty()) throw refuse(condition.place, reason);
    return std::make_unique<Sampled>(condition.sampling, value_type(column));
}

bool is_number(const Node& node) {
    if (node.quoted) return false;
    try {
        Number::parse(node.text);
        return true;
    } catch (const Unreadable&) {
        return false;
    }
}

std::unique_ptr<Predicate> compare(const Condition& condition, ValueType type) {
    switch (type) {
        case ValueType::number:
            return std::make_unique<Comparison<NumberKind>>(condition);
        case ValueType::boolean:
            return std::make_unique<Comparison<BooleanKind>>(condition);
        case ValueType::date:
        case ValueType::timestamp:
            return std::make_unique<Comparison<MomentKind<false>>>(condition);
        case ValueType::timestamptz:
            return std::make_unique<Comparison<MomentKind<true>>>(condition);
        case ValueType::time:
            return std::make_unique<Comparison<TimeKind<false>>>(condition);
        case ValueType::timetz:
            return std::make_unique<Comparison<TimeKind<true>>>(condition);
        case ValueType::interval:
            return std::make_unique<Comparison<IntervalKind>>(condition);
        case ValueType::uuid:
            return std::make_unique<Comparison<UuidKind>>(condition);
        case ValueType::padded_text:
            return std::make_unique<Comparison<PaddedTextKind>>(condition);
        default:
            return std::make_unique<Comparison<TextKind>>(condition);
    }
}

// What cannot be answered as PostgreSQL would is refused.
std::string unfit(Operator op, ValueType type) {
    const bool search = op == Operator::contains || op == Operator::regex;
    if (search && !is_text(type) && type != ValueType::json && type != ValueType::other)
        return fmt::format("'{}' searches text", name_of(op));
    if (search) return {};
    if (type == ValueType::array || type == ValueType::json)
        return fmt::format("'{}' does not compare {} values", name_of(op), name_of(type));
    if (is_order(op) && type == ValueType::other)
        return fmt::format("'{}' needs an order, which is not known", name_of(op));
    return {};
}

}  // namespace

bool is_order(Operator op) {
    return op == Operator::gt || op == Operator::lt || op == Operator::gte || op == Operator::lte;
}

std::string Condition::describe() const {
    if (sampling != nullptr) return fmt::format("is of {}", sampling->describe());
    return values.empty() ? std::string(name_of(op)) : fmt::format("{} {}", name_of(op), fmt::join(values, ", "));
}

Condition read_condition(Fields& parameters) {
    Condition condition;
    condition.op = read_operator(parameters);
    condition.place = parameters.place();
    const Node* value = parameters.take("value");
    const Node* values = parameters.take("values");
    if (value != nullptr && values != nullptr) throw refuse(parameters.place(), "both 'value' and 'values'");
    if (value == nullptr) value = values;
    const bool none = condition.op == Operator::is_null || condition.op == Operator::not_null;
    if (none && value != nullptr) throw refuse(parameters.place(), "this operator takes no value");
    if (none) return condition;
    if (value == nullptr) throw refuse(parameters.place(), "'value' is missing");
    const Place place = parameters.place_of(*value);
    if (condition.op == Operator::in || condition.op == Operator::not_in) {
        condition.values = read_list(*value, place);
    } else {
        condition.values = {read_value(*value, place)};
        condition.number = is_number(*value);
    }
    if (condition.op == Operator::regex) compile_regex(condition.values[0], place);
    return condition;
}

std::unique_ptr<Predicate> make_predicate(const Condition& condition, const Column& column) {
    if (condition.sampling != nullptr) return make_sampled(condition, column);
    const ValueType type = value_type(column);
    if (const std::string reason = unfit(condition.op, type); !reason.empty())
        throw refuse(condition.place, fmt::format("{}, and the column is {}", reason, column.type_name));
    if (is_order(condition.op) && is_text(type) && condition.number)
        throw refuse(
            condition.place,
            fmt::format("'value' is a number, but the column is {}, where '9' is above '18'", column.type_name),
            "Put the value in quotes to compare by code point.");
    if (condition.op == Operator::contains) return std::make_unique<Contains>(condition.values[0]);
    if (condition.op == Operator::regex)
        return std::make_unique<Matches>(compile_regex(condition.values[0], condition.place));
    try {
        for (const std::string& value : condition.values) check_printed_form(value, column);
        return compare(condition, type);
    } catch (const Unreadable& unreadable) {
        throw refuse(condition.place,
                     fmt::format("the column is {}, but of 'value': {}", column.type_name, unreadable.reason));
    }
}

}  // namespace pgsluice::rules
