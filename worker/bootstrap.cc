#include "worker/bootstrap.h"

#include <fmt/format.h>

#include <chrono>

#include "sql/error.h"
#include "stream/pause.h"

namespace pgsluice {

namespace {

constexpr std::chrono::milliseconds poll(500);

}  // namespace

bool is_under_way(const std::optional<BootstrapRecord>& record) {
    return record && record->state != BootstrapState::streaming;
}

void await_bootstrap(const WorkerOptions& options, Broker& broker, const Log& log, const std::stop_token& stop) {
    std::optional<BootstrapState> told;
    while (true) {
        const auto record = find_bootstrap(broker, options.names);
        if (!is_under_way(record)) return;
        if (told != record->state)
            log(LogLevel::info,
                fmt::format("worker '{}' waits until the target holds the dump that group '{}' begins with, and "
                            "somebody says so (replicator --bootstrap complete); the group is {}",
                            options.worker, options.names.group, to_string(record->state)));
        told = record->state;
        if (!pause(stop, poll)) throw Interrupted{};
    }
}

void check_not_bootstrapping(const WorkerOptions& options, Broker& broker) {
    if (!is_under_way(find_bootstrap(broker, options.names))) return;
    throw retry_error(fmt::format("group '{}' is just beginning with a dump", options.names.group));
}

std::optional<SinkState> with_dump(const std::optional<SinkState>& state, const std::optional<BootstrapRecord>& record,
                                   const WorkerOptions& options) {
    if (!record) return state;
    const Position begin{record->point, 0};
    if (!state || state->checkpoint.position == Position{}) {
        SinkState dumped;
        dumped.checkpoint = {record->seq, begin};
        return dumped;
    }
    if (state->checkpoint.position >= begin) return state;
    throw stop_error(
        fmt::format("unable to continue worker '{}': it remembers up to {}, and group '{}' has begun again since, with "
                    "a dump as of {}",
                    options.worker, to_string(state->checkpoint.position), options.names.group,
                    to_string(record->point)),
        "Once the target holds that dump, remove what the worker remembers (on a postgres target: DELETE FROM "
        "pgsluice.progress WHERE \"group\" = '" +
            options.names.group + "'; a file worker: another directory), and start it again.");
}

}  // namespace pgsluice
