#include "replicator/group_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/error.h"
#include "stream/format/markers.h"
#include "stream/format/version.h"
#include "stream/group/snapshot_start.h"
#include "stream/group/tables.h"

namespace pgsluice {

namespace {

// The epoch that a message belongs to; 0 for kinds that belong to none.
std::uint64_t epoch_of(const LastMessage& last) {
    switch (last.meta.kind) {
        case MessageKind::snapshot_begin:
            return decode_snapshot_begin(last.body).epoch;
        case MessageKind::copy:
            return last.copy.epoch;
        case MessageKind::snapshot_end:
            return decode_snapshot_end(last.body).epoch;
        default:
            return 0;
    }
}

}  // namespace

// The format never falls: the stream may hold what was written in the later one.
GroupInfo group_info(const ReplicatorOptions& options, const StartFacts& facts, int server_version) {
    const std::uint32_t written = options.direct_snapshot          ? direct_snapshots_format
                                  : options.stream_zstd_level == 0 ? 1
                                                                   : encoded_bodies_format;
    return {options.names.group,
            facts.source.system_identifier,
            facts.source.timeline,
            facts.source.dbname,
            fmt::format("{}.{}", server_version / 10000, server_version % 10000),
            PGSLUICE_VERSION,
            std::max(written, facts.group ? facts.group->format : 1)};
}

void GroupState::remember(const GroupInfo& info) { broker_.kv_put(names_, group_info_key, encode(info)); }

std::uint64_t GroupState::next_epoch(const std::optional<StreamState>& stream, const std::optional<LastMessage>& last,
                                     bool starts_over) {
    std::uint64_t known = std::max<std::uint64_t>(last ? epoch_of(*last) : 0, starts_over ? 1 : 0);
    const auto announced = std::max(find_announced_epoch(broker_, names_), find_added_epoch(broker_, names_));
    if (announced != 0) return std::max(known, announced) + 1;
    // KV was lost, or this is the first copy. No stream knows of more epochs than it has messages.
    const bool may_hide_one = last && last->meta.kind != MessageKind::group && epoch_of(*last) == 0;
    if (may_hide_one || (starts_over && stream)) known = std::max(known, stream->last_seq.value);
    return known + 1;
}

bool GroupState::show_tables(std::string_view tables) noexcept {
    try {
        return remember_tables(broker_, names_, tables);
    } catch (const Error&) {  // workers then meet the tables in the stream
        return true;
    }
}

void GroupState::show(const char* key, std::string_view value) noexcept {
    try {
        broker_.kv_put(names_, key, value);
    } catch (const Error&) {  // the next one will do
    }
}

}  // namespace pgsluice
