#include "stream/group/snapshot_start.h"

#include <charconv>

#include "sql/error.h"
#include "stream/format/json_fields.h"
#include "stream/format/json_writer.h"
#include "stream/format/markers.h"
#include "stream/group/readable.h"

namespace pgsluice {

namespace {

constexpr const char* snapshot_start_key = "begin";
constexpr const char* epoch_key = "epoch";
constexpr const char* added_epoch_key = "added_epoch";

std::uint64_t find_number(Broker& broker, const Names& names, const char* number_key) {
    const auto kept = broker.kv_get(names, number_key);
    std::uint64_t number = 0;
    if (kept) std::from_chars(kept->text.data(), kept->text.data() + kept->text.size(), number);
    return number;
}

// Through a consumer, which assembles a marker sent in parts.
std::optional<Message> read_marker(Broker& broker, const Names& names, StreamSeq seq, const std::stop_token& stop) {
    const auto found = broker.message_at(names.stream, seq);
    if (!found || found->meta.kind != MessageKind::snapshot_begin) return std::nullopt;
    const auto consumer = broker.consumer(names, seq);
    for (int waited_ms = 0; waited_ms < 10000; waited_ms += 100) {
        if (stop.stop_requested()) throw Interrupted{};
        auto message = consumer->next(100);
        if (!message) continue;
        if (message->first_seq != seq || message->meta.kind != MessageKind::snapshot_begin) return std::nullopt;
        return message;
    }
    throw retry_error("unable to read message " + std::to_string(seq.value) + " of stream '" + names.stream +
                      "': nats-server did not deliver it within 10 s");
}

}  // namespace

std::string encode(const SnapshotStart& start) {
    JsonText out;
    out.raw('{');
    out.number("epoch", start.epoch);
    out.number("seq", start.seq.value);
    out.lsn("consistent_point", start.consistent_point);
    out.raw('}');
    return std::string(out.view());
}

SnapshotStart decode_snapshot_start(std::string_view json) {
    return with_json_fields(json, "the bucket's key 'begin'", [](const JsonFields& fields) {
        SnapshotStart start;
        start.epoch = fields.unsigned_number<std::uint64_t>("epoch");
        start.seq = {fields.unsigned_number<std::uint64_t>("seq")};
        start.consistent_point = fields.lsn("consistent_point");
        return start;
    });
}

void announce_epoch(Broker& broker, const Names& names, std::uint64_t epoch) {
    broker.kv_put(names, epoch_key, std::to_string(epoch));
}

std::uint64_t find_announced_epoch(Broker& broker, const Names& names) { return find_number(broker, names, epoch_key); }

void announce_added_epoch(Broker& broker, const Names& names, std::uint64_t epoch) {
    broker.kv_put(names, added_epoch_key, std::to_string(epoch));
}

std::uint64_t find_added_epoch(Broker& broker, const Names& names) {
    return find_number(broker, names, added_epoch_key);
}

void remember_snapshot_start(Broker& broker, const Names& names, const SnapshotStart& start) {
    broker.kv_put(names, snapshot_start_key, encode(start));
}

std::optional<SnapshotStart> find_snapshot_start(Broker& broker, const Names& names) {
    const auto kept = broker.kv_get(names, snapshot_start_key);
    return kept ? readable(decode_snapshot_start, kept->text) : std::nullopt;
}

std::optional<SnapshotBegin> read_snapshot_begin(Broker& broker, const Names& names, StreamSeq seq,
                                                 const std::stop_token& stop) {
    const auto message = read_marker(broker, names, seq, stop);
    if (!message) return std::nullopt;
    auto begin = decode_snapshot_begin(message->body);
    begin.added = message->meta.added;
    return begin;
}

bool is_direct_snapshot(Broker& broker, const Names& names, StreamSeq seq, const std::stop_token& stop) {
    const auto message = read_marker(broker, names, seq, stop);
    return message && decode_direct_plan(message->body).has_value();
}

}  // namespace pgsluice
