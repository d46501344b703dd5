#include "rules/expressions/operators.h"

#include <fmt/format.h>

#include <algorithm>

namespace pgsluice::rules {

namespace {

Part zero(SqlType type) {
    return fixed(type, type == SqlType::numeric ? SqlValue::of(std::string("0")) : SqlValue::of(0));
}

Part arithmetic(char op, Part a, Part b) {
    const SqlType type = a.type;
    return of(type, strict(std::move(a.run), std::move(b.run),
                           [op, type](const SqlValue& x, const SqlValue& y) { return calculate(op, x, y, type); }));
}

Part dates(const Typing& typing, std::int64_t at, char op, Part a, Part b) {
    const auto days = [](SqlType type) { return type == SqlType::integer || type == SqlType::smallint; };
    if (op == '-' && a.type == b.type)
        return of(SqlType::integer, strict(std::move(a.run), std::move(b.run), days_between));
    if (op == '+' && days(a.type)) std::swap(a, b);
    if ((op != '+' && op != '-') || a.type != SqlType::date || !days(b.type))
        throw typing.fail_at(at, fmt::format("{} {} {} is not supported", name_of(a.type), op, name_of(b.type)));
    const int sign = op == '-' ? -1 : 1;
    return of(SqlType::date, strict(std::move(a.run), std::move(b.run), [sign](const SqlValue& x, const SqlValue& y) {
                  return add_days(x, sign * y.number);
              }));
}

Part concatenation(const Typing& typing, std::int64_t at, Part a, Part b) {
    const auto is_text = [](const Part& part) { return part.untyped || part.type == SqlType::text; };
    if (!is_text(a) && !is_text(b)) throw typing.fail_at(at, "|| needs a text on one side");
    a = typing.to_text(std::move(a));
    b = typing.to_text(std::move(b));
    return of(SqlType::text, strict(std::move(a.run), std::move(b.run), [](const SqlValue& x, const SqlValue& y) {
                  return SqlValue::of(x.text + y.text);
              }));
}

}  // namespace

Part unary_operator(const Typing& typing, std::int64_t at, std::string_view name, Part part) {
    if (part.untyped || !is_number(part.type) || (name != "-" && name != "+"))
        throw typing.fail_at(at, fmt::format("the operator {} is not supported here", name));
    if (name == "+") return part;
    Part nothing = zero(part.type);
    return arithmetic('-', std::move(nothing), std::move(part));
}

Part binary_operator(const Typing& typing, std::int64_t at, std::string_view name, Part a, Part b) {
    if (name == "||") return concatenation(typing, at, std::move(a), std::move(b));
    for (const std::string_view known : {"=", "<>", "<", "<=", ">", ">="})
        if (name == known) return comparison(typing, at, name, std::move(a), std::move(b));
    const bool known = name.size() == 1 && std::string_view("+-*/%").find(name[0]) != std::string_view::npos;
    if (!known || a.untyped || b.untyped)
        throw typing.fail_at(
            at, fmt::format("the operator {} is not supported{}", name, known ? " with a text or NULL" : ""));
    if (a.type == SqlType::date || b.type == SqlType::date)
        return dates(typing, at, name[0], std::move(a), std::move(b));
    if (!is_number(a.type) || !is_number(b.type))
        throw typing.fail_at(at, fmt::format("{} {} {} is not supported", name_of(a.type), name, name_of(b.type)));
    const SqlType type = std::max(a.type, b.type);
    return arithmetic(name[0], typing.as(std::move(a), type), typing.as(std::move(b), type));
}

Part comparison(const Typing& typing, std::int64_t at, std::string_view name, Part a, Part b) {
    const bool by_bytes = a.by_bytes || b.by_bytes;
    Parts both;
    both.push_back(std::move(a));
    both.push_back(std::move(b));
    typing.unify(both);
    const SqlType type = both[0].type;
    const bool equality = name == "=" || name == "<>";
    if (type == SqlType::text && !equality && !by_bytes)
        throw typing.fail_at(at, fmt::format("{} of text goes by the source's collation, and is supported with "
                                             "COLLATE \"C\" only",
                                             name));
    const bool less = name == "<" || name == "<=" || name == "<>";
    const bool equal = name == "=" || name == "<=" || name == ">=";
    const bool more = name == ">" || name == ">=" || name == "<>";
    return of(SqlType::boolean,
              strict(std::move(both[0].run), std::move(both[1].run), [=](const SqlValue& x, const SqlValue& y) {
                  const int order = compare_values(x, y, type);
                  return boolean(order < 0 ? less : order == 0 ? equal : more);
              }));
}

}  // namespace pgsluice::rules
