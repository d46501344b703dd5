#include "cmd/status/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "stream/base/printable.h"

namespace pgsluice {

namespace {

std::string line(std::string_view part, const std::string& text) { return fmt::format("  {:<12} {}\n", part, text); }

// "; last error 12 s ago: ..."
std::string error_text(const std::string& error, const std::optional<double>& age) {
    return error.empty() ? "" : fmt::format("; last error {} ago: {}", time_text(age), error);
}

std::string rate_text(const std::optional<double>& per_second) {
    return per_second ? fmt::format(", {:.0f} changes/s", *per_second) : "";
}

std::string replicator_line(const GroupHealth& health) {
    const ReplicatorHealth& replicator = health.replicator;
    std::string text = replicator.state == PartState::unknown ? "has not reported" : to_text(replicator.state);
    if (replicator.finished) text = "finished";
    if (replicator.failed) text = "stopped by: " + replicator.last_error;
    if (replicator.state == PartState::dead)
        text = fmt::format("dead: no report for {}", time_text(replicator.report_age));
    if (!replicator.waiting.empty()) text += ", waiting for " + replicator.waiting;
    text += fmt::format("; published up to {}", to_string(replicator.published));
    text += rate_text(replicator.changes_per_second);
    if (!replicator.failed) text += error_text(replicator.last_error, replicator.last_error_age);
    return line("replicator", text);
}

std::string standby_line(const StandbyHealth& standby) {
    const std::string who = fmt::format("process {} on '{}'", standby.pid, standby.host);
    return line("standby", standby.dead ? fmt::format("{}: no report for {}", who, time_text(standby.report_age))
                                        : who + " stands by");
}

std::string bar(double share) {
    constexpr std::size_t cells = 20;
    const auto filled = std::min(cells, static_cast<std::size_t>(share * static_cast<double>(cells)));
    return '[' + std::string(filled, '#') + std::string(cells - filled, '-') + ']';
}

std::string snapshot_line(const SnapshotHealth& snapshot) {
    if (snapshot.complete)
        return line("snapshot", fmt::format("complete: epoch {}, {} tables, {} rows", snapshot.epoch, snapshot.tables,
                                            snapshot.rows));
    std::string text = fmt::format("{} {:.0f} %, {} of {} tables, {} rows", bar(snapshot.share), snapshot.share * 100,
                                   snapshot.tables_done, snapshot.tables, snapshot.rows);
    if (snapshot.seconds_left) text += fmt::format(", about {} left", time_text(snapshot.seconds_left));
    return line("snapshot", text);
}

std::string bootstrap_line(const BootstrapHealth& bootstrap) {
    std::string text = bootstrap.state;
    if (bootstrap.state == "waiting" && !bootstrap.point.valid()) text += " for the slot and its snapshot";
    if (bootstrap.state == "waiting" && bootstrap.point.valid())
        text += fmt::format(" for a dump of snapshot {} as of {}; workers wait", bootstrap.snapshot,
                            to_string(bootstrap.point));
    if (bootstrap.state == "accumulating")
        text += fmt::format(" what was committed since {}; workers wait for --bootstrap complete",
                            to_string(bootstrap.point));
    if (bootstrap.state == "unknown")
        text = fmt::format("not known: a dump as of {}, and the KV bucket was lost", to_string(bootstrap.point));
    if (bootstrap.state == "streaming") text += fmt::format(", from a dump as of {}", to_string(bootstrap.point));
    if (bootstrap.since) text += fmt::format(" (since {})", time_text(bootstrap.since));
    return line("bootstrap", text);
}

std::string loss_text(const SlotHealth& slot) {
    if (!slot.safe_bytes) return "";
    const std::string room =
        fmt::format(", lost after {} more of WAL",
                    size_text(static_cast<std::uint64_t>(std::max<std::int64_t>(0, *slot.safe_bytes))));
    return slot.seconds_to_loss ? fmt::format("{}, in {} at the present rate", room, time_text(slot.seconds_to_loss))
                                : room;
}

std::string slot_line(const SlotHealth& slot, std::int64_t now_us) {
    std::string text = fmt::format("'{}': ", slot.name);
    if (!slot.exists) return line("slot", text + "does not exist");
    if (slot.invalidated) return line("slot", text + "invalidated, it cannot be read any more");
    text += fmt::format("confirmed up to {}, {} ({}) behind the end of the WAL; {} of WAL held ({}){}; {}",
                        to_string(slot.confirmed), size_text(slot.behind_bytes), time_text(slot.behind_seconds),
                        size_text(slot.held_bytes), slot.wal_status, loss_text(slot),
                        slot.active ? "in use" : "not in use");
    const double age = static_cast<double>(now_us - slot.seen_us) / 1e6;
    if (age >= 5) text += fmt::format(" when it was last seen, {} ago", time_text(age));
    return line("slot", text);
}

std::string stream_line(const StreamHealth& stream) {
    std::string text = fmt::format("'{}': ", stream.name);
    if (!stream.exists) return line("stream", text + "does not exist");
    text += fmt::format("{} messages ({} to {}), {}", stream.messages, stream.first_seq.value, stream.last_seq.value,
                        size_text(stream.bytes));
    text += stream.max_bytes > 0 ? " of at most " + size_text(static_cast<std::uint64_t>(stream.max_bytes))
                                 : std::string(", no limit");
    if (stream.oldest_age) text += fmt::format("; the oldest is {} old", time_text(stream.oldest_age));
    if (!stream.oldest_needed_by.empty())
        text += fmt::format("; worker '{}' needs message {} and later", stream.oldest_needed_by,
                            stream.oldest_needed.value);
    return line("stream", text);
}

std::string behind_text(const WorkerHealth& worker) {
    if (worker.behind_messages == 0) return "nothing behind";
    std::string text = fmt::format("{} messages", worker.behind_messages);
    if (worker.behind_bytes) text += fmt::format(", {} of WAL", size_text(*worker.behind_bytes));
    if (worker.behind_seconds) text += ", " + time_text(worker.behind_seconds);
    return text + " behind";
}

std::string worker_line(const WorkerHealth& worker, const std::string& group) {
    if (!worker.readable)
        return fmt::format(
            "  worker '{0}': its entry cannot be read, so nothing is trimmed; remove it with pgsluice forget --group "
            "{1} --worker-name {0}\n",
            worker.name, group);
    std::string state = to_text(worker.state);
    if (!worker.started) state = "never started";
    if (worker.failed) state = "stopped by: " + worker.last_error;
    if (worker.state == PartState::dead) state = fmt::format("dead: no report for {}", time_text(worker.report_age));
    if (worker.loading_epoch != 0) state += fmt::format(", loading the snapshot of epoch {}", worker.loading_epoch);
    if (!worker.waiting.empty()) state += "; waiting for " + worker.waiting;
    std::string text = fmt::format("  worker '{}' ({}): {}; applied up to {}, {}", worker.name, worker.sink, state,
                                   to_string(worker.applied), behind_text(worker));
    text += rate_text(worker.changes_per_second);
    if (!worker.failed) text += error_text(worker.last_error, worker.last_error_age);
    return printable(text) + '\n';
}

}  // namespace

std::string time_text(const std::optional<double>& seconds) {
    if (!seconds) return "?";
    struct Unit {
        double seconds;
        const char* name;
    };
    constexpr std::array units{Unit{86400, "days"}, Unit{3600, "h"}, Unit{60, "min"}};
    for (const Unit& unit : units)
        if (*seconds >= 2 * unit.seconds) return fmt::format("{:.1f} {}", *seconds / unit.seconds, unit.name);
    return fmt::format("{:.1f} s", *seconds);
}

std::string size_text(std::uint64_t bytes) {
    if (bytes < 1000) return fmt::format("{} bytes", bytes);
    auto size = static_cast<double>(bytes) / 1000;
    const char* const names[] = {"kB", "MB", "GB", "TB"};
    std::size_t unit = 0;
    for (; size >= 1000 && unit + 1 < std::size(names); ++unit) size /= 1000;
    return fmt::format("{:.1f} {}", size, names[unit]);
}

std::string picture(const GroupHealth& health) {
    std::string text = fmt::format("group {}: {}\n", health.group, to_text(level_of(health)));
    if (health.slot) text += slot_line(*health.slot, health.at_us);
    text += replicator_line(health);
    if (health.standby) text += standby_line(*health.standby);
    if (health.snapshot) text += snapshot_line(*health.snapshot);
    if (health.bootstrap) text += bootstrap_line(*health.bootstrap);
    if (health.rules_at_source)
        text += line("rules", "applied before anything is published (replicator --rules-config)");
    text += stream_line(health.stream);
    for (const WorkerHealth& worker : health.workers) text += worker_line(worker, health.group);
    if (health.dead_letters.messages != 0)
        text += line("dead letters", fmt::format("{} messages, {}", health.dead_letters.messages,
                                                 size_text(health.dead_letters.bytes)));
    for (const HealthFinding& finding : health.findings)
        text += fmt::format("  {}: {}: {}\n", to_text(finding.level), finding.part, finding.text);
    return text;
}

}  // namespace pgsluice
