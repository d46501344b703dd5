#include "stream/format/relation_json.h"

#include <utility>

#include "stream/format/json_fields.h"

namespace pgsluice {

namespace {

void append_column(JsonText& out, const Column& column) {
    out.raw('{');
    out.text("name", column.name);
    out.text("type", column.type_name);
    out.number("oid", column.type_oid);
    out.number("typmod", column.typmod);
    if (column.key) out.boolean("key", true);
    if (column.base_oid != column.type_oid) {
        out.number("base", column.base_oid);
    }
    if (column.element_oid != 0) {
        out.number("element", column.element_oid);
    }
    if (column.unique) out.boolean("unique", true);
    if (column.number != 0) {
        out.number("number", column.number);
    }
    out.raw('}');
}

Column read_column(const JsonFields& fields) {
    Column column;
    column.name = fields.text("name");
    column.type_name = fields.text("type");
    column.type_oid = fields.unsigned_number<Oid>("oid");
    const auto typmod = fields.signed_number("typmod");
    if (typmod < INT32_MIN || typmod > INT32_MAX) throw fields.bad("typmod", "out of range");
    column.typmod = static_cast<std::int32_t>(typmod);
    column.key = fields.has("key") && fields.boolean("key");
    column.base_oid = fields.has("base") ? fields.unsigned_number<Oid>("base") : column.type_oid;
    column.element_oid = fields.has("element") ? fields.unsigned_number<Oid>("element") : 0;
    column.unique = fields.has("unique") && fields.boolean("unique");
    if (fields.has("number")) column.number = fields.unsigned_number<std::int16_t>("number");
    return column;
}

void append_names(JsonText& out, std::string_view field, const std::vector<QualifiedName>& names) {
    if (names.empty()) return;
    out.raw(",\"");
    out.raw(field);
    out.raw("\":[");
    for (bool first = true; const auto& name : names) {
        out.raw(std::exchange(first, false) ? "{\"schema\":" : ",{\"schema\":");
        out.text(name.schema);
        out.text("table", name.table);
        out.raw('}');
    }
    out.raw(']');
}

std::vector<QualifiedName> read_names(const JsonFields& fields, std::string_view field, std::string_view one) {
    std::vector<QualifiedName> names;
    if (!fields.has(field)) return names;
    for (const auto element : fields.array(field)) {
        const JsonFields name(element, one);
        names.push_back({std::string(name.text("schema")), std::string(name.text("table"))});
    }
    return names;
}

ReplicaIdentity read_identity(const JsonFields& fields) {
    const auto text = fields.text("identity");
    if (text != "d" && text != "n" && text != "f" && text != "i") throw fields.bad("identity", "not one of d, n, f, i");
    return static_cast<ReplicaIdentity>(text[0]);
}

}  // namespace

void append_relation(JsonText& out, const Relation& relation) {
    out.raw('{');
    out.number("oid", relation.oid);
    out.text("schema", relation.schema);
    out.text("table", relation.table);
    out.raw(",\"identity\":\"");
    out.raw(static_cast<char>(relation.identity));
    out.raw('"');
    append_names(out, "ancestors", relation.ancestors);
    append_names(out, "came_as", relation.came_as);
    out.raw(",\"columns\":[");
    for (bool first = true; const auto& column : relation.columns) {
        if (!std::exchange(first, false)) out.raw(',');
        append_column(out, column);
    }
    out.raw("]}");
}

Relation parse_relation(const JsonFields& fields) {
    Relation relation;
    relation.oid = fields.unsigned_number<Oid>("oid");
    relation.schema = fields.text("schema");
    relation.table = fields.text("table");
    relation.identity = read_identity(fields);
    relation.ancestors = read_names(fields, "ancestors", "an ancestor");
    relation.came_as = read_names(fields, "came_as", "a former name");
    for (const auto column : fields.array("columns")) {
        relation.columns.push_back(read_column(JsonFields(column, "a column")));
    }
    return relation;
}

Relation parse_relation(std::string_view json) {
    return with_json_fields(json, "a relation", [](const JsonFields& fields) { return parse_relation(fields); });
}

}  // namespace pgsluice
