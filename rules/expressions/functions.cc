#include "rules/expressions/functions.h"

#include <fmt/format.h>

#include <algorithm>

#include "rules/expressions/exact_numeric.h"
#include "rules/expressions/operators.h"

namespace pgsluice::rules {

namespace {

// Of the arguments' values, which NULL makes NULL.
template <typename Compute>
Part of_all(SqlType type, Parts parts, Compute compute) {
    return of(type, [parts = std::move(parts), compute](Row row) {
        std::vector<SqlValue> values;
        for (const Part& part : parts) values.push_back(part.run(row));
        return std::ranges::any_of(values, &SqlValue::null) ? SqlValue{} : compute(values);
    });
}

void as_texts(const Typing& typing, Parts& parts) {
    for (Part& part : parts) part = typing.as(std::move(part), SqlType::text);
}

bool is_small(const Part& part) {
    return !part.untyped && (part.type == SqlType::integer || part.type == SqlType::smallint);
}

Part concat(const Typing& typing, Parts parts) {
    for (Part& part : parts) {
        part = typing.typed(std::move(part));
        if (part.type == SqlType::date) throw typing.fail_at(part.location, "date cannot become a text");
    }
    return of(SqlType::text, [parts = std::move(parts)](Row row) {
        std::string text;
        for (const Part& part : parts)
            if (const SqlValue value = part.run(row); !value.null) text += print_value(value, part.type);
        return SqlValue::of(std::move(text));
    });
}

Part length(const Typing& typing, Parts parts) {
    as_texts(typing, parts);
    return of_all(SqlType::integer, std::move(parts),
                  [](const std::vector<SqlValue>& values) { return SqlValue::of(length_of(values[0].text)); });
}

Part substring(const Typing& typing, std::int64_t at, Parts parts) {
    if (!std::all_of(parts.begin() + 1, parts.end(), is_small))
        throw typing.fail_at(at, "substring is supported with integers only");
    parts[0] = typing.as(std::move(parts[0]), SqlType::text);
    return of_all(SqlType::text, std::move(parts), [](const std::vector<SqlValue>& values) {
        return SqlValue::of(
            substring_of(values[0].text, values[1].number, values.size() > 2 ? &values[2].number : nullptr));
    });
}

// Under the collation "C" letters are those of ASCII.
Part in_case(const Typing& typing, std::int64_t at, std::string_view name, Parts parts) {
    if (!parts[0].by_bytes)
        throw typing.fail_at(at, fmt::format("{0}() goes by the source's collation, and is supported as {0}(... "
                                             "COLLATE \"C\") only",
                                             name));
    const TextCase wanted = name == "lower" ? TextCase::lower : name == "upper" ? TextCase::upper : TextCase::initial;
    return of_all(SqlType::text, std::move(parts), [wanted](const std::vector<SqlValue>& values) {
        return SqlValue::of(in_ascii_case(values[0].text, wanted));
    });
}

Part trim(const Typing& typing, std::string_view name, Parts parts) {
    as_texts(typing, parts);
    const bool left = name != "rtrim";
    const bool right = name != "ltrim";
    return of_all(SqlType::text, std::move(parts), [left, right](const std::vector<SqlValue>& values) {
        return SqlValue::of(trimmed_of(values[0].text, values.size() > 1 ? values[1].text : " ", left, right));
    });
}

Part left_or_right(const Typing& typing, std::int64_t at, bool left, Parts parts) {
    if (!is_small(parts[1])) throw typing.fail_at(at, "left and right are supported with integers only");
    parts[0] = typing.as(std::move(parts[0]), SqlType::text);
    return of_all(SqlType::text, std::move(parts), [left](const std::vector<SqlValue>& values) {
        return SqlValue::of(left ? left_of(values[0].text, values[1].number)
                                 : right_of(values[0].text, values[1].number));
    });
}

Part replace(const Typing& typing, Parts parts) {
    as_texts(typing, parts);
    return of_all(SqlType::text, std::move(parts), [](const std::vector<SqlValue>& values) {
        return SqlValue::of(replaced_of(values[0].text, values[1].text, values[2].text));
    });
}

Part position(const Typing& typing, Parts parts) {
    as_texts(typing, parts);
    return of_all(SqlType::integer, std::move(parts), [](const std::vector<SqlValue>& values) {
        return SqlValue::of(position_of(values[0].text, values[1].text));
    });
}

Part absolute(const Typing& typing, std::int64_t at, Parts parts) {
    const SqlType type = parts[0].type;
    if (parts[0].untyped || !is_number(type)) throw typing.fail_at(at, "abs is supported of numbers only");
    return of_all(type, std::move(parts), [type](const std::vector<SqlValue>& values) {
        const SqlValue& value = values[0];
        if (type == SqlType::numeric)
            return SqlValue::of(tidy_numeric(value.text.starts_with('-') ? value.text.substr(1) : value.text));
        return value.number < 0 ? calculate('-', SqlValue::of(0), value, type) : value;
    });
}

// Without a second argument round() of an integer is a double precision.
Part rounded(const Typing& typing, std::int64_t at, bool truncates, Parts parts) {
    const bool fits = !parts[0].untyped && is_number(parts[0].type) &&
                      (parts.size() > 1 ? is_small(parts[1]) : parts[0].type == SqlType::numeric);
    if (!fits) throw typing.fail_at(at, "round and trunc are supported of numeric, and of numbers with an integer");
    parts[0] = typing.as(std::move(parts[0]), SqlType::numeric);
    return of_all(SqlType::numeric, std::move(parts), [truncates](const std::vector<SqlValue>& values) {
        return SqlValue::of(to_scale(values[0].text, values.size() > 1 ? values[1].number : 0, truncates));
    });
}

Part to_whole(const Typing& typing, std::int64_t at, char way, Parts parts) {
    if (parts[0].untyped || parts[0].type != SqlType::numeric)
        throw typing.fail_at(at, "floor and ceil are supported of numeric only");
    return of_all(SqlType::numeric, std::move(parts), [way](const std::vector<SqlValue>& values) {
        return SqlValue::of(whole_numeric(values[0].text, way));
    });
}

Part extract(const Typing& typing, std::int64_t at, Parts parts) {
    const auto field = parts[0].literal ? date_field(*parts[0].literal) : std::nullopt;
    if (!field || parts[1].untyped || parts[1].type != SqlType::date)
        throw typing.fail_at(at,
                             "extract is supported of date only, with year, quarter, month, day, dow, isodow and doy");
    return of(SqlType::numeric, [run = std::move(parts[1].run), field = *field](Row row) {
        const SqlValue date = run(row);
        return date.null ? date : extract_of(field, date);
    });
}

}  // namespace

Part extreme(const Typing& typing, std::int64_t at, Parts parts, int sign) {
    typing.unify(parts);
    const SqlType type = parts[0].type;
    if (type == SqlType::text) throw typing.fail_at(at, "greatest and least of text go by the source's collation");
    return of(type, [parts = std::move(parts), type, sign](Row row) {
        SqlValue best;
        for (const Part& part : parts) {
            SqlValue value = part.run(row);
            if (!value.null && (best.null || compare_values(value, best, type) * sign > 0)) best = std::move(value);
        }
        return best;
    });
}

// Integers of several types are compared as they are: the result is of the first one's.
Part null_if(const Typing& typing, std::int64_t at, Part value, Part other) {
    const bool keeps = !value.untyped && !other.untyped && is_integer(value.type) && is_integer(other.type);
    Parts both{value, std::move(other)};
    if (!keeps) {
        typing.unify(both);
        value = both[0];
    }
    Part equal = comparison(typing, at, "=", both[0], both[1]);
    return of(value.type, [run = std::move(value.run), equal = std::move(equal.run)](Row row) {
        const SqlValue same = equal(row);
        return !same.null && same.number != 0 ? SqlValue{} : run(row);
    });
}

Part call_function(const Typing& typing, std::int64_t at, std::string_view name, Parts arguments) {
    const std::size_t count = arguments.size();
    const auto is = [&](std::initializer_list<std::string_view> names, std::size_t least, std::size_t most) {
        return std::ranges::find(names, name) != names.end() && count >= least && count <= most;
    };
    if (name == "concat") return concat(typing, std::move(arguments));
    if (is({"length", "char_length", "character_length"}, 1, 1)) return length(typing, std::move(arguments));
    if (is({"substring", "substr"}, 2, 3)) return substring(typing, at, std::move(arguments));
    if (is({"lower", "upper", "initcap"}, 1, 1)) return in_case(typing, at, name, std::move(arguments));
    if (is({"btrim", "ltrim", "rtrim"}, 1, 2)) return trim(typing, name, std::move(arguments));
    if (is({"left", "right"}, 2, 2)) return left_or_right(typing, at, name == "left", std::move(arguments));
    if (is({"replace"}, 3, 3)) return replace(typing, std::move(arguments));
    if (is({"strpos", "position"}, 2, 2)) return position(typing, std::move(arguments));
    if (is({"abs"}, 1, 1)) return absolute(typing, at, std::move(arguments));
    if (is({"round", "trunc"}, 1, 2)) return rounded(typing, at, name == "trunc", std::move(arguments));
    if (is({"floor", "ceil", "ceiling"}, 1, 1))
        return to_whole(typing, at, name == "floor" ? 'f' : 'c', std::move(arguments));
    if (is({"extract"}, 2, 2)) return extract(typing, at, std::move(arguments));
    throw typing.fail_at(at, fmt::format("{}() is not supported", name));
}

}  // namespace pgsluice::rules
