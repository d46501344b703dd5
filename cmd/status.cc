#include "cmd/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "replicator/slot.h"
#include "replicator/source_session.h"

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
        return fmt::format("slot '{}': invalidated, it can never be read again; {}", names.slot, user);
    const auto behind = wal_end > slot.confirmed ? wal_end.value - slot.confirmed.value : 0;
    return fmt::format("slot '{}': confirmed up to {}, {} bytes behind the end of the WAL; {}", names.slot,
                       to_string(slot.confirmed), behind, user);
}

}  // namespace

std::vector<std::string> status_in_nats(Broker& broker, const Names& names) {
    std::vector<std::string> lines;
    for (const std::string& stream : {names.stream, names.dead_letters}) {
        const auto state = broker.stream_state(stream);
        if (state) lines.push_back(describe_stream(stream, *state));
    }
    if (lines.empty()) lines.push_back(fmt::format("stream '{}': there is none", names.stream));
    if (!broker.stream_state("KV_" + names.bucket)) return lines;
    std::vector<std::string> keys = broker.kv_keys(names);
    std::sort(keys.begin(), keys.end());
    for (const std::string& key : keys) {
        const auto value = broker.kv_get(names, key);
        if (value) lines.push_back(fmt::format("{}: {}", key, value->text));
    }
    return lines;
}

std::vector<std::string> status_on_source(sql::Connection& source, const Names& names) {
    const auto slot = find_slot(source, names.slot);
    if (!slot)
        return {fmt::format("slot '{}': there is none on source {}", names.slot, sql::describe(source.options()))};
    return {describe_slot(names, *slot, wal_end(source))};
}

void run_status(Settings settings, const Log& log, std::stop_token stop) {
    const Names& names = settings.replicator.names;
    const auto broker = Broker::connect(settings.nats, log, stop);
    std::vector<std::string> lines = status_in_nats(*broker, names);
    if (is_given(settings.replicator.source)) {
        sql::Connection source(settings.replicator.source, stop);
        for (std::string& line : status_on_source(source, names)) lines.push_back(std::move(line));
    }
    for (const std::string& line : lines) std::printf("%s\n", line.c_str());
}

}  // namespace pgsluice
