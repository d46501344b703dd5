#include "stream/group/info.h"

#include "sql/error.h"
#include "stream/format/markers.h"

namespace pgsluice {

std::optional<GroupInfo> find_group_info(Broker& broker, const Names& names, const std::optional<StreamState>& stream) {
    if (stream && stream->messages > 0) {
        const auto first = broker.message_at(names.stream, stream->first_seq);
        if (first && first->meta.kind == MessageKind::group) return decode_group(first->body);
    }
    const auto kept = broker.kv_get(names, "group");
    if (!kept) return std::nullopt;
    try {
        return decode_group(kept->text);
    } catch (const Error&) {  // garbled: the same as lost
        return std::nullopt;
    }
}

}  // namespace pgsluice
