#include "stream/group/references.h"

#include "stream/format/json_fields.h"
#include "stream/format/json_writer.h"
#include "stream/group/fitting_value.h"
#include "stream/group/readable.h"

namespace pgsluice {

namespace {

constexpr const char* references_key = "references";

ColumnReference read_reference(const JsonFields& fields) {
    return {{fields.text("schema"), fields.text("table")},
            fields.text("column"),
            {fields.text("to_schema"), fields.text("to_table")},
            fields.text("to_column"),
            fields.boolean("same_type"),
            fields.has("constraint") ? fields.text("constraint") : std::string{}};
}

}  // namespace

std::string encode(const std::vector<ColumnReference>& references) {
    JsonText out;
    out.raw("{\"references\":[");
    for (const ColumnReference& one : references) {
        out.raw(&one == references.data() ? "{" : ",\n{");
        out.text("schema", one.table.schema);
        out.text("table", one.table.table);
        out.text("column", one.column);
        out.text("to_schema", one.to_table.schema);
        out.text("to_table", one.to_table.table);
        out.text("to_column", one.to_column);
        out.boolean("same_type", one.same_type);
        if (!one.constraint.empty()) out.text("constraint", one.constraint);
        out.raw('}');
    }
    out.raw("]}");
    return std::string(out.view());
}

std::vector<ColumnReference> decode_references(std::string_view json) {
    return with_json_fields(json, "the bucket's key 'references'", [](const JsonFields& fields) {
        std::vector<ColumnReference> references;
        for (const auto element : fields.array("references"))
            references.push_back(read_reference(JsonFields(element, "a foreign key's column")));
        return references;
    });
}

bool remember_references(Broker& broker, const Names& names, const std::vector<ColumnReference>& references) {
    return put_if_it_fits(broker, names, references_key, encode(references));
}

std::optional<std::vector<ColumnReference>> find_references(Broker& broker, const Names& names) {
    const auto kept = broker.kv_get(names, references_key);
    return kept ? readable(decode_references, kept->text) : std::nullopt;
}

}  // namespace pgsluice
