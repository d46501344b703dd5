#include "tests/support/canary_tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "rules/file/node.h"
#include "rules/transforms/transform_table.h"
#include "sql/error.h"

namespace pgsluice::test {

namespace {

// Masks leave some characters at both ends, and a card's first six digits may stay.
const std::string digits = "120450836194275013642777";

constexpr Oid citext_oid = 16500;
constexpr Oid hstore_oid = 16501;
constexpr Oid enum_oid = 16502;
constexpr Oid composite_oid = 16503;
constexpr Oid text_domain_oid = 16504;
constexpr Oid number_domain_oid = 16505;

Column column(Oid type, const char* name, std::int32_t typmod = -1, Oid element = 0) {
    return {"c", type, typmod, false, name, type, element};
}

Column domain(Oid type, const char* name, Oid base) {
    Column made = column(type, name);
    made.base_oid = base;
    return made;
}

constexpr std::int32_t characters(int count) { return count + 4; }
constexpr std::int32_t precision(int digits_of_it, int scale) { return (digits_of_it << 16 | scale) + 4; }

std::vector<CanaryType> make_types() {
    const std::string json_value =
        R"({"id": 1, "deep": [{"secret": ")" + digits + R"("}], "secret": [836194275, {"x": ")" + digits + R"("}]})";
    const std::string of_json = "type: json, path: $..secret, transform: {%s}";
    const std::string of_elements = "type: array, transform: {%s}";
    const std::string timestamp = "7361-09-27 08:36:19";
    return {
        {"text", "text", column(25, "text"), digits, "none", "", "", true},
        {"varchar", "varchar(200)", column(1043, "character varying", characters(200)), digits, "none"},
        {"char", "char(200)", column(1042, "character", characters(200)), digits, "none"},
        {"name", "name", column(19, "name"), digits, "none"},
        {"citext", "citext", column(citext_oid, "public.citext"), digits, "none", "", "", true},
        {"text_domain", "secret_text", domain(text_domain_oid, "public.secret_text", 25), digits, "none", "", "", true},
        {"json", "json", column(114, "json"), json_value, "{}", of_json, "none", true},
        {"jsonb", "jsonb", column(3802, "jsonb"), json_value, "{}", of_json, "none", true},
        {"xml", "xml", column(142, "xml"),
         "<a><id>1</id><secret>" + digits + "<!-- " + digits + " --><b>" + digits + "</b></secret></a>", "<a/>",
         "type: xml, path: //secret, transform: {%s}", "none", true},
        {"hstore", "hstore", column(hstore_oid, "public.hstore"), R"("id"=>"1", "secret"=>")" + digits + R"(")", "",
         "type: hstore, key: secret, transform: {%s}", "none", true},
        {"text_array", "text[]", column(1009, "text[]", -1, 25), "[0:2]={" + digits + ",NULL," + digits + "}", "{none}",
         of_elements, "none", true},
        {"varchar_array", "varchar(200)[]", column(1015, "character varying[]", characters(200), 1043),
         "{" + digits + "," + digits + "}", "{none}", of_elements},
        {"number_array", "int[]", column(1007, "integer[]", -1, 23), "{836194275,1}", "{1}", of_elements, "1"},
        {"date_array", "date[]", column(1182, "date[]", -1, 1082), "{8361-09-27}", "{1970-01-01}", of_elements,
         "1970-01-01"},
        {"inet_array", "inet[]", column(1041, "inet[]", -1, 869), "{83.61.94.27}", "{10.0.0.1}", of_elements,
         "10.0.0.1"},
        {"bytea", "bytea", column(17, "bytea"), "\\x836194275013", "\\x00"},
        {"enum", "mood", column(enum_oid, "public.mood"), "m836194275", "calm"},
        {"composite", "pair", column(composite_oid, "public.pair"), "(1," + digits + ")", "(1,none)",
         "type: composite, field: 2, transform: {%s}", "none"},
        {"integer", "int", column(23, "integer"), "836194275", "1"},
        {"bigint", "bigint", column(20, "bigint"), "836194275", "1"},
        {"numeric", "numeric", column(1700, "numeric"), "836194275", "1"},
        {"whole_numeric", "numeric(18,0)", column(1700, "numeric", precision(18, 0)), "836194275", "1"},
        {"double", "float8", column(701, "double precision"), "836194275.5", "1"},
        {"number_domain", "secret_number", domain(number_domain_oid, "public.secret_number", 1700), "836194275", "1"},
        {"date", "date", column(1082, "date"), "8361-09-27", "1970-01-01"},
        {"timestamp", "timestamp", column(1114, "timestamp without time zone"), timestamp, "1970-01-01 00:00:00"},
        {"timestamptz", "timestamptz", column(1184, "timestamp with time zone"), timestamp + "+00",
         "1970-01-01 00:00:00+00"},
        {"time", "time", column(1083, "time without time zone"), "09:36:19.4275", "00:00:00"},
        {"timetz", "timetz", column(1266, "time with time zone"), "09:36:19.4275+00", "00:00:00+00"},
        {"interval", "interval", column(1186, "interval"), "836194275 days", "1 day"},
        {"uuid", "uuid", column(2950, "uuid"), "83619427-5013-4642-8777-120450836194",
         "00000000-0000-4000-8000-000000000000"},
        {"inet", "inet", column(869, "inet"), "83.61.94.27", "10.0.0.1"},
        {"cidr", "cidr", column(650, "cidr"), "83.61.94.27/32", "10.0.0.0/8"},
        {"macaddr", "macaddr", column(829, "macaddr"), "08:36:19:42:75:01", "02:00:00:00:00:00"},
        {"tsvector", "tsvector", column(3614, "tsvector"), "'" + digits + "':1", ""},
        {"range", "int4range", column(3904, "int4range"), "[836194275,836194276)", "[1,2)"},
        {"point", "point", column(600, "point"), "(836194275,1)", "(1,1)"},
    };
}

// The parameters of its examples; those that say what to write get something harmless of the type.
std::vector<std::string> ways_of(const rules::TransformKind& kind, const std::string& harmless) {
    if (kind.name == "null") return {"type: 'null'"};
    if (kind.name == "constant") return {fmt::format("type: constant, value: '{}'", harmless)};
    if (kind.name == "template") return {"type: template, template: 'row {id}'"};
    if (kind.name == "choice") return {fmt::format("type: choice, values: ['{0}']", harmless)};
    std::vector<std::string> ways;
    for (const rules::TransformExample& example : kind.examples) {
        if (example.to.empty()) continue;
        std::string way =
            fmt::format("type: {}{}{}", kind.name, example.parameters.empty() ? "" : ", ", example.parameters);
        if (std::ranges::find(ways, way) == ways.end()) ways.push_back(std::move(way));
    }
    return ways;
}

// Those that apply another one have only an example with one path.
bool is_within(const std::string& parameters) { return parameters.find("transform: {") != std::string::npos; }

std::string put(const std::string& within, const std::string& way) {
    std::string text = within;
    return text.replace(text.find("%s"), 2, way);
}

}  // namespace

const char* const canary_types_sql = R"(
CREATE EXTENSION citext; CREATE EXTENSION hstore;
CREATE TYPE mood AS ENUM ('calm', 'm836194275');
CREATE TYPE pair AS (number int, word text);
CREATE DOMAIN secret_text AS text CHECK (length(VALUE) > 0);
CREATE DOMAIN secret_number AS numeric;
)";

