#include "cmd/cutover/reverse.h"

#include <fmt/format.h>

#include "replicator/replicator.h"
#include "sql/error.h"

namespace pgsluice {

namespace {

ReplicatorOptions reverse_options(const Settings& settings, const MovedTables& tables) {
    ReplicatorOptions options;
    options.source = settings.postgres.target;
    options.source.role = "source";
    options.nats = settings.nats;
    options.names = names_for(settings.cutover.reverse);
    options.mode = ReplicatorMode::stream;
    options.origin = OriginMode::none;
    options.tables = tables.names;
    options.assume_sync_always = true;  // the user's replicator says what there is to say
    return options;
}

}  // namespace

// Once it is running, all that lasts is made.
void begin_reverse(const Settings& settings, const MovedTables& tables, const Log& log, const std::stop_token& stop) {
    std::stop_source begun;
    const std::stop_callback forward(stop, [&] { begun.request_stop(); });
    bool running = false;
    const auto end = [&] {
        running = true;
        begun.request_stop();
    };
    try {
        run_replicator(reverse_options(settings, tables), log, end, begun.get_token());
    } catch (const Interrupted&) {
        if (!running || stop.stop_requested()) throw;
    }
}

}  // namespace pgsluice
