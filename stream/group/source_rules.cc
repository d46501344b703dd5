#include "stream/group/source_rules.h"

#include "stream/format/json_fields.h"
#include "stream/format/json_writer.h"
#include "stream/group/readable.h"

namespace pgsluice {

namespace {

constexpr const char* source_rules_key = "source_rules";

}  // namespace

std::string encode(const SourceRulesRecord& record) {
    JsonText out;
    out.raw('{');
    out.text("digest", record.digest);
    out.raw('}');
    return std::string(out.view());
}

SourceRulesRecord decode_source_rules(std::string_view json) {
    return with_json_fields(json, "the bucket's key 'source_rules'", [](const JsonFields& fields) {
        return SourceRulesRecord{std::string(fields.text("digest"))};
    });
}

void remember_source_rules(Broker& broker, const Names& names, const SourceRulesRecord& record) {
    broker.kv_put(names, source_rules_key, encode(record));
}

void forget_source_rules(Broker& broker, const Names& names) { broker.kv_delete(names, source_rules_key); }

std::optional<SourceRulesRecord> find_source_rules(Broker& broker, const Names& names) {
    const auto kept = broker.kv_get(names, source_rules_key);
    if (!kept) return std::nullopt;
    return readable(decode_source_rules, kept->text).value_or(SourceRulesRecord{});
}

}  // namespace pgsluice
