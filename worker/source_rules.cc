#include "worker/source_rules.h"

#include <fmt/format.h>

#include <chrono>

#include "sql/error.h"
#include "stream/base/pause.h"
#include "stream/group/source_rules.h"

namespace pgsluice {

namespace {

// The record is written after the stream was made, and before its first message.
void await_first_message(const WorkerOptions& options, Broker& broker, const std::stop_token& stop) {
    constexpr auto interval = std::chrono::milliseconds(100);
    for (auto state = broker.stream_state(options.names.stream); state && state->last_seq.value == 0;
         state = broker.stream_state(options.names.stream))
        if (!pause(stop, interval)) throw Interrupted{};
}

}  // namespace

void meet_source_rules(const WorkerOptions& options, const RulesFiles& files, Broker& broker, const Log& log,
                       const std::stop_token& stop) {
    if (options.makes_tables) await_first_message(options, broker, stop);
    const auto record = find_source_rules(broker, options.names);
    if (!record) return;
    log(LogLevel::info, "the group's replicator applies rules before it publishes");
    if (options.makes_tables)
        throw stop_error(fmt::format("unable to make the source's tables on the target: the replicator of group '{}' "
                                     "applies rules, and the definitions on the source may hold what they hide",
                                     options.names.group),
                         "Make the tables on the target by hand, without the columns that are excluded, and start the "
                         "worker without --target-sync-schema.");
    if (!files.rules_text.empty() && rules_digest(files) == record->digest)
        log(LogLevel::warning,
            "--rules-config is the file that the replicator applies already: its rules are applied "
            "twice");
}

}  // namespace pgsluice
