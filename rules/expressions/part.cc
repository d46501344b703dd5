#include "rules/expressions/part.h"

#include <fmt/format.h>

#include <algorithm>

#include "rules/expressions/parse_tree.h"

namespace pgsluice::rules {

namespace {

Part converted(Part part, SqlType type) {
    Run run = [run = std::move(part.run), from = part.type, type](Row row) {
        const SqlValue value = run(row);
        return value.null ? value : cast_value(value, from, type);
    };
    return {type, std::move(run), part.location};
}

}  // namespace

Part fixed(SqlType type, SqlValue value) {
    return of(type, [value = std::move(value)](Row) { return value; });
}

Part untyped(std::optional<std::string> literal) {
    Part part;
    part.untyped = true;
    part.literal = std::move(literal);
    return part;
}

Part any_of(Parts parts, std::int64_t decides) {
    std::vector<Run> runs;
    for (Part& part : parts) runs.push_back(std::move(part.run));
    return of(SqlType::boolean, [runs = std::move(runs), decides](Row row) {
        SqlValue result = SqlValue::of(1 - decides);
        for (const Run& run : runs) {
            SqlValue one = run(row);
            if (!one.null && one.number == decides) return one;
            if (one.null) result = {};
        }
        return result;
    });
}

Part opposite(Part part) {
    return of(SqlType::boolean, [run = std::move(part.run)](Row row) {
        SqlValue value = run(row);
        if (!value.null) value.number = 1 - value.number;
        return value;
    });
}

Error Typing::fail_at(std::int64_t location, std::string_view why) const {
    return refuse(place_, fmt::format("{}{}", why, at_place(location)));
}

Part Typing::as(Part part, SqlType type) const {
    if (part.untyped) {
        Part made = fixed(type, {});
        made.location = part.location;
        if (!part.literal) return made;
        try {
            made.run = fixed(type, read_value(*part.literal, type)).run;
        } catch (const Unreadable& unreadable) {
            throw fail_at(part.location, fmt::format("of the literal: {}", unreadable.reason));
        }
        return made;
    }
    if (part.type == type) return part;
    if (!is_number(part.type) || !is_number(type) || part.type > type)
        throw fail_at(part.location, fmt::format("{} cannot stand for {}", name_of(part.type), name_of(type)));
    return converted(std::move(part), type);
}

Part Typing::to_text(Part part) const {
    if (part.untyped) return as(std::move(part), SqlType::text);
    if (!can_cast(part.type, SqlType::text))
        throw fail_at(part.location, fmt::format("{} cannot become a text", name_of(part.type)));
    return converted(std::move(part), SqlType::text);
}

Part Typing::cast(Part part, SqlType type) const {
    if (part.untyped) return as(std::move(part), type);
    if (!can_cast(part.type, type))
        throw fail_at(part.location,
                      fmt::format("a cast from {} to {} is not supported", name_of(part.type), name_of(type)));
    return converted(std::move(part), type);
}

SqlType Typing::common_type(const Parts& parts) const {
    std::optional<SqlType> common;
    for (const Part& part : parts) {
        if (part.untyped) continue;
        if (!common) common = part.type;
        if (part.type == *common) continue;
        if (!is_number(part.type) || !is_number(*common))
            throw fail_at(part.location,
                          fmt::format("{} and {} do not go together", name_of(*common), name_of(part.type)));
        common = std::max(*common, part.type);
    }
    return common.value_or(SqlType::text);
}

void Typing::unify(Parts& parts) const {
    const SqlType type = common_type(parts);
    for (Part& part : parts) part = as(std::move(part), type);
}

}  // namespace pgsluice::rules
