#include "stream/group/format_check.h"

#include "stream/format/markers.h"
#include "stream/format/version.h"

namespace pgsluice {

void check_format(Broker& broker, const Names& names) {
    const auto kept = broker.kv_get(names, group_info_key);
    if (kept && written_format(kept->text)) return require_known_format(names.group, kept->text);
    const auto stream = broker.stream_state(names.stream);
    if (!stream || stream->messages == 0) return;
    const auto first = broker.message_at(names.stream, stream->first_seq);
    if (first && first->meta.kind == MessageKind::group) require_known_format(names.group, first->body);
}

// A key that is gone or garbled stays so: find_group_info() says what that means.
void note_format(Broker& broker, const Names& names, const GroupInfo& info) {
    const auto kept = broker.kv_get(names, group_info_key);
    const auto format = kept ? written_format(kept->text) : std::nullopt;
    if (format && format->version != info.format) broker.kv_put(names, group_info_key, encode(info));
}

}  // namespace pgsluice
