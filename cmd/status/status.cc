#include "cmd/status/status.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cmd/status/groups.h"
#include "cmd/status/picture.h"
#include "replicator/source/session.h"
#include "replicator/source/slot/health.h"
#include "sql/error.h"
#include "sql/timestamp.h"
#include "stream/base/pause.h"
#include "stream/health/gather.h"
#include "stream/health/replicator_entry.h"
#include "stream/stream_catalog.h"

namespace pgsluice {

namespace {

constexpr std::chrono::seconds rate_time(1);

class Status {
   public:
    Status(const Settings& settings, Log log, std::stop_token stop)
        : settings_(settings), options_(settings.status), log_(std::move(log)), stop_(std::move(stop)) {
        connect();
    }

    // Each group's health, by name. Connects first after disconnect().
    std::vector<GroupHealth> look() {
        if (!broker_) connect();
        std::vector<GroupHealth> all;
        for (const std::string& group : groups()) all.push_back(look_at(names_for(group)));
        return all;
    }

    void disconnect() {
        catalog_.reset();
        broker_.reset();
    }

   private:
    void connect() {
        if (options_.all) catalog_.emplace(settings_.nats, log_, stop_);
        broker_ = Broker::connect(settings_.nats, log_, stop_);
    }

    std::vector<std::string> groups() {
        if (options_.all) return groups_in(*catalog_);
        return {settings_.replicator.names.group};
    }

    GroupHealth look_at(const Names& names) {
        GroupHealth health = gather_health(*broker_, names, options_.thresholds);
        std::string unreachable;
        if (!options_.all && is_given(settings_.replicator.source)) unreachable = look_at_source(health);
        judge(health, options_.thresholds);
        if (!unreachable.empty())
            health.findings.insert(health.findings.begin(), {HealthLevel::fail, "source", unreachable});
        return health;
    }

    // What prevents it from being asked; the slot is then as the replicator saw it last.
    std::string look_at_source(GroupHealth& health) {
        try {
            if (!source_) source_.emplace(settings_.replicator.source, stop_);
            SlotHealth slot = look_at_slot(*source_, settings_.replicator.names.slot);
            add_rate(slot);
            seen_ = slot;
            if (health.slot) add_reported_lag(slot, *health.slot);
            health.slot = slot;
            return "";
        } catch (const Error& error) {
            source_.reset();
            return error.what();
        }
    }

    // How soon it is lost needs a second look; between two looks of --watch there is time enough.
    void add_rate(SlotHealth& slot) {
        if (!slot.safe_bytes) return;
        if (!seen_) {
            seen_ = slot;
            pause(stop_, rate_time);
            slot = look_at_slot(*source_, slot.name);
        }
        measure_rate(slot, *seen_);
    }

    const Settings& settings_;
    const StatusOptions& options_;
    const Log log_;
    const std::stop_token stop_;
    std::unique_ptr<Broker> broker_;
    std::optional<StreamCatalog> catalog_;
    std::optional<sql::Connection> source_;
    std::optional<SlotHealth> seen_;
};

std::string text_of(const std::vector<GroupHealth>& groups, bool json) {
    std::string text;
    for (const GroupHealth& health : groups) text += json ? to_json(health) + '\n' : picture(health);
    if (groups.empty() && !json) text = "no group has a stream on this NATS server\n";
    return text;
}

ExitCode code_of(const std::vector<GroupHealth>& groups) {
    HealthLevel level = HealthLevel::ok;
    for (const GroupHealth& health : groups) level = std::max(level, level_of(health));
    return level == HealthLevel::ok ? exit_done : level == HealthLevel::warn ? exit_warn : exit_fail;
}

void print(const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
        throw stop_error("unable to write to standard output");
}

// On a terminal each picture takes the place of the one before.
void redraw(const std::string& text) {
    if (::isatty(STDOUT_FILENO) == 1) print("\033[H\033[2J");
    print(text);
}

// What may be well at the next look is said beside the pictures.
void look_again(Status& status, const StatusOptions& options, const Log& log) {
    try {
        const std::string text = text_of(status.look(), options.json);
        options.json ? print(text) : redraw(text);
    } catch (const Error& error) {
        if (error.action() != Action::retry) throw;
        log(LogLevel::warning, in_one_line(error) + "; looking again");
        status.disconnect();
    }
}

}  // namespace

ExitCode run_status(Settings settings, const Log& log, std::stop_token stop) {
    const StatusOptions& options = settings.status;
    Status status(settings, log, stop);
    if (!options.watch) {
        const auto groups = status.look();
        print(text_of(groups, options.json));
        return code_of(groups);
    }
    do {
        look_again(status, options, log);
    } while (pause(stop, std::chrono::milliseconds(options.interval_ms)));
    return exit_done;
}

}  // namespace pgsluice
