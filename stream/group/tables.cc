#include "stream/group/tables.h"

#include "stream/format/json_fields.h"
#include "stream/format/json_writer.h"
#include "stream/format/relation_json.h"
#include "stream/group/fitting_value.h"
#include "stream/group/readable.h"

namespace pgsluice {

namespace {

constexpr const char* tables_key = "tables";

void append_tables(JsonText& out, const std::vector<Relation>& tables) {
    for (std::size_t i = 0; i < tables.size(); ++i) {
        if (i != 0) out.raw(",\n");
        append_relation(out, tables[i]);
    }
}

std::vector<Relation> read_tables(const JsonFields& fields, std::string_view name) {
    std::vector<Relation> tables;
    for (const auto table : fields.array(name)) tables.push_back(parse_relation(JsonFields(table, "a table")));
    return tables;
}

}  // namespace

std::string encode(const GroupTables& tables) {
    JsonText out;
    out.raw("{\"tables\":[");
    append_tables(out, tables.now);
    if (!tables.former.empty()) {
        out.raw("],\n\"former\":[");
        append_tables(out, tables.former);
    }
    out.raw("]}");
    return std::string(out.view());
}

GroupTables decode_tables(std::string_view json) {
    return with_json_fields(json, "the bucket's key 'tables'", [](const JsonFields& fields) {
        GroupTables tables{read_tables(fields, "tables"), {}};
        if (fields.has("former")) tables.former = read_tables(fields, "former");
        return tables;
    });
}

bool remember_tables(Broker& broker, const Names& names, std::string_view json) {
    return put_if_it_fits(broker, names, tables_key, json);
}

std::optional<GroupTables> find_tables(Broker& broker, const Names& names) {
    const auto kept = broker.kv_get(names, tables_key);
    return kept ? readable(decode_tables, kept->text) : std::nullopt;
}

}  // namespace pgsluice
