#include "replicator/bootstrap/watch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "replicator/bootstrap/dump_command.h"
#include "replicator/bootstrap/held_snapshot.h"
#include "replicator/source/session.h"
#include "sql/error.h"
#include "stream/base/pause.h"
#include "stream/process/child_process.h"

namespace pgsluice {

namespace {

using namespace std::chrono_literals;

constexpr auto rhythm = 500ms;
constexpr auto rhythm_before_dump = 50ms;  // the sessions of a small database's pg_dump are over in 200 ms
constexpr auto rhythm_of_command = 2s;
// pg_dump in several processes, or a second pg_dump of the same snapshot, has that long to begin.
constexpr auto dump_is_over_after = 5s;

bool exists(const std::string& file) { return ::access(file.c_str(), F_OK) == 0; }

}  // namespace

BootstrapWatch::BootstrapWatch(const ReplicatorOptions& options, Log log) : options_(options), log_(std::move(log)) {
    thread_ = std::jthread([this](const std::stop_token& stop) {
        run([this](Broker& broker, BootstrapRecord& record,
                   const std::stop_token& end) { return follow(broker, record, end); },
            stop);
    });
    if (options_.bootstrap.command.empty()) return;
    command_ = std::jthread([this](const std::stop_token& stop) {
        run([this](Broker& broker, BootstrapRecord& record,
                   const std::stop_token& end) { return try_command(broker, record, end); },
            stop);
    });
}

// What fails here is tried again: the data does not wait for it.
void BootstrapWatch::run(const Look& look, const std::stop_token& stop) {
    do {
        try {
            const auto broker =
                Broker::connect(beside_data(options_.nats, options_.nats.request_timeout_ms, 0), silent_log, stop);
            while (true) {
                auto record = find_bootstrap(*broker, options_.names);
                const auto rest = record ? look(*broker, *record, stop) : std::nullopt;
                if (!rest || !pause(stop, *rest)) return;
            }
        } catch (const Interrupted&) {
            return;
        } catch (const Error& error) {
            log_(error.action() == Action::stop ? LogLevel::warning : LogLevel::debug,
                 fmt::format("unable to follow the bootstrap for now: {}", error.what()));
        }
    } while (pause(stop, 1s));
}

BootstrapWatch::Rest BootstrapWatch::follow(Broker& broker, BootstrapRecord& record, const std::stop_token& stop) {
    if (record.state == BootstrapState::unknown && seen_) restore(broker, record);
    if (record.state != BootstrapState::unknown) seen_ = record;
    if (record.state != BootstrapState::streaming && !options_.bootstrap.flag_file.empty() &&
        exists(options_.bootstrap.flag_file))
        complete(broker, record, fmt::format("file '{}' is there", options_.bootstrap.flag_file));
    if (record.state == BootstrapState::unknown) return rhythm;  // a command is to say how far it is
    if (record.state == BootstrapState::waiting) {
        check_held(record);
        look_for_dump(broker, record, stop);
    }
    enter(record);
    if (record.state == BootstrapState::streaming) return std::nullopt;
    return record.state == BootstrapState::waiting && !dump_seen_ ? rhythm_before_dump : rhythm;
}

void BootstrapWatch::enter(const BootstrapRecord& record) {
    seen_ = record;  // as this look has left it: the bucket may be lost before the next
    if (record.state != BootstrapState::waiting) options_.bootstrap.held->release();
    if (std::exchange(told_, record.state) == record.state) return;
    if (record.state == BootstrapState::accumulating)
        log_(LogLevel::info,
             fmt::format("bootstrap: accumulating; the snapshot as of {} is no longer held, and workers "
                         "wait for --bootstrap complete",
                         to_string(record.point)));
    if (record.state == BootstrapState::streaming)
        log_(LogLevel::info,
             fmt::format("bootstrap: complete; workers apply what was committed from {} on", to_string(record.point)));
}

// Workers that wait refuse to begin without it. It may have been further by now, where another command wrote it just
// before it was lost: then that is to be said again, and until then they wait.
void BootstrapWatch::restore(Broker& broker, BootstrapRecord& record) {
    seen_->revision = 0;
    record_bootstrap(broker, options_.names, *seen_);
    record = *seen_;
    log_(LogLevel::warning, fmt::format("bootstrap: the group's KV bucket was lost; its state is written again: {}",
                                        to_string(record.state)));
}

// The session ends with its server, or by a command; the slot remains.
void BootstrapWatch::check_held(const BootstrapRecord& record) {
    if (options_.bootstrap.held->still_there() || std::exchange(told_lost_, true)) return;
    log_(LogLevel::error,
         fmt::format("bootstrap: the source has ended the session that held the snapshot as of {}. A pg_dump that had "
                     "begun before and ends without an error is good; to take another, stop the replicator and run it "
                     "with --bootstrap prepare --resnapshot",
                     to_string(record.point)));
}

// Holding the snapshot keeps rows from being vacuumed, and its locks keep ALTER TABLE waiting: not longer than needed.
// Anyone may give a session the dump's name: it counts where its role is ours, a member of ours or a superuser.
void BootstrapWatch::look_for_dump(Broker& broker, BootstrapRecord& record, const std::stop_token& stop) {
    if (!observer_) observer_.emplace(connect_source(options_.source, stop));
    const std::string name = dump_application_name(options_.names);
    try {
        const auto sessions = observer_->query(
            "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE application_name = $1 AND datname = "
            "pg_catalog.current_database() AND pg_catalog.pg_has_role(usesysid, (SELECT oid FROM pg_catalog.pg_roles "
            "WHERE rolname = current_user), 'MEMBER')",
            {sql::Param(name)}, {1, 1, 1});
        if (sessions.integer(0, 0) > 0) dump_seen_ = Clock::now();
    } catch (const Error&) {
        observer_.reset();
        throw;
    }
    if (!dump_seen_ || Clock::now() - *dump_seen_ < dump_is_over_after) return;
    log_(LogLevel::info, "bootstrap: the dump has ended");
    record.state = BootstrapState::accumulating;
    record_bootstrap(broker, options_.names, record);
}

BootstrapWatch::Rest BootstrapWatch::try_command(Broker& broker, BootstrapRecord& record, const std::stop_token& stop) {
    if (record.state == BootstrapState::streaming) return std::nullopt;
    ChildProcess child({"sh", "-c", options_.bootstrap.command},
                       {{"BOOTSTRAP_DUMP", options_.bootstrap.held->dump_command()},
                        {"BOOTSTRAP_SNAPSHOT", record.snapshot},
                        {"BOOTSTRAP_LSN", to_string(record.point)}},
                       "Give a command for sh with --bootstrap-command.");
    std::array<char, 4096> output{};
    while (child.read(output.data(), output.size(), stop, [] {}) > 0) {
    }
    if (succeeded(child.wait())) {
        auto now = find_bootstrap(broker, options_.names);  // it may have taken hours
        if (now && now->point == record.point) complete(broker, *now, "the command of --bootstrap-command succeeded");
        if (!now || now->state == BootstrapState::streaming) return std::nullopt;
        return rhythm;
    }
    log_(LogLevel::warning,
         fmt::format("bootstrap: the command of --bootstrap-command failed and will be run again: {}",
                     in_one_line(stop_error(child.errors()))));
    return rhythm_of_command;
}

void BootstrapWatch::complete(Broker& broker, BootstrapRecord& record, const std::string& why) {
    if (record.state == BootstrapState::streaming) return;
    record.state = BootstrapState::streaming;
    record_bootstrap(broker, options_.names, record);
    log_(LogLevel::info, "bootstrap: completing, for " + why);
}

}  // namespace pgsluice
