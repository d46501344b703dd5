#include "stream/health/replicator_entry.h"

#include <algorithm>
#include <cmath>

#include "sql/timestamp.h"
#include "stream/format/json_fields.h"
#include "stream/format/json_writer.h"
#include "stream/group/readable.h"

namespace pgsluice {

namespace {

constexpr const char* replicator_key = "replicator";

std::uint64_t between(Lsn from, Lsn to) { return from.valid() && to > from ? to.value - from.value : 0; }

void append_slot(JsonText& out, const SlotHealth& slot) {
    out.key("slot");
    out.raw('{');
    out.text("name", slot.name);
    out.boolean("exists", slot.exists);
    out.boolean("active", slot.active);
    out.boolean("invalidated", slot.invalidated);
    out.text("wal_status", slot.wal_status);
    out.lsn("confirmed", slot.confirmed);
    out.lsn("restart", slot.restart);
    out.lsn("wal_end", slot.wal_end);
    if (slot.behind_seconds) out.number("behind_ms", std::llround(*slot.behind_seconds * 1000));
    if (slot.safe_bytes) out.number("safe_bytes", *slot.safe_bytes);
    if (slot.wal_bytes_per_second) out.number("wal_bytes_per_second", std::llround(*slot.wal_bytes_per_second));
    out.number("seen_us", slot.seen_us);
    out.raw('}');
}

SlotHealth read_slot(const JsonFields& fields) {
    SlotHealth slot;
    slot.name = fields.text("name");
    slot.exists = fields.boolean("exists");
    slot.active = fields.boolean("active");
    slot.invalidated = fields.boolean("invalidated");
    slot.wal_status = fields.text("wal_status");
    slot.confirmed = fields.lsn("confirmed");
    slot.restart = fields.lsn("restart");
    slot.wal_end = fields.lsn("wal_end");
    if (fields.has("behind_ms")) slot.behind_seconds = static_cast<double>(fields.signed_number("behind_ms")) / 1000;
    if (fields.has("safe_bytes")) slot.safe_bytes = fields.signed_number("safe_bytes");
    if (fields.has("wal_bytes_per_second"))
        slot.wal_bytes_per_second = static_cast<double>(fields.signed_number("wal_bytes_per_second"));
    slot.seen_us = fields.signed_number("seen_us");
    measure(slot);
    return slot;
}

}  // namespace

std::string encode(const ReplicatorEntry& entry) {
    JsonText out;
    out.raw('{');
    out.boolean("ended", entry.ended);
    if (entry.failed) out.boolean("failed", true);
    if (entry.finished) out.boolean("finished", true);
    out.boolean("running", entry.running);
    if (entry.stream_full) out.boolean("stream_full", true);
    out.number("started_us", entry.started_us);
    out.number("reported_us", entry.reported_us);
    if (!entry.waiting.empty()) out.text("waiting", entry.waiting);
    if (!entry.last_error.empty()) {
        out.text("last_error", entry.last_error);
        out.number("last_error_us", entry.last_error_us);
    }
    if (entry.changes_per_second) out.number("changes_per_second", *entry.changes_per_second);
    if (entry.slot) append_slot(out, *entry.slot);
    out.raw('}');
    return std::string(out.view());
}

ReplicatorEntry decode_replicator(std::string_view json) {
    return with_json_fields(json, "the replicator's report", [](const JsonFields& fields) {
        const auto flag = [&](const char* name) { return fields.has(name) && fields.boolean(name); };
        ReplicatorEntry entry;
        entry.ended = flag("ended");
        entry.failed = flag("failed");
        entry.finished = flag("finished");
        entry.running = flag("running");
        entry.stream_full = flag("stream_full");
        entry.started_us = fields.signed_number("started_us");
        entry.reported_us = fields.signed_number("reported_us");
        if (fields.has("waiting")) entry.waiting = fields.text("waiting");
        if (fields.has("last_error")) {
            entry.last_error = fields.text("last_error");
            entry.last_error_us = fields.signed_number("last_error_us");
        }
        if (fields.has("changes_per_second"))
            entry.changes_per_second = fields.unsigned_number<std::uint64_t>("changes_per_second");
        if (fields.has("slot")) entry.slot = read_slot(fields.object("slot"));
        return entry;
    });
}

void report_replicator(Broker& broker, const Names& names, const ReplicatorEntry& entry) {
    broker.kv_put(names, replicator_key, encode(entry));
}

void amend_replicator(Broker& broker, const Names& names, std::chrono::microseconds silence,
                      const std::function<void(ReplicatorEntry&)>& change) {
    const auto kept = broker.kv_get(names, replicator_key);
    auto entry = kept ? readable(decode_replicator, kept->text) : std::nullopt;
    if (!entry) return;
    const std::int64_t now_us = sql::postgres_time_us();
    if (!entry->ended && now_us - entry->reported_us <= silence.count()) return;
    change(*entry);
    entry->reported_us = now_us;
    broker.kv_update(names, replicator_key, encode(*entry), kept->revision);
}

std::optional<ReplicatorEntry> find_replicator(Broker& broker, const Names& names) {
    const auto kept = broker.kv_get(names, replicator_key);
    return kept ? readable(decode_replicator, kept->text) : std::nullopt;
}

void measure(SlotHealth& slot) {
    slot.behind_bytes = between(slot.confirmed, slot.wal_end);
    slot.held_bytes = between(slot.restart, slot.wal_end);
    if (slot.behind_bytes == 0) slot.behind_seconds = 0;
    slot.seconds_to_loss.reset();
    if (slot.safe_bytes && slot.wal_bytes_per_second && *slot.wal_bytes_per_second >= 1)
        slot.seconds_to_loss =
            static_cast<double>(std::max<std::int64_t>(0, *slot.safe_bytes)) / *slot.wal_bytes_per_second;
}

void measure_rate(SlotHealth& now, const SlotHealth& before) {
    const auto time = static_cast<double>(now.seen_us - before.seen_us) / 1e6;
    if (time <= 0) return;
    now.wal_bytes_per_second = static_cast<double>(between(before.wal_end, now.wal_end)) / time;
    measure(now);
}

void add_reported_lag(SlotHealth& now, const SlotHealth& reported) {
    if (now.behind_bytes == 0 || reported.behind_bytes == 0 || now.confirmed != reported.confirmed) return;
    const double since = static_cast<double>(std::max<std::int64_t>(0, now.seen_us - reported.seen_us)) / 1e6;
    now.behind_seconds = std::max(now.behind_seconds.value_or(0), reported.behind_seconds.value_or(0) + since);
}

}  // namespace pgsluice
