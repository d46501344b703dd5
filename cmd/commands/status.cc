#include "cmd/commands/status.h"

#include <fmt/format.h>

#include <algorithm>

#include "cmd/terminal/say.h"
#include "replicator/source/session.h"
#include "replicator/source/slot/slot.h"
#include "sql/error.h"
#include "sql/timestamp.h"
#include "stream/group/delivered_rules.h"
#include "stream/group/registry.h"
#include "stream/group/schema_history.h"

namespace pgsluice {

namespace {

std::string describe_stream(const std::string& name, const StreamState& state) {
    const std::string limit = state.max_bytes < 0 ? "no limit" : fmt::format("limit {} bytes", state.max_bytes);
    return fmt::format("stream '{}': {} messages ({} to {}), {} bytes, {}", name, state.messages, state.first_seq.value,
                       state.last_seq.value, state.bytes, limit);
}

std::string describe_slot(const Names& names, const SlotState& slot, Lsn wal_end) {
    const std::string user = slot.active_pid == 0 ? "not in use" : fmt::format("used by process {}", slot.active_pid);
    if (slot.invalidated)
        return fmt::format("slot '{}': invalidated, it cannot be read any more; {}", names.slot, user);
    const auto behind = wal_end > slot.confirmed ? wal_end.value - slot.confirmed.value : 0;
    return fmt::format("slot '{}': confirmed up to {}, {} bytes behind the end of the WAL; {}", names.slot,
                       to_string(slot.confirmed), behind, user);
}

std::string describe_worker(const WorkerEntry& worker, const StreamState& stream, std::int64_t now_us) {
    const std::uint64_t from = needed_from(worker).value;
    const std::uint64_t behind = stream.last_seq.value + 1 > from ? stream.last_seq.value + 1 - from : 0;
    return fmt::format(
        "worker '{}' ({}): applied up to {}, needs the stream from message {} ({} behind), last reported {} s ago{}{}",
        worker.name, worker.sink, to_string(worker.applied.position), from, behind,
        (now_us - worker.reported_us) / 1'000'000, worker.waiting.empty() ? "" : "; waiting for ", worker.waiting);
}

bool is_worker(const std::string& key) { return key.rfind("worker.", 0) == 0; }

}  // namespace

std::vector<std::string> status_in_nats(Broker& broker, const Names& names) {
    std::vector<std::string> lines;
    for (const std::string& stream : {names.stream, names.dead_letters}) {
        const auto state = broker.stream_state(stream);
        if (state) lines.push_back(describe_stream(stream, *state));
    }
    if (lines.empty()) lines.push_back(fmt::format("stream '{}': does not exist", names.stream));
    if (!broker.stream_state("KV_" + names.bucket)) return lines;
    std::vector<std::string> keys = broker.kv_keys(names);
    std::sort(keys.begin(), keys.end());
    for (const std::string& key : keys) {
        const auto value = is_worker(key) ? std::nullopt : broker.kv_get(names, key);
        if (value) lines.push_back(fmt::format("{}: {}", key, value->text));
    }
    const auto stream = broker.stream_state(names.stream).value_or(StreamState{});
    std::vector<std::string> unreadable;
    for (const WorkerEntry& worker : WorkerRegistry(broker, names).list(&unreadable)) {
        lines.push_back(describe_worker(worker, stream, sql::postgres_time_us()));
    }
    for (const std::string& name : unreadable) {
        lines.push_back(
            fmt::format("worker '{0}': its entry cannot be read, so nothing is trimmed; remove it with "
                        "pgsluice forget --group {1} --worker-name {0}",
                        name, names.group));
    }
    return lines;
}

std::vector<std::string> status_on_source(sql::Connection& source, const Names& names) {
    const auto slot = find_slot(source, names.slot);
    if (!slot)
        return {fmt::format("slot '{}': does not exist on source {}", names.slot, sql::describe(source.options()))};
    return {describe_slot(names, *slot, wal_end(source))};
}

void run_raw_status(Settings settings, const Log& log, std::stop_token stop) {
    const Names& names = settings.replicator.names;
    const auto broker = Broker::connect(settings.nats, log, stop);
    std::vector<std::string> lines = status_in_nats(*broker, names);
    if (is_given(settings.replicator.source)) {
        sql::Connection source(settings.replicator.source, stop);
        for (std::string& line : status_on_source(source, names)) lines.push_back(std::move(line));
    }
    for (const std::string& line : lines) say(line);
}

void run_forget(Settings settings, const Log& log, std::stop_token stop) {
    const auto broker = Broker::connect(settings.nats, log, std::move(stop));
    const std::string& worker = settings.worker.worker;
    WorkerRegistry registry(*broker, settings.worker.names);
    std::vector<std::string> unreadable;
    const auto entries = registry.list({worker}, &unreadable);
    const auto* entry = entries.empty() ? nullptr : entries.data();
    if (entry != nullptr && entry->runs(registry.now_us())) {
        throw stop_error(
            fmt::format(
                "unable to forget worker '{}': it last reported {} s ago, so it is running and would register again",
                worker, (registry.now_us() - entry->reported_us) / 1'000'000),
            fmt::format("Stop it first. A worker that was killed counts as running for {} s.",
                        WorkerEntry::counts_as_running.count()));
    }
    if (!registry.remove(worker)) {
        throw stop_error(fmt::format("unable to forget worker '{}': group '{}' has no worker of that name", worker,
                                     settings.worker.names.group),
                         "See the group's workers with pgsluice status.");
    }
    SchemaHistory(*broker, settings.worker.names, worker).clear();
    DeliveredRulesKeys rules(*broker, settings.worker.names, worker);
    if (entry != nullptr && (entry->sink == "nats" || entry->sink == "webhook"))
        rules.clear_but_count();
    else
        rules.clear();
    say(fmt::format("removed worker '{}' from the group; the stream is no longer kept for it", worker));
}

}  // namespace pgsluice
