#include "cmd/check/clocks.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

namespace pgsluice {

namespace {

constexpr double most_s = 1;

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

// How far a server's clock is ahead of ours.
double ahead(sql::Connection& connection) {
    const double before = now();
    const auto row = connection.query(
        "SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000)::pg_catalog.int8", {}, {1, 1, 1});
    return static_cast<double>(row.integer(0, 0)) / 1000 - (before + now()) / 2;
}

void judge(const char* whose, double ahead_s, Findings& found) {
    if (std::abs(ahead_s) <= most_s) return found.ok(fmt::format("{} agrees with this machine's", whose));
    found.warn(fmt::format("{} is {:.0f} s {} this machine's: ages and lags will be wrong by that", whose,
                           std::abs(ahead_s), ahead_s > 0 ? "ahead of" : "behind"),
               "Set the machines' clocks by NTP.");
}

}  // namespace

std::vector<CheckFinding> look_at_clocks(sql::Connection* source, sql::Connection* target,
                                         const std::optional<MonitoringLook>& nats) {
    Findings found("clocks");
    if (source != nullptr) found.attempt([&](const Log&) { judge("the source's clock", ahead(*source), found); });
    if (target != nullptr) found.attempt([&](const Log&) { judge("the target's clock", ahead(*target), found); });
    if (nats) judge("nats-server's clock", nats->figures.now - nats->asked_at, found);
    return found.take();
}

}  // namespace pgsluice
