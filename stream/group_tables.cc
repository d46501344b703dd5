#include "stream/group_tables.h"

#include "stream/json_fields.h"
#include "stream/json_text.h"
#include "stream/relation_json.h"

namespace pgsluice {

namespace {

constexpr const char* key = "tables";
constexpr std::size_t headers_bytes = 4096;

}  // namespace

std::string encode_tables(const std::vector<Relation>& tables) {
    JsonText out;
    out.raw("{\"tables\":[");
    for (std::size_t i = 0; i < tables.size(); ++i) {
        if (i != 0) out.raw(",\n");
        append_relation(out, tables[i]);
    }
    out.raw("]}");
    return std::string(out.view());
}

std::vector<Relation> decode_tables(std::string_view json) {
    return with_json_fields(json, "the bucket's key 'tables'", [](const JsonFields& fields) {
        std::vector<Relation> tables;
        for (const auto table : fields.array("tables")) tables.push_back(parse_relation(JsonFields(table, "a table")));
        return tables;
    });
}

void remember_tables(Broker& broker, const Names& names, std::string_view json) {
    if (json.size() + headers_bytes <= broker.max_payload()) {
        broker.kv_put(names, key, json);
    } else {
        broker.kv_delete(names, key);
    }
}

std::optional<std::vector<Relation>> find_tables(Broker& broker, const Names& names) {
    const auto kept = broker.kv_get(names, key);
    if (!kept) return std::nullopt;
    return decode_tables(kept->text);
}

}  // namespace pgsluice