std::string CanaryType::literal(int more) const {
    std::string text = value;
    const std::string longer = digits + std::string(any_length ? static_cast<std::size_t>(more) : 0, 'x');
    for (std::size_t at = text.find(digits); at != std::string::npos; at = text.find(digits, at + longer.size()))
        text.replace(at, digits.size(), longer);
    std::string quoted;
    for (const char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
    return "'" + quoted + "'";
}

std::span<const CanaryType> canary_types() {
    static const std::vector<CanaryType> types = make_types();
    return types;
}

std::unique_ptr<rules::Transform> canary_transform(const std::string& parameters, const std::string& secret_file) {
    const rules::Node node = rules::read_yaml("{" + parameters + "}", "canary");
    rules::Fields fields(node, {}, "parameters");
    return rules::make_transform(fields, {"", secret_file, ""});
}

std::vector<CanaryColumn> canary_columns(const CanaryType& type, const std::string& secret_file) {
    std::vector<CanaryColumn> columns;
    const rules::ValueType value_type = rules::value_type(type.column);
    const auto take = [&](std::string kind, const std::string& parameters) {
        try {
            const auto transform = canary_transform(parameters, secret_file);
            if (!transform->unfit(type.column, value_type).empty()) return;
            columns.push_back({std::move(kind), parameters, transform->keeps_distinct(value_type)});
        } catch (const Error&) {
            // what lies within is no text for it
        }
    };
    const std::string outer = type.within.substr(0, type.within.find(','));
    for (const rules::TransformKind& kind : rules::transform_kinds()) {
        for (const std::string& way : ways_of(kind, type.harmless))
            if (!is_within(way)) take(std::string(kind.name), way);
        if (type.within.empty()) continue;
        for (const std::string& way : ways_of(kind, type.harmless_within))
            if (!is_within(way)) take(outer.substr(outer.find(' ') + 1), put(type.within, way));
    }
    return columns;
}

std::span<const std::string> canary_needles() {
    static const std::vector<std::string> needles{
        "836194275",           "8361-09-27",          "7361-09-27 08:36:19",
        "09:36:19.4275",       "83619427-5013",       "83.61.94.27",
        "08:36:19:42:75:01",   "383336313934323735",  "ODM2MTk0Mjc1MDEzNjQy",
        "gzNjE5NDI3NTAxMzY0M", "4MzYxOTQyNzUwMTM2ND",
    };
    return needles;
}

std::string found_canary(std::string_view text) {
    for (const std::string& needle : canary_needles())
        if (text.find(needle) != std::string_view::npos) return needle;
    return {};
}

}  // namespace pgsluice::test
