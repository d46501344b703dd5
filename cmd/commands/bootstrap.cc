#include "cmd/commands/bootstrap.h"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

#include "replicator/bootstrap/steps.h"
#include "stream/broker.h"
#include "stream/group/bootstrap_record.h"

namespace pgsluice {

void take_bootstrap_step(const Settings& settings, const Log& log, std::stop_token stop) {
    const Names& names = settings.replicator.names;
    const auto broker = Broker::connect(settings.nats, log, std::move(stop));
    std::optional<BootstrapRecord> record;
    do {  // the replicator may write it, too
        record = broker->stream_state(names.stream) ? find_bootstrap(*broker, names) : std::nullopt;
        const BootstrapState next = decide_step(settings.replicator.bootstrap.verb, names, record);
        record->state = next;
    } while (!try_record_bootstrap(*broker, names, *record));
    print_bootstrap_guide(
        record->state == BootstrapState::streaming
            ? fmt::format("group '{}' is streaming: its workers apply what was committed from {} on\n", names.group,
                          to_string(record->point))
            : fmt::format("group '{}' is accumulating: the snapshot is no longer held, and its workers wait for "
                          "--bootstrap complete\n",
                          names.group));
}

void print_bootstrap_guide(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

}  // namespace pgsluice
