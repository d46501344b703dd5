#include "worker/start/bootstrap.h"

#include <fmt/format.h>

#include <chrono>

#include "sql/error.h"
#include "stream/base/pause.h"

namespace pgsluice {

namespace {

constexpr std::chrono::milliseconds poll(500);

Error without_dump(const WorkerOptions& options, Lsn point) {
    const std::string& group = options.names.group;
    return stop_error(
        fmt::format("unable to continue worker '{}': group '{}' begins with a dump as of {}, and nothing says that the "
                    "target holds it: the group's KV bucket has lost that",
                    options.worker, group, to_string(point)),
        fmt::format("Once the target holds that dump: pgsluice replicator --group {0} --bootstrap complete, and start "
                    "the worker again. If there is no dump, stop the replicator and run it with --bootstrap prepare "
                    "--resnapshot.",
                    group));
}

}  // namespace

void check_has_dump(const WorkerOptions& options, Position marker, Position applied) {
    if (applied < marker) throw without_dump(options, marker.commit);
}

bool is_under_way(const std::optional<BootstrapRecord>& record) {
    return record && (record->state == BootstrapState::waiting || record->state == BootstrapState::accumulating);
}

void await_bootstrap(const WorkerOptions& options, Broker& broker, const Log& log, const std::stop_token& stop) {
    std::optional<BootstrapState> told;
    while (true) {
        const auto record = find_bootstrap(broker, options.names);
        if (!is_under_way(record)) return;
        if (told != record->state)
            log(LogLevel::info,
                fmt::format("worker '{}' waits until the target holds the dump that group '{}' begins with, and "
                            "`replicator --bootstrap complete` is run; the group is {}",
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
    if (!record || record->state == BootstrapState::superseded) return state;
    const Position begin{record->point, 0};
    if (state && state->checkpoint.position >= begin) return state;
    if (record->state == BootstrapState::unknown) throw without_dump(options, record->point);
    if (!state || state->checkpoint.position == Position{}) {
        SinkState dumped;
        dumped.checkpoint = {record->seq, begin};
        return dumped;
    }
    throw stop_error(
        fmt::format("unable to continue worker '{}': it remembers up to {}, and group '{}' has begun again since, with "
                    "a dump as of {}",
                    options.worker, to_string(state->checkpoint.position), options.names.group,
                    to_string(record->point)),
        "Once the target holds that dump, remove what the worker remembers (on a postgres target: DELETE FROM "
        "pgsluice.progress WHERE \"group\" = '" +
            options.names.group + "'; a file worker: another directory), and start it again.");
}

void warn_of_dump(const std::optional<BootstrapRecord>& record, Position from, const Log& log) {
    if (!record || record->state != BootstrapState::streaming || from != Position{record->point, 0}) return;
    log(LogLevel::warning,
        "the target holds a dump, and this worker's rules hide values only of what comes after it: those of the dump "
        "are hidden where pgsluice import loaded it, by the same rules; pgsluice check leaks looks for others");
}

}  // namespace pgsluice
