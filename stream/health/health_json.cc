// A group's health as one JSON object. The names are kept, and documented in cmd/README.md.
#include <fmt/format.h>

#include "stream/format/json_writer.h"
#include "stream/health/group_health.h"

namespace pgsluice {

namespace {

void append(JsonText& out, std::string_view name, const std::optional<double>& value) {
    out.key(name);
    out.raw(value ? fmt::format("{:.3f}", *value) : "null");
}

template <std::integral T>
void append(JsonText& out, std::string_view name, const std::optional<T>& value) {
    out.key(name);
    if (value)
        out.number(*value);
    else
        out.raw("null");
}

void append_text(JsonText& out, std::string_view name, const std::string& text) {
    if (!text.empty()) return out.text(name, text);
    out.key(name);
    out.raw("null");
}

void append_replicator(JsonText& out, const ReplicatorHealth& replicator) {
    out.key("replicator");
    out.raw('{');
    out.text("state", to_text(replicator.state));
    out.boolean("failed", replicator.failed);
    out.boolean("finished", replicator.finished);
    append_text(out, "waiting", replicator.waiting);
    append_text(out, "last_error", replicator.last_error);
    append(out, "last_error_age", replicator.last_error_age);
    append(out, "report_age", replicator.report_age);
    out.lsn("published", replicator.published);
    append(out, "changes_per_second", replicator.changes_per_second);
    out.raw('}');
}

void append_standby(JsonText& out, const std::optional<StandbyHealth>& standby) {
    out.key("standby");
    if (!standby) return out.raw("null");
    out.raw('{');
    out.text("host", standby->host);
    out.number("pid", standby->pid);
    append(out, "report_age", std::optional(standby->report_age));
    out.raw('}');
}

void append_snapshot(JsonText& out, const std::optional<SnapshotHealth>& snapshot) {
    out.key("snapshot");
    if (!snapshot) return out.raw("null");
    out.raw('{');
    out.number("epoch", snapshot->epoch);
    out.number("tables", snapshot->tables);
    out.number("tables_done", snapshot->tables_done);
    out.number("rows", snapshot->rows);
    append(out, "share", std::optional(snapshot->share));
    append(out, "seconds_left", snapshot->seconds_left);
    out.boolean("complete", snapshot->complete);
    out.raw('}');
}

void append_bootstrap(JsonText& out, const std::optional<BootstrapHealth>& bootstrap) {
    out.key("bootstrap");
    if (!bootstrap) return out.raw("null");
    out.raw('{');
    out.text("state", bootstrap->state);
    append_text(out, "point", bootstrap->point.valid() ? to_string(bootstrap->point) : "");
    append_text(out, "snapshot", bootstrap->snapshot);
    append(out, "since_seconds", bootstrap->since);
    out.raw('}');
}

void append_slot(JsonText& out, const std::optional<SlotHealth>& slot) {
    out.key("slot");
    if (!slot) return out.raw("null");
    out.raw(to_json(*slot));
}

void append_stream(JsonText& out, const StreamHealth& stream) {
    out.key("stream");
    out.raw('{');
    out.text("name", stream.name);
    out.boolean("exists", stream.exists);
    out.number("messages", stream.messages);
    out.number("bytes", stream.bytes);
    append(out, "max_bytes", stream.max_bytes < 0 ? std::nullopt : std::optional(stream.max_bytes));
    out.number("first_message", stream.first_seq.value);
    out.number("last_message", stream.last_seq.value);
    append(out, "oldest_age", stream.oldest_age);
    append(out, "oldest_needed",
           stream.oldest_needed.value == 0 ? std::nullopt : std::optional(stream.oldest_needed.value));
    append_text(out, "oldest_needed_by", stream.oldest_needed_by);
    out.raw('}');
}

void append_worker(JsonText& out, const WorkerHealth& worker) {
    out.raw('{');
    out.text("name", worker.name);
    out.text("sink", worker.sink);
    out.text("state", to_text(worker.state));
    out.boolean("readable", worker.readable);
    out.text("applied", to_string(worker.applied));
    out.text("durable", to_string(worker.durable));
    out.number("needs", worker.needs.value);
    out.number("behind_messages", worker.behind_messages);
    append(out, "behind_bytes", worker.behind_bytes);
    append(out, "behind_seconds", worker.behind_seconds);
    append(out, "changes_per_second", worker.changes_per_second);
    append(out, "loading_epoch", worker.loading_epoch == 0 ? std::nullopt : std::optional(worker.loading_epoch));
    append_text(out, "waiting", worker.waiting);
    out.boolean("failed", worker.failed);
    append_text(out, "last_error", worker.last_error);
    append(out, "last_error_age", worker.last_error_age);
    append(out, "report_age", worker.report_age);
    out.raw('}');
}

void append_workers(JsonText& out, const std::vector<WorkerHealth>& workers) {
    out.key("workers");
    out.raw('[');
    for (const WorkerHealth& worker : workers) {
        if (&worker != &workers.front()) out.raw(',');
        append_worker(out, worker);
    }
    out.raw(']');
}

void append_findings(JsonText& out, const std::vector<HealthFinding>& findings) {
    out.key("findings");
    out.raw('[');
    for (const HealthFinding& finding : findings) {
        if (&finding != &findings.front()) out.raw(',');
        out.raw('{');
        out.text("level", to_text(finding.level));
        out.text("part", finding.part);
        out.text("text", finding.text);
        out.raw('}');
    }
    out.raw(']');
}

}  // namespace

std::string to_json(const SlotHealth& slot) {
    JsonText out;
    out.raw('{');
    out.text("name", slot.name);
    out.boolean("exists", slot.exists);
    out.boolean("active", slot.active);
    out.boolean("invalidated", slot.invalidated);
    append_text(out, "wal_status", slot.wal_status);
    out.lsn("confirmed", slot.confirmed);
    out.lsn("restart", slot.restart);
    out.lsn("wal_end", slot.wal_end);
    out.number("behind_bytes", slot.behind_bytes);
    append(out, "behind_seconds", slot.behind_seconds);
    out.number("held_bytes", slot.held_bytes);
    append(out, "safe_bytes", slot.safe_bytes);
    append(out, "wal_bytes_per_second", slot.wal_bytes_per_second);
    append(out, "seconds_to_loss", slot.seconds_to_loss);
    out.number("seen_us", slot.seen_us);
    out.raw('}');
    return std::string(out.view());
}

std::string to_json(const GroupHealth& health) {
    JsonText out;
    out.raw('{');
    out.text("group", health.group);
    out.text("health", to_text(level_of(health)));
    out.number("at_us", health.at_us);
    append_replicator(out, health.replicator);
    append_standby(out, health.standby);
    append_snapshot(out, health.snapshot);
    append_bootstrap(out, health.bootstrap);
    out.boolean("rules_at_source", health.rules_at_source);
    append_slot(out, health.slot);
    append_stream(out, health.stream);
    append_workers(out, health.workers);
    out.key("dead_letters");
    out.raw('{');
    out.number("messages", health.dead_letters.messages);
    out.number("bytes", health.dead_letters.bytes);
    out.raw('}');
    append_findings(out, health.findings);
    out.raw('}');
    return std::string(out.view());
}

}  // namespace pgsluice
