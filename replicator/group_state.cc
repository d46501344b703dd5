#include "replicator/group_state.h"

#include <algorithm>
#include <charconv>

#include "sql/error.h"
#include "stream/markers.h"

namespace pgsluice {

namespace {

// The epoch that a message tells of; 0 when its kind tells nothing.
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

std::optional<GroupInfo> GroupState::group(const std::optional<StreamState>& stream) {
    if (stream && stream->messages > 0) {
        const auto first = broker_.message_at(names_.stream, stream->first_seq);
        if (first && first->meta.kind == MessageKind::group) return decode_group(first->body);
    }
    if (const auto kept = broker_.kv_get(names_, "group")) return decode_group(kept->text);
    return std::nullopt;
}

void GroupState::remember(const GroupInfo& info) { broker_.kv_put(names_, "group", encode(info)); }

std::uint64_t GroupState::next_epoch(const std::optional<StreamState>& stream, const std::optional<LastMessage>& last) {
    std::uint64_t known = last ? epoch_of(*last) : 0;
    if (const auto kept = broker_.kv_get(names_, "epoch")) {
        std::uint64_t number = 0;
        std::from_chars(kept->text.data(), kept->text.data() + kept->text.size(), number);
        return std::max(known, number) + 1;
    }
    // KV was lost, or this is the first copy. No stream knows of more epochs than it has messages.
    const bool may_hide_one = last && last->meta.kind != MessageKind::group && known == 0;
    if (may_hide_one) known = stream->last_seq.value;
    return known + 1;
}

void GroupState::remember_epoch(std::uint64_t epoch) { broker_.kv_put(names_, "epoch", std::to_string(epoch)); }

void GroupState::show(const char* key, std::string_view value) noexcept {
    try {
        broker_.kv_put(names_, key, value);
    } catch (const Error&) {  // the next one will do
    }
}

}  // namespace pgsluice
