#include "sinks/lines/json_columns.h"

#include "stream/format/json_string.h"

#include <stdexcept>

namespace pgsluice {

JsonColumns::JsonColumns(const Relation& relation) {
    fields.reserve(relation.columns.size());
    for (const Column& column : relation.columns) {
        std::string name = ",";
        append_json_string(name, column.name);
        name += ':';
        fields.push_back({std::move(name), json_type(column), column.key});
    }
}

bool RowWriter::append(std::string& out, const JsonColumns& columns, Row row, bool keys_only) {
    if (row.size() != columns.fields.size())
        throw std::logic_error("a row's number of values differs from its relation's number of columns");
    bool any_unchanged = false;
    std::size_t comma = 1;  // bytes of the name to skip
    out += '{';
    for (std::size_t i = 0; i < row.size(); ++i) {
        const JsonColumns::Field& field = columns.fields[i];
        const Value& value = row[i];
        any_unchanged |= value.is_unchanged();
        if ((keys_only && !field.key) || (value.is_unchanged() && unchanged_ == Unchanged::leave_out)) continue;
        out.append(field.name, comma);
        comma = 0;
        if (value.is_text()) {
            values_.append(out, field.type, value.text());
        } else {
            out += value.is_null() ? "null" : "\"__debezium_unavailable_value\"";
        }
    }
    out += '}';
    return any_unchanged;
}

}  // namespace pgsluice
