#include "replicator/heartbeat.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "replicator/source/session.h"
#include "stream/base/pause.h"
#include "stream/heartbeat.h"

namespace pgsluice {

Heartbeat::Heartbeat(const ReplicatorOptions& options, Log log) : options_(options), log_(std::move(log)) {
    if (options_.heartbeat_interval_ms == 0) return;
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Heartbeat::run(const std::stop_token& stop) {
    do {
        try {
            return beat_on(stop);
        } catch (const Interrupted&) {
            return;
        } catch (const Error& error) {
            say_failure(error);
        }
    } while (pause(stop, std::chrono::milliseconds(options_.heartbeat_interval_ms)));
}

void Heartbeat::beat_on(const std::stop_token& stop) {
    sql::Connection source = connect_source(options_.source, stop);
    // The commit is sent on once it is on the source's own disk. A synchronous standby that is away does not matter.
    source.exec("SET synchronous_commit = local");
    do beat(source);
    while (pause(stop, std::chrono::milliseconds(options_.heartbeat_interval_ms)));
}

void Heartbeat::beat(sql::Connection& source) {
    const auto written = source.query(
        "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL "
        "ELSE pg_catalog.pg_logical_emit_message(true, $1, $2) END",
        {sql::Param(heartbeat_prefix), sql::Param(options_.names.group)}, {1, 1, 1});
    say(written.get(0, 0).has_value(), "the source is a standby");
}

// A source that does not answer fails the replicator itself, too, and is reported there.
void Heartbeat::say_failure(const Error& error) {
    if (error.action() == Action::retry) return log_(LogLevel::debug, error.what());
    say(false, error.what());
}

void Heartbeat::say(bool well, const std::string& why) {
    if (std::exchange(well_, well) == well) return;
    if (well) return log_(LogLevel::info, "heartbeats are written again");
    log_(LogLevel::warning, fmt::format("no heartbeats are written (--heartbeat-interval): {}", why));
}

}  // namespace pgsluice
