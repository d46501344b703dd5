#include "stream/group/cutover_record.h"

#include "stream/format/json_fields.h"
#include "stream/format/json_writer.h"

namespace pgsluice {

namespace {

constexpr const char* cutover_key = "cutover";

}  // namespace

std::string encode(const CutoverRecord& record) {
    JsonText out;
    out.raw('{');
    out.lsn("lsn", record.lsn);
    out.number("at_us", record.at_us);
    out.boolean("writes_stopped", record.writes_stopped);
    out.raw('}');
    return std::string(out.view());
}

CutoverRecord decode_cutover(std::string_view json) {
    return with_json_fields(json, "the bucket's key 'cutover'", [](const JsonFields& fields) {
        CutoverRecord record;
        record.lsn = fields.lsn("lsn");
        record.at_us = fields.signed_number("at_us");
        record.writes_stopped = fields.boolean("writes_stopped");
        return record;
    });
}

std::optional<CutoverRecord> find_cutover(Broker& broker, const Names& names) {
    const auto kept = broker.kv_get(names, cutover_key);
    if (!kept) return std::nullopt;
    return decode_cutover(kept->text);
}

void record_cutover(Broker& broker, const Names& names, const CutoverRecord& record) {
    broker.kv_put(names, cutover_key, encode(record));
}

void forget_cutover(Broker& broker, const Names& names) { broker.kv_delete(names, cutover_key); }

}  // namespace pgsluice
