#include "rules/file/constant_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "rules/file/fields.h"

namespace pgsluice::rules {
namespace {

struct NamedType {
    const char* name;
    Oid oid;
};
constexpr NamedType types[] = {{"bigint", 20},  {"integer", 23}, {"smallint", 21}, {"text", 25},
                               {"boolean", 16}, {"uuid", 2950},  {"date", 1082}};

bool is_integer(std::string_view text) {
    long long number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size();
}

bool is_boolean(std::string_view text) { return text == "true" || text == "false"; }

std::string_view type_of(const Node& value) {
    if (value.quoted) return "text";
    if (is_integer(value.text)) return "bigint";
    return is_boolean(value.text) ? "boolean" : "text";
}

Column column_of(const std::string& type, const Place& place) {
    const auto found =
        std::find_if(std::begin(types), std::end(types), [&](const auto& one) { return one.name == type; });
    if (found == std::end(types))
        throw refuse(place, fmt::format("unknown type '{}'", type),
                     "Known types: bigint, integer, smallint, text, boolean, uuid, date.");
    Column column;
    column.type_oid = column.base_oid = found->oid;
    column.type_name = found->name;
    return column;
}

// "${TENANT}": the variable's value.
Node resolved(Node node, const Place& place) {
    if (!node.is_scalar() || !node.text.starts_with("${") || !node.text.ends_with('}')) return node;
    const std::string name = node.text.substr(2, node.text.size() - 3);
    const char* value = std::getenv(name.c_str());
    if (value == nullptr)
        throw refuse(place, fmt::format("the environment has no variable '{}'", name), "Set it, or write the value.");
    node.text = value;
    return node;
}

ConstantColumn read_constant(const Node& written, Place place) {
    place.line = written.line;
    place.column = written.key;
    const Node node = resolved(written, place);
    ConstantColumn constant{node.key, node.text, {}};
    std::string type(node.is_scalar() ? type_of(node) : "");
    if (node.is_map()) {
        Fields fields(node, place, "a constant column");
        constant.value = fields.required_text("value");
        type = fields.required_text("type");
        fields.expect_end();
    } else if (!node.is_scalar()) {
        throw refuse(place, "a constant column is a value, or a map of 'value' and 'type'");
    }
    constant.type = column_of(type, place);
    const bool number = type == "bigint" || type == "integer" || type == "smallint";
    if ((number && !is_integer(constant.value)) || (type == "boolean" && !is_boolean(constant.value)))
        throw refuse(place, fmt::format("'{}' is no value of type {}", constant.value, type));
    if (type == "boolean") constant.value.resize(1);  // PostgreSQL writes t and f
    return constant;
}

}  // namespace

void read_constants(std::vector<ConstantColumn>& columns, const Node& map, const Place& place) {
    if (!map.is_map()) throw refuse(place, "'columns' must be a map of names and values");
    for (const Node& node : map.items) {
        const auto found = std::find_if(columns.begin(), columns.end(),
                                        [&](const ConstantColumn& column) { return column.name == node.key; });
        if (node.is_null()) {
            if (found != columns.end()) columns.erase(found);
            continue;
        }
        ConstantColumn constant = read_constant(node, place);
        if (found != columns.end())
            *found = std::move(constant);
        else
            columns.push_back(std::move(constant));
    }
}

}  // namespace pgsluice::rules
