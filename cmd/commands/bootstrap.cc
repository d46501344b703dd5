#include "cmd/commands/bootstrap.h"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

#include "replicator/bootstrap/steps.h"
#include "sql/error.h"
#include "stream/broker.h"
#include "stream/group/bootstrap_record.h"

namespace pgsluice {

namespace {

// Of a backup: what the targets hold, at or after where the stream begins, and not beyond what it has.
Lsn restored_point(Broker& broker, const Names& names, Lsn restored_to, Lsn begin) {
    if (restored_to < begin)
        throw stop_error(fmt::format("unable to complete the bootstrap: a backup that was restored up to {} lacks what "
                                     "was committed before {}, where the stream of group '{}' begins",
                                     to_string(restored_to), to_string(begin), names.group),
                         fmt::format("Restore it up to {} or later.", to_string(begin)));
    const auto last = broker.last_message(names.stream);
    const Lsn end = last ? last->meta.safe_flush_lsn : Lsn{};
    if (restored_to > end)
        throw stop_error(fmt::format("unable to complete the bootstrap: the stream of group '{}' ends at {}, before "
                                     "{}, up to which the backup is said to be restored",
                                     names.group, to_string(end), to_string(restored_to)),
                         "If the replicator runs, run this again once it has read that far. If it never does, the LSN "
                         "is not one of this source.");
    return restored_to;
}

}  // namespace

void take_bootstrap_step(const Settings& settings, const Log& log, std::stop_token stop) {
    const Names& names = settings.replicator.names;
    const auto broker = Broker::connect(settings.nats, log, std::move(stop));
    std::optional<BootstrapRecord> record;
    do {  // the replicator may write it, too
        record = broker->stream_state(names.stream) ? find_bootstrap(*broker, names) : std::nullopt;
        const BootstrapState next = decide_step(settings.replicator.bootstrap.verb, names, record);
        record->state = next;
        const Lsn restored_to = settings.replicator.bootstrap.restored_to;
        if (restored_to.valid()) record->point = restored_point(*broker, names, restored_to, record->point);
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
