#include "stream/group/bootstrap_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sql/error.h"
#include "sql/timestamp.h"
#include "stream/format/json_fields.h"
#include "stream/format/json_writer.h"
#include "stream/format/markers.h"

namespace pgsluice {

namespace {

constexpr const char* bootstrap_key = "bootstrap";

constexpr std::array<std::string_view, 5> bootstrap_state_names{"waiting", "accumulating", "streaming", "superseded",
                                                                "unknown"};
// Older builds know these. What is superseded is streaming for them: their workers wait for nothing, either.
constexpr std::array written{BootstrapState::waiting, BootstrapState::accumulating, BootstrapState::streaming};

BootstrapState state_of(const JsonFields& fields) {
    if (fields.has("superseded") && fields.boolean("superseded")) return BootstrapState::superseded;
    const std::string text = fields.text("state");
    for (const BootstrapState state : written)
        if (to_string(state) == text) return state;
    throw fields.bad("state", "not a state");
}

// Of a group that has a marker: the stream is trimmed up to the message before it once it is there, and
// workers that wait for the dump keep it. Other programs may have published beside it.
constexpr std::uint64_t looked_at = 16;

std::optional<BootstrapRecord> find_marker(Broker& broker, const Names& names) {
    const auto state = broker.stream_state(names.stream);
    if (!state) return std::nullopt;
    const std::uint64_t end = std::min(state->last_seq.value + 1, state->first_seq.value + looked_at);
    for (StreamSeq seq = state->first_seq; seq.value < end; ++seq.value) {
        const auto message = broker.message_at(names.stream, seq);
        if (!message || message->meta.kind == MessageKind::group) continue;
        if (message->meta.kind != MessageKind::progress || !is_dump_marker(message->body)) return std::nullopt;
        BootstrapRecord record;
        record.state = BootstrapState::unknown;
        record.point = decode_progress(message->body).lsn;
        record.seq = seq;
        return record;
    }
    return std::nullopt;
}

}  // namespace

std::string_view to_string(BootstrapState state) { return bootstrap_state_names.at(static_cast<std::size_t>(state)); }

std::string encode(const BootstrapRecord& record) {
    JsonText out;
    out.raw('{');
    const bool superseded = record.state == BootstrapState::superseded;
    out.text("state", to_string(superseded ? BootstrapState::streaming : record.state));
    if (superseded) out.boolean("superseded", true);
    if (record.point.valid()) {
        out.lsn("point", record.point);
        out.number("seq", record.seq.value);
        out.text("snapshot", record.snapshot);
    }
    out.number("since_us", record.since_us);
    out.raw('}');
    return std::string(out.view());
}

BootstrapRecord decode_bootstrap(std::string_view json) {
    return with_json_fields(json, "the bucket's key 'bootstrap'", [](const JsonFields& fields) {
        BootstrapRecord record;
        record.state = state_of(fields);
        record.since_us = fields.signed_number("since_us");
        if (record.state == BootstrapState::waiting && !fields.has("point")) return record;
        record.point = fields.lsn("point");
        record.seq = {fields.unsigned_number<std::uint64_t>("seq")};
        record.snapshot = fields.text("snapshot");
        return record;
    });
}

std::optional<BootstrapRecord> find_bootstrap(Broker& broker, const Names& names) {
    const auto kept = broker.kv_get(names, bootstrap_key);
    if (!kept) return find_marker(broker, names);
    BootstrapRecord record = decode_bootstrap(kept->text);
    record.revision = kept->revision;
    return record;
}

bool try_record_bootstrap(Broker& broker, const Names& names, BootstrapRecord& record) {
    record.since_us = sql::postgres_time_us();
    const auto revision = broker.kv_update(names, bootstrap_key, encode(record), record.revision);
    if (revision) record.revision = *revision;
    return revision.has_value();
}

void record_bootstrap(Broker& broker, const Names& names, BootstrapRecord& record) {
    if (!try_record_bootstrap(broker, names, record))
        throw retry_error(fmt::format("unable to write the state of group '{}': another has changed it", names.group));
}

void supersede_bootstrap(Broker& broker, const Names& names) {
    auto record = find_bootstrap(broker, names);
    if (record && !record->point.valid()) {  // an attempt that ended before it knew the point, or just after
        broker.kv_delete(names, bootstrap_key);
        record = find_bootstrap(broker, names);
    }
    if (!record || record->state == BootstrapState::superseded) return;
    record->state = BootstrapState::superseded;
    record_bootstrap(broker, names, *record);
}

}  // namespace pgsluice
