#include "cmd/programs/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cmd/ending.h"
#include "cmd/http/shared_endpoint.h"
#include "cmd/supervise.h"
#include "sql/error.h"
#include "sql/timestamp.h"
#include "stream/waits.h"

namespace pgsluice {

namespace {

struct Ending {
    std::atomic<bool>& running;
    ~Ending() { running = false; }
};

void run_one(const Sessions& sessions, const std::function<void()>& running, const Process& process) {
    const auto begun = [&] {
        sessions.running = true;
        running();
        process.begun();
    };
    const Ending ending{sessions.running};
    try {
        sessions.run(begun);
    } catch (const Error& error) {
        sessions.trouble.note(error.what(), sql::postgres_time_us());
        throw;
    }
}

}  // namespace

// What connections wait for long is logged, and shown to pgsluice status.
void report_waits(Settings& settings, const Log& log) {
    const auto waits = std::make_shared<Waits>(log);
    const auto report = [waits](const sql::LongWaitReport& wait) {
        if (wait.text.empty()) {
            waits->is_over(wait.wait, wait.waited);
        } else {
            waits->goes_on(wait.wait, wait.whom, wait.text, wait.waited);
        }
    };
    for (auto* options : {&settings.replicator.source, &settings.postgres.target, &settings.postgres.source})
        options->on_long_wait = report;
    settings.replicator.waits = settings.worker.waits = waits;
}

void share_connections_beside(Settings& settings, const Process& process) {
    const auto shared = process.beside ? process.beside : share_connections();
    for (BrokerOptions* nats : {&settings.nats, &settings.replicator.nats, &settings.worker.nats})
        nats->beside = shared;
}

void take_log_level(const Settings& settings, const Process& process) {
    process.log_level->store(std::min(settings.log.level, LogLevel::info));  // this line is shown
    process.log(LogLevel::info, fmt::format("SIGHUP: log level {}", level_name(settings.log.level)));
    process.log_level->store(settings.log.level);
}

bool is_served(const Settings& settings, const Process& process) {
    return settings.http_listen || process.endpoint != nullptr;
}

std::unique_ptr<Endpoint> serve(const Settings& settings, std::unique_ptr<View> view, const Process& process) {
    if (!is_served(settings, process)) return nullptr;
    const Names& names = settings.worker.names;
    if (process.endpoint == nullptr)
        return std::make_unique<Endpoint>(*settings.http_listen, settings.http, std::move(view), settings.nats, names,
                                          process.log);
    process.endpoint->add(process.part, std::move(view), settings.nats, names);
    return nullptr;
}

void run_sessions(const Sessions& sessions, const RetryPolicy& policy, const Process& process) {
    const std::stop_token& stop = process.stop;
    const RunSession one = [&](const std::function<void()>& running) { run_one(sessions, running, process); };
    try {
        supervise(policy, noted_in(sessions.state, one), interruptible_sleep(stop), process.log, stop);
    } catch (const Error& error) {
        if (process.starts_again && exit_code(error) == exit_gave_up && !stop.stop_requested())
            sessions.will_start_again();
        throw;
    }
}

}  // namespace pgsluice
