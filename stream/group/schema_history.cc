#include "stream/group/schema_history.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "sql/error.h"
#include "stream/format/json_fields.h"
#include "stream/format/json_writer.h"
#include "stream/format/relation_json.h"

namespace pgsluice {

namespace {

void append_definition(JsonText& out, const PastDefinition& seen) {
    out.raw('{');
    out.text("from", to_string(seen.from));
    out.raw(",\"ruled\":[");
    for (bool first = true; const auto& name : seen.ruled) {
        out.raw(std::exchange(first, false) ? "{\"name\":" : ",{\"name\":");
        out.text(name);
        out.raw('}');
    }
    out.raw("],\"names\":[");
    for (bool first = true; const auto& [number, name] : seen.names) {
        out.raw(std::exchange(first, false) ? "{\"number\":" : ",{\"number\":");
        out.number(number);
        out.text("name", name);
        out.raw('}');
    }
    out.raw("],\"relation\":");
    append_relation(out, seen.relation);
    out.raw('}');
}

PastDefinition read_definition(const JsonFields& fields) {
    PastDefinition seen;
    const auto from = parse_position(fields.text("from"));
    if (!from) throw fields.bad("from", "not a position");
    seen.from = *from;
    for (const auto element : fields.array("ruled"))
        seen.ruled.push_back(JsonFields(element, "a rule in a table's schema history").text("name"));
    for (const auto element : fields.array("names")) {
        const JsonFields name(element, "a column in a table's schema history");
        seen.names[name.unsigned_number<std::int16_t>("number")] = name.text("name");
    }
    seen.relation = parse_relation(fields.object("relation"));
    return seen;
}

}  // namespace

std::string encode(const TableHistory& table) {
    JsonText out;
    out.raw("{\"accepted\":[");
    for (bool first = true; const auto& seen : table.accepted) {
        if (!std::exchange(first, false)) out.raw(",\n");
        append_definition(out, seen);
    }
    out.raw(']');
    if (table.refused) {
        out.raw(",\n\"refused\":");
        append_relation(out, *table.refused);
    }
    out.raw('}');
    return std::string(out.view());
}

TableHistory decode_seen_table(std::string_view json) {
    return with_json_fields(json, "a table's schema history", [](const JsonFields& fields) {
        TableHistory table;
        for (const auto element : fields.array("accepted"))
            table.accepted.push_back(read_definition(JsonFields(element, "a definition in a table's schema history")));
        if (fields.has("refused")) table.refused = parse_relation(fields.object("refused"));
        return table;
    });
}

SchemaHistory::SchemaHistory(Broker& broker, const Names& names, Prefix prefix)
    : broker_(broker), names_(names), prefix_(std::move(prefix.text)) {}

SchemaHistory::SchemaHistory(Broker& broker, const Names& names, const std::string& worker)
    : SchemaHistory(broker, names, Prefix{fmt::format("seen.{}.", worker)}) {}

SchemaHistory SchemaHistory::of_source(Broker& broker, const Names& names) {
    return {broker, names, Prefix{"seen_by_source."}};
}

std::vector<std::string> SchemaHistory::keys() {
    std::vector<std::string> keys = broker_.kv_keys(names_);
    std::erase_if(keys, [this](const std::string& key) { return !key.starts_with(prefix_); });
    return keys;
}

std::map<Oid, TableHistory> SchemaHistory::load() {
    std::map<Oid, TableHistory> tables;
    for (const std::string& key : keys()) {
        Oid oid = 0;
        const auto [end, error] = std::from_chars(key.data() + prefix_.size(), key.data() + key.size(), oid);
        if (error != std::errc{} || end != key.data() + key.size()) continue;
        if (const auto kept = broker_.kv_get(names_, key)) tables[oid] = read(key, kept->text);
    }
    return tables;
}

// Rules depend on it, so it is not taken for lost without a word.
TableHistory SchemaHistory::read(const std::string& key, std::string_view json) const {
    try {
        return decode_seen_table(json);
    } catch (const Error& error) {
        throw stop_error(fmt::format("{} (KV key '{}')", error.what(), key),
                         fmt::format("Another program wrote the key. Remove it with pgsluice repair --group {} --yes; "
                                     "columns that were renamed since are then known by their new names only.",
                                     names_.group));
    }
}

void SchemaHistory::put(Oid table, const TableHistory* seen) {
    const std::string key = fmt::format("{}{}", prefix_, table);
    if (seen == nullptr) return broker_.kv_delete(names_, key);
    const std::string json = encode(*seen);
    if (!broker_.takes_value(json.size()))
        throw stop_error(
            fmt::format("unable to store the schema history of table '{}.{}': it takes {} bytes, and the NATS "
                        "server's max_payload is {}",
                        seen->accepted.empty() ? "" : seen->accepted.back().relation.schema,
                        seen->accepted.empty() ? "" : seen->accepted.back().relation.table, json.size(),
                        broker_.max_payload()),
            "Raise max_payload in nats-server's configuration.");
    broker_.kv_put(names_, key, json);
}

void SchemaHistory::clear() {
    for (const std::string& key : keys()) broker_.kv_delete(names_, key);
}

}  // namespace pgsluice
