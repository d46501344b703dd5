#include "rules/transforms/transform_table.h"

#include <fmt/format.h>

#include "rules/transforms/transforms.h"

namespace pgsluice::rules {
namespace {

constexpr auto text = ValueType::text;
constexpr auto number = ValueType::number;
constexpr bool unkeyed = false;

constexpr TransformKind kinds[] = {
    {"mask",
     make_mask,
     "stars, but for a character at each end, `keep_first` and `keep_last` of them, or what `preset` leaves",
     "`mask_char` (default `*`); `keep_first`, `keep_last`; `preset`: name, email, phone, address, id, card, url",
     "text",
     "",
     unkeyed,
     {{{"", text, "Keller", "K****r"},
       {"keep_first: 0, keep_last: 3", text, "Keller", "***ler"},
       {"preset: email", text, "anna@example.com", "a***@example.com"}}}},
    {"regex",
     make_regex,
     "the value with all matches replaced",
     "`pattern`, `replace`",
     "text",
     "",
     unkeyed,
     {{{"pattern: '[0-9]', replace: '#'", text, "a-12", "a-##"}}}},
    {"redact",
     make_redact,
     "as many stars in every row",
     "`length` (default 8), `mask_char`",
     "text",
     "",
     unkeyed,
     {{{"", text, "Keller", "********"}}}},
    {"truncate",
     make_truncate,
     "the first characters",
     "`length`, in characters",
     "text",
     "",
     unkeyed,
     {{{"length: 2", text, "10115", "10"}}}},
    {"hash",
     make_hash,
     "HMAC-SHA-256 as hex digits",
     "`length` in hex digits, 8 to 64 (default 64)",
     "text, uuid, bytea",
     "with a `length` of 32 or more, and of uuids",
     true,
     {{{"length: 16", text, "anna@example.com", "6031247b9a17a0df"}}}},
    {"null",
     make_null,
     "NULL; a column that is NOT NULL in the target then stops the worker",
     "",
     "all",
     "",
     unkeyed,
     {}},
    {"constant",
     make_constant,
     "the same value everywhere, NULL included",
     "`value`",
     "all; refused at start where the type cannot take the value, for enums, ranges, elements of arrays and other "
     "types by the target",
     "",
     unkeyed,
     {{{"value: 0", number, "17", "0"}}}},
    {"json",
     make_json,
     "the value with another transform applied inside",
     "`path` or `paths`, `transform`",
     "json, jsonb",
     "",
     unkeyed,
     {{{"path: $.name, transform: {type: mask}", ValueType::json, R"({"name": "Keller"})", R"({"name": "K****r"})"}}}},
    {"integer",
     make_integer,
     "a whole number of a range, all as likely",
     "`min`, `max`",
     "numbers",
     "",
     true,
     {{{"min: 1, max: 6", number, "17", "6"}}}},
    {"numeric",
     make_numeric,
     "a number of a range, with `scale` decimals, or those of a numeric(p,s)",
     "`min`, `max`, `scale` (default 2)",
     "numbers",
     "",
     true,
     {{{"min: 0, max: 99.99", number, "17.50", "73.47"}}}},
    {"float",
     make_float,
     "the same, with 4 decimals at most",
     "`min`, `max`, `scale` (default 2)",
     "numbers",
     "",
     true,
     {{{"min: -1, max: 1", number, "0.25", "-0.82"}}}},
    {"noise",
     make_noise,
     "a number near the value, as likely above as below, so that sums and means are about as they were",
     "`percent` or `absolute`: how far at most",
     "numbers",
     "",
     true,
     {{{"percent: 10", number, "2500.00", "2505.64"}, {"absolute: 5", number, "40", "43"}}}},
    {"date",
     make_date,
     "a day of a range",
     "`from`, `to`",
     "date",
     "",
     true,
     {{{"from: 1950-01-01, to: 2005-12-31", ValueType::date, "1984-05-06", "1959-10-27"}}}},
    {"time",
     make_time,
     "a time of a range, in whole seconds",
     "`from`, `to`",
     "time, time with time zone",
     "",
     true,
     {{{"from: '08:00', to: '18:00'", ValueType::time, "23:15:00", "13:27:22"}}}},
    {"timestamp",
     make_timestamp,
     "a timestamp of a range, in whole seconds, in UTC",
     "`from`, `to`",
     "timestamp, timestamp with time zone",
     "",
     true,
     {{{"from: 2020-01-01, to: 2024-12-31", ValueType::timestamptz, "2024-06-01 12:00:00+00", "2022-08-02 08:31:03+00"}}}},
    {"shift",
     make_shift,
     "so many days earlier or later, never none; with `by` all dates of a person move alike, so that the time between "
     "them stays",
     "`days`: how many at most",
     "date, timestamp, timestamp with time zone",
     "",
     true,
     {{{"days: 30", ValueType::date, "2024-06-01", "2024-05-11"},
       {"days: 30", ValueType::timestamp, "2024-06-01 12:30:00.5", "2024-05-09 12:30:00.5"}}}},
    {"truncate_date",
     make_truncate_date,
     "the first day of the month, or of another unit; times become midnight",
     "`to`: year, quarter, month (default), week, day",
     "date, timestamp, timestamp with time zone",
     "",
     unkeyed,
     {{{"", ValueType::date, "1984-05-06", "1984-05-01"},
       {"to: day", ValueType::timestamptz, "2024-06-01 12:30:00.5+00", "2024-06-01 00:00:00+00"}}}},
    {"boolean",
     make_boolean,
     "true or false",
     "`true_percent` (default 50)",
     "boolean",
     "",
     true,
     {{{"true_percent: 10", ValueType::boolean, "t", "t"}}}},
    {"choice",
     make_choice,
     "one of a list",
     "`values`, `weights`: a whole number for each, how likely it is (default: all the same)",
     "all; checked as by `constant`",
     "",
     true,
     {{{"values: [basic, plus], weights: [9, 1]", text, "gold", "basic"}}}},
    {"uuid",
     make_uuid,
     "a valid uuid, of version 4",
     "",
     "uuid, text",
     "yes",
     true,
     {{{"", ValueType::uuid, "0b8e1f5e-8f0c-4a51-9a3e-5d2f6c7b8a90", "bc7ff295-5a05-4859-bbfc-e91652774e3e"}}}},
};

std::string example_text(const TransformKind& kind) {
    std::string text_of_all;
    for (const TransformExample& example : kind.examples) {
        if (example.to.empty()) continue;
        const std::string parameters =
            example.parameters.empty() ? std::string{} : fmt::format(" ({})", example.parameters);
        text_of_all +=
            fmt::format("{}`{}` becomes `{}`{}", text_of_all.empty() ? "" : "; ", example.from, example.to, parameters);
    }
    return text_of_all;
}

}  // namespace

std::span<const TransformKind> transform_kinds() { return kinds; }

std::string transform_page() {
    std::string page =
        "| `type` | the value becomes | parameters | columns | unique | for example |\n"
        "| --- | --- | --- | --- | --- | --- |\n";
    for (const TransformKind& kind : kinds)
        page += fmt::format("| `{}`{} | {} | {} | {} | {} | {} |\n", kind.name, kind.keyed ? " (keyed)" : "",
                            kind.makes, kind.parameters.empty() ? "–" : kind.parameters, kind.columns,
                            kind.unique.empty() ? "no" : kind.unique, example_text(kind));
    return page;
}

}  // namespace pgsluice::rules
