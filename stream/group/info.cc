#include "stream/group/info.h"

#include <algorithm>

#include "stream/format/markers.h"
#include "stream/group/readable.h"

namespace pgsluice {

namespace {

std::optional<GroupInfo> find_kept(Broker& broker, const Names& names) {
    const auto kept = broker.kv_get(names, group_info_key);
    return kept ? readable(decode_group, kept->text) : std::nullopt;
}

}  // namespace

std::optional<GroupInfo> find_group_info(Broker& broker, const Names& names, const std::optional<StreamState>& stream) {
    auto kept = find_kept(broker, names);
    if (!stream || stream->messages == 0) return kept;
    const auto first = broker.message_at(names.stream, stream->first_seq);
    if (!first || first->meta.kind != MessageKind::group) return kept;
    GroupInfo info = decode_group(first->body);
    const bool same_database = kept && kept->system_identifier == info.system_identifier && kept->dbname == info.dbname;
    if (!same_database) return info;
    info.timeline = std::max(info.timeline, kept->timeline);
    info.format = std::max(info.format, kept->format);
    return info;
}

}  // namespace pgsluice
