#include "cmd/run/run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "cmd/http/shared_endpoint.h"
#include "cmd/run/part.h"
#include "cmd/run/start_gate.h"
#include "cmd/subcommands.h"
#include "sql/error.h"
#include "stream/broker.h"

namespace pgsluice {

namespace {

// For how long a part that does not begin counts among those that start.
constexpr std::chrono::milliseconds start_patience(1000);
// Of a replicator that is asked to stop, until its group's workers are.
constexpr std::chrono::seconds replicator_grace(3);

// Their sources are often on this machine, too.
std::size_t starts_at_once() { return std::max(4U, 2 * std::thread::hardware_concurrency()); }

// What names a part in PostgreSQL and NATS.
std::string identity(const PartSettings& part) {
    const bool replicates = part.command->command == command_replicator;
    return part.settings.worker.names.group + (replicates ? "" : " " + part.settings.worker.worker);
}

void check_names(const std::vector<PartSettings>& parts) {
    std::set<std::string> known;
    for (const PartSettings& part : parts)
        if (!known.insert(identity(part)).second)
            throw usage_error(fmt::format("unable to run '{}' twice", part.name),
                              "Give each group its own name ('-' counts as '_'), and each worker of a group its own "
                              "worker-name.");
}

class Parts {
   public:
    Parts(std::vector<PartSettings> settings, const Process& process) : process_(process) {
        for (std::size_t i = 0; i < settings.size(); ++i) {
            if (!gate_.enter(i, process_.stop)) return;
            const auto begun = [this, i] { gate_.leave(i); };
            const auto ended = [this, i] {
                gate_.leave(i);
                note_end();
            };
            parts_.push_back(std::make_unique<Part>(std::move(settings[i]), process_, begun, ended));
        }
    }

    void run_until_stop() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, process_.stop, [this] { return all_ended(); });
    }

    void stop() {
        for (const auto& part : parts_)
            if (part->replicates()) part->ask_to_stop();
        std::unique_lock lock(mutex_);
        const auto deadline = std::chrono::steady_clock::now() + replicator_grace;
        while (stop_workers() && changed_.wait_until(lock, deadline) == std::cv_status::no_timeout) continue;
        for (const auto& part : parts_) part->ask_to_stop();
    }

    ExitCode end() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return all_ended(); });
        ExitCode worst = exit_done;
        std::vector<std::string> failed;
        for (const auto& part : parts_) {
            worst = std::max(worst, part->code());
            if (!part->failure().empty()) failed.push_back(part->name());
        }
        if (!failed.empty())
            process_.log(LogLevel::error, fmt::format("stopped by an error: {}", fmt::join(failed, ", ")));
        return worst;
    }

   private:
    void note_end() {
        const std::lock_guard lock(mutex_);
        changed_.notify_all();
    }

    [[nodiscard]] bool all_ended() const {
        return std::ranges::all_of(parts_, [](const auto& part) { return part->ended(); });
    }

    // Those whose replicator has ended; whether others are left.
    bool stop_workers() {
        bool left = false;
        for (const auto& part : parts_) {
            if (part->replicates()) continue;
            const bool replicated = std::ranges::any_of(parts_, [&](const auto& other) {
                return other->replicates() && other->group() == part->group() && !other->ended();
            });
            left = left || replicated;
            if (!replicated) part->ask_to_stop();
        }
        return left;
    }

    const Process& process_;
    StartGate gate_{starts_at_once(), start_patience};
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::vector<std::unique_ptr<Part>> parts_;  // last: their threads use all of the above
};

}  // namespace

ExitCode run_parts(Settings settings, const Process& process) {
    for (PartSettings& part : settings.parts) set_names(part.settings);
    check_names(settings.parts);
    std::unique_ptr<SharedEndpoint> endpoint;
    if (settings.http_listen)
        endpoint = std::make_unique<SharedEndpoint>(*settings.http_listen, settings.http, process.log);
    Process shared = process;
    shared.endpoint = endpoint.get();
    shared.beside = share_connections();
    process.log(LogLevel::info, fmt::format("running {} parts", settings.parts.size()));
    Parts parts(std::move(settings.parts), shared);
    parts.run_until_stop();
    parts.stop();
    return parts.end();
}

}  // namespace pgsluice
