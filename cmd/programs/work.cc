#include "cmd/programs/work.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>

#include "cmd/ending.h"
#include "cmd/programs/program.h"
#include "cmd/sink_table.h"
#include "sql/error.h"
#include "worker/dead_letters/stream.h"
#include "worker/kept_decisions.h"
#include "worker/start/report.h"
#include "worker/worker.h"

namespace pgsluice {

namespace {

void take_rules(const Settings& settings, RulesInForce& rules, const Log& log) {
    try {
        switch (rules.read_again(settings.worker.rules)) {
            case RulesInForce::Found::none:
                return;
            case RulesInForce::Found::same:
                return log(LogLevel::info, "SIGHUP: the rules and routing files match what is in force");
            case RulesInForce::Found::waiting:
                return log(LogLevel::info,
                           "SIGHUP: the rules and routing files were read again, and are taken over between two "
                           "transactions");
        }
    } catch (const Error& error) {
        log(LogLevel::error,
            fmt::format("SIGHUP: the rules in force stay, because the files are invalid: {}", in_one_line(error)));
    }
}

std::unique_ptr<Endpoint> serve_worker(const Settings& settings, const std::shared_ptr<SessionState>& session,
                                       const Process& process) {
    const WorkerOptions& options = settings.worker;
    auto view = std::make_unique<WorkerView>(
        ViewOptions{"worker", options.names.group, options.worker, options.sink, session, options.waits},
        options.metrics, settings.webhook.metrics, settings.postgres.conflicts, options.shown_rows);
    return serve(settings, std::move(view), process);
}

// What is under way when the time to drain is over has had its time.
void shorten_graces(Settings& settings) {
    constexpr int least_ms = 500;
    for (int* grace_ms :
         {&settings.nats.stop_grace_ms, &settings.worker.nats.stop_grace_ms, &settings.standard_output.stop_grace_ms,
          &settings.webhook.stop_grace_ms, &settings.nats_sink.stop_grace_ms})
        *grace_ms = std::max(least_ms, *grace_ms - settings.worker.drain_timeout_ms);
}

void show_rows(Settings& settings, const Process& process) {
    if (settings.worker.show_rows == ShowRows::off || !is_served(settings, process)) return;
    settings.worker.shown_rows = std::make_shared<ShownRows>(settings.worker.show_rows);
    if (!settings.http.token.empty()) return;
    process.log(LogLevel::warning,
                fmt::format("whoever can reach the page sees values of rows that pass, {} the rules "
                            "(--http-show-rows); --http-token-file asks for a token",
                            settings.worker.show_rows == ShowRows::both ? "before and after" : "after"));
}

}  // namespace

ExitCode work(Command command, Settings settings, const Process& process) {
    const Log& log = process.log;
    RulesInForce rules(settings.worker.rules);
    const Reload::Part reloaded(process.reload, process.part, [&](const Settings& now) {
        take_log_level(now, process);
        take_rules(now, rules, log);
    });
    const MakeSink make = find_sink(command);
    if (make == nullptr) throw std::logic_error("a worker without a sink");
    if (command == command_worker_webhook) settings.webhook.metrics = std::make_shared<RequestMetrics>();
    if (command == command_worker_postgres) settings.postgres.conflicts = std::make_shared<ConflictMetrics>();
    report_waits(settings, log);
    share_connections_beside(settings, process);
    Drain drain(process.stop, std::chrono::milliseconds(settings.worker.drain_timeout_ms));
    shorten_graces(settings);
    DeadLetterStream dead_letters(settings.nats, settings.worker.names, settings.worker.worker, log, drain.over());
    KeptDecisions decisions(settings.nats, settings.worker.names, settings.worker.worker, log, drain.over());
    const SinkFactory factory = [&](std::stop_token session_stop) {
        return make(settings, dead_letters, decisions, log, std::move(session_stop));
    };
    settings.worker.trouble = std::make_shared<Trouble>();
    const auto state = std::make_shared<SessionState>();
    settings.worker.nats.on_lost = [state] { ++state->nats_lost; };
    show_rows(settings, process);
    const auto served = serve_worker(settings, state, process);
    std::atomic<bool> runs{false};
    StartReport report(settings.worker, runs, log);

    const auto session = [&](const std::function<void()>& begun) {
        run_worker(settings.worker, rules, factory, log, begun, drain);
    };
    run_sessions(
        {session, runs, *settings.worker.trouble, *state, [&] { report.will_end(StartReport::End::starts_again); }},
        settings.retry, process);
    report.will_end(StartReport::End::stopped);
    return exit_done;
}

}  // namespace pgsluice
