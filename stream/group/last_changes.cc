#include "stream/group/last_changes.h"

#include <utility>

#include "stream/format/json_fields.h"
#include "stream/format/json_writer.h"
#include "stream/group/readable.h"

namespace pgsluice {

std::string encode(const LastChanges& changes) {
    JsonText out;
    out.raw("{\"tables\":[");
    for (bool first = true; const auto& [oid, change] : changes) {
        out.raw(std::exchange(first, false) ? "{\"oid\":" : ",\n{\"oid\":");
        out.number(oid);
        out.lsn("lsn", change.commit);
        out.number("time_us", change.commit_time_us);
        out.raw('}');
    }
    out.raw("]}");
    return std::string(out.view());
}

LastChanges decode_last_changes(std::string_view json) {
    return with_json_fields(json, "the bucket's key 'last_changes'", [](const JsonFields& fields) {
        LastChanges changes;
        for (const auto element : fields.array("tables")) {
            const JsonFields table(element, "an entry of the bucket's key 'last_changes'");
            changes[table.unsigned_number<Oid>("oid")] = {table.lsn("lsn"), table.signed_number("time_us")};
        }
        return changes;
    });
}

LastChanges find_last_changes(Broker& broker, const Names& names) {
    const auto kept = broker.kv_get(names, "last_changes");
    return kept ? readable(decode_last_changes, kept->text).value_or(LastChanges{}) : LastChanges{};
}

}  // namespace pgsluice
