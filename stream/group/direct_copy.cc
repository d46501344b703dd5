#include "stream/group/direct_copy.h"

#include "stream/format/json_fields.h"
#include "stream/format/json_writer.h"
#include "stream/group/readable.h"

namespace pgsluice {

namespace {

constexpr const char* direct_key = "direct";
constexpr const char* direct_text = "the bucket's key 'direct'";

}  // namespace

std::string encode(const DirectCopy& copy) {
    JsonText out;
    out.raw('{');
    out.number("epoch", copy.epoch);
    out.lsn("consistent_point", copy.consistent_point);
    out.text("worker", copy.worker);
    out.boolean("loaded", copy.loaded);
    out.raw(",\"tables\":[");
    bool first = true;
    for (const auto& [number, table] : copy.tables) {
        out.raw(first ? "{" : ",{");
        first = false;
        out.number("table", number);
        out.number("ranges", table.ranges);
        out.number("pages", table.pages);
        out.number("rows", table.rows);
        out.number("bytes", table.bytes);
        out.raw('}');
    }
    out.raw("]}");
    return std::string(out.view());
}

DirectCopy decode_direct_copy(std::string_view json) {
    return with_json_fields(json, direct_text, [](const JsonFields& fields) {
        DirectCopy copy;
        copy.epoch = fields.unsigned_number<std::uint64_t>("epoch");
        copy.consistent_point = fields.lsn("consistent_point");
        copy.worker = fields.text("worker");
        copy.loaded = fields.boolean("loaded");
        for (const auto element : fields.array("tables")) {
            const JsonFields table(element, direct_text);
            copy.tables[table.unsigned_number<std::uint32_t>("table")] = {
                table.unsigned_number<std::uint32_t>("ranges"), table.unsigned_number<std::uint64_t>("pages"),
                table.unsigned_number<std::uint64_t>("rows"), table.unsigned_number<std::uint64_t>("bytes")};
        }
        return copy;
    });
}

std::optional<DirectCopy> find_direct_copy(Broker& broker, const Names& names) {
    const auto kept = broker.kv_get(names, direct_key);
    if (!kept) return std::nullopt;
    DirectCopy copy = readable(decode_direct_copy, kept->text).value_or(DirectCopy{});
    copy.revision = kept->revision;
    return copy;
}

bool try_record_direct_copy(Broker& broker, const Names& names, DirectCopy& copy) {
    const auto revision = broker.kv_update(names, direct_key, encode(copy), copy.revision);
    if (revision) copy.revision = *revision;
    return revision.has_value();
}

}  // namespace pgsluice
