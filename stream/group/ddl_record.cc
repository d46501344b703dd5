#include "stream/group/ddl_record.h"

#include "stream/format/json_fields.h"
#include "stream/format/json_writer.h"
#include "stream/group/readable.h"

namespace pgsluice {

namespace {

constexpr const char* ddl_key = "ddl";

}  // namespace

std::string encode(const DdlRecord& record) {
    JsonText out;
    out.raw(record.tracked ? "{\"tracked\":true" : "{\"tracked\":false");
    out.number("until", record.until.value);
    out.raw('}');
    return std::string(out.view());
}

DdlRecord decode_ddl_record(std::string_view json) {
    return with_json_fields(json, "the bucket's key 'ddl'", [](const JsonFields& fields) {
        DdlRecord record;
        record.tracked = fields.boolean("tracked");
        record.until = {fields.unsigned_number<std::uint64_t>("until")};
        return record;
    });
}

void remember_ddl(Broker& broker, const Names& names, const DdlRecord& record) {
    broker.kv_put(names, ddl_key, encode(record));
}

std::optional<DdlRecord> find_ddl_record(Broker& broker, const Names& names) {
    const auto kept = broker.kv_get(names, ddl_key);
    return kept ? readable(decode_ddl_record, kept->text) : std::nullopt;
}

}  // namespace pgsluice
