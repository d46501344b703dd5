#include "stream/group/copy_request.h"

#include "stream/format/json_fields.h"
#include "stream/format/json_writer.h"

namespace pgsluice {

namespace {

constexpr const char* copy_request_key = "copy_request";

}  // namespace

std::string encode_copy_request(const std::set<Oid>& tables) {
    JsonText out;
    out.raw("{\"oids\":[");
    for (bool first = true; const Oid table : tables) {
        if (!first) out.raw(',');
        first = false;
        out.number(table);
    }
    out.raw("]}");
    return std::string(out.view());
}

std::set<Oid> decode_copy_request(std::string_view json) {
    return with_json_fields(json, "the bucket's key 'copy_request'", [](const JsonFields& fields) {
        std::set<Oid> tables;
        for (const auto oid : fields.array("oids")) {
            std::uint64_t value = 0;
            if (oid.get(value) != simdjson::SUCCESS || value > UINT32_MAX)
                throw fields.bad("oids", "not a list of oids");
            tables.insert(static_cast<Oid>(value));
        }
        return tables;
    });
}

CopyRequest find_copy_request(Broker& broker, const Names& names) {
    const auto kept = broker.kv_get(names, copy_request_key);
    if (!kept) return {};
    try {
        return {decode_copy_request(kept->text), kept->revision};
    } catch (const Error&) {
        return {{}, kept->revision, true};
    }
}

void request_copies(Broker& broker, const Names& names, const std::set<Oid>& tables) {
    for (;;) {
        CopyRequest request = find_copy_request(broker, names);
        request.tables.insert(tables.begin(), tables.end());
        if (broker.kv_update(names, copy_request_key, encode_copy_request(request.tables), request.revision)) return;
    }
}

void end_copy_request(Broker& broker, const Names& names, const CopyRequest& taken) {
    broker.kv_update(names, copy_request_key, encode_copy_request({}), taken.revision);
}

}  // namespace pgsluice
