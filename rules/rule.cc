#include "rules/rule.h"

#include <fmt/format.h>

#include <algorithm>

#include "stream/table_pattern.h"

namespace pgsluice::rules {
namespace {

struct OperationName {
    std::string_view upper;
    std::string_view lower;
    Op op;
};

constexpr OperationName operation_names[] = {
    {"INSERT", "insert", Op::insert},
    {"UPDATE", "update", Op::update},
    {"DELETE", "delete", Op::del},
    {"TRUNCATE", "truncate", Op::truncate},
};

Operations read_operation(const Node& node, const Place& place, Operations known) {
    for (const auto& name : operation_names)
        if (node.is_scalar() && known.has(name.op) && (node.text == name.upper || node.text == name.lower))
            return {name.op};
    throw refuse(place, fmt::format("unknown operation '{}'", node.text),
                 known.has(Op::truncate) ? "Known operations: INSERT, UPDATE, DELETE, TRUNCATE."
                                         : "Known operations: INSERT, UPDATE, DELETE.");
}

// Cuts the part before the next dot off `text`.
std::string take_part(std::string_view& text) {
    std::string part;
    if (text.starts_with('"')) {
        text.remove_prefix(1);
        while (!text.empty()) {
            const char c = text[0];
            text.remove_prefix(1);
            if (c != '"') {
                part += c;
            } else if (text.starts_with('"')) {
                part += c;
                text.remove_prefix(1);
            } else {
                return part;
            }
        }
        return {};
    }
    part = text.substr(0, text.find('.'));
    text.remove_prefix(part.size());
    return part;
}

}  // namespace

std::string Operations::text() const {
    std::string text;
    for (const auto& name : operation_names)
        if (has(name.op)) text += fmt::format("{}{}", text.empty() ? "" : ", ", name.lower);
    return text;
}

Operations read_operations(const Node& node, const Place& place, Operations known) {
    if (node.is_scalar()) return read_operation(node, place, known);
    if (!node.is_list() || node.items.empty())
        throw refuse(place, "'operations' must list at least one operation", "Leave it out for all of them.");
    Operations operations;
    for (const Node& item : node.items) operations |= read_operation(item, place, known);
    return operations;
}

TableName TableName::parse_pattern(std::string_view text, const Place& place) {
    TableName name = parse(text, place);
    name.pattern = text.find('*') != std::string_view::npos && text.find('"') == std::string_view::npos;
    return name;
}

bool TableName::matches(std::string_view in_schema, std::string_view name) const {
    if (!pattern) return table == name && (schema.empty() || schema == in_schema);
    return NamePattern{table, true}.matches(name) && (schema.empty() || NamePattern{schema, true}.matches(in_schema));
}

int TableName::rank() const {
    if (!pattern) return schema.empty() ? 2 : 3;
    return schema.empty() && table == "*" ? 0 : 1;
}

TableName TableName::parse(std::string_view text, const Place& place) {
    std::string_view rest = text;
    TableName name;
    name.table = take_part(rest);
    if (rest.starts_with('.')) {
        rest.remove_prefix(1);
        name.schema = std::move(name.table);
        name.table = take_part(rest);
        if (name.schema.empty()) name.table.clear();
    }
    if (name.table.empty() || !rest.empty())
        throw refuse(place, fmt::format("'{}' does not name a table", text), "Write table or schema.table.");
    return name;
}

bool TableName::covers(const Relation& relation) const {
    return matches(relation) ||
           std::any_of(relation.ancestors.begin(), relation.ancestors.end(),
                       [&](const QualifiedName& above) { return matches(above.schema, above.table); });
}

bool Route::fills(std::string_view schema, std::string_view table) const {
    if (source.pattern && target.table.empty()) return false;
    const TableName filled{target.schema.empty() ? source.schema : target.schema,
                           target.table.empty() ? source.table : target.table};
    return replicate && filled.matches(schema, table);
}

namespace {

// With {schema} and {table} replaced. What they are replaced by is not looked at: a schema may be called "{table}".
std::string with_names(std::string_view text, const QualifiedName& name) {
    std::string out;
    while (!text.empty()) {
        const bool schema = text.starts_with("{schema}");
        const bool table = text.starts_with("{table}");
        out += schema ? name.schema : table ? name.table : std::string(1, text.front());
        text.remove_prefix(schema || table ? text.find('}') + 1 : 1);
    }
    return out;
}

// The table's own name, or that of the partitioned table which the route is of.
QualifiedName routed_name(const TableName& source, const Relation& relation) {
    if (!source.matches(relation.schema, relation.table))
        for (const QualifiedName& above : relation.ancestors)
            if (source.matches(above.schema, above.table)) return above;
    return {relation.schema, relation.table};
}

}  // namespace

Keeping Route::keeping(const Relation& relation) const {
    Keeping keeping{mode, {}, history};
    const QualifiedName name = routed_name(source, relation);
    for (const ConstantColumn& column : constants) keeping.constants.push_back(with_names(column.value, name));
    return keeping;
}

}  // namespace pgsluice::rules
