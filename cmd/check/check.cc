#include "cmd/check/check.h"

#include <cstdio>
#include <iterator>
#include <optional>
#include <vector>

#include "cmd/check/clocks.h"
#include "cmd/check/group.h"
#include "cmd/check/nats/nats.h"
#include "cmd/check/report.h"
#include "cmd/check/sides.h"
#include "cmd/check/source/source.h"
#include "cmd/check/target/delivered_tables.h"
#include "cmd/check/target/target.h"
#include "sql/error.h"

namespace pgsluice {

namespace {

void print(const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
        throw stop_error("unable to write to standard output");
}

}  // namespace

ExitCode run_check(const Settings& settings, const Log&, const std::stop_token& stop) {
    std::vector<CheckFinding> all;
    const auto add = [&](std::vector<CheckFinding> found) { std::ranges::move(found, std::back_inserter(all)); };
    CheckedSource source;
    add(look_at_source(settings, source, stop));
    CheckedNats nats;
    add(look_at_nats(settings, nats, stop));
    if (nats.readable && checks_replicator(settings)) add(look_at_group(settings.replicator, source, stop));
    DeliveredTables delivered;
    add(look_at_rules(settings, source, nats.readable, delivered, stop));
    std::optional<PostgresSession> target;
    add(look_at_target(settings, source, delivered, target, stop));
    add(look_at_clocks(source.connection ? &*source.connection : nullptr, target ? &target->connection : nullptr,
                       nats.monitoring));
    print(settings.check.json ? report_json(all) : report_text(all));
    return report_code(all);
}

}  // namespace pgsluice
