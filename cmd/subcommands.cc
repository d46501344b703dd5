#include "cmd/subcommands.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <stdexcept>

#include "cmd/check/check.h"
#include "cmd/commands/bootstrap.h"
#include "cmd/commands/check_rules.h"
#include "cmd/commands/compare.h"
#include "cmd/commands/ddl.h"
#include "cmd/commands/decrypt.h"
#include "cmd/commands/dlq.h"
#include "cmd/commands/import.h"
#include "cmd/commands/repair.h"
#include "cmd/commands/sequences.h"
#include "cmd/commands/status.h"
#include "cmd/commands/tables.h"
#include "cmd/commands/teardown.h"
#include "cmd/cutover/cutover.h"
#include "cmd/ending.h"
#include "cmd/finding/coverage.h"
#include "cmd/finding/suggest.h"
#include "cmd/http/endpoint.h"
#include "cmd/http/probe.h"
#include "cmd/http/shared_endpoint.h"
#include "cmd/leaks/leaks.h"
#include "cmd/run/run.h"
#include "cmd/serve/serve.h"
#include "cmd/sink_table.h"
#include "cmd/status/status.h"
#include "cmd/supervise.h"
#include "replicator/health_report.h"
#include "replicator/replicator.h"
#include "replicator/source/slot/monitor.h"
#include "rules/rules_files.h"
#include "sql/error.h"
#include "sql/timestamp.h"
#include "stream/names.h"
#include "stream/waits.h"
#include "worker/dead_letters/stream.h"
#include "worker/kept_decisions.h"
#include "worker/start/report.h"
#include "worker/worker.h"

namespace pgsluice {

namespace {

constexpr int served_slot_interval_ms = 2000;  // where its figures are served, they should be new

// A client cannot see how nats-server is set.
void warn_of_lazy_sync(const ReplicatorOptions& options, const Log& log) {
    if (options.assume_sync_always || options.confirm == ConfirmMode::applied) return;
    log(LogLevel::info,
        "nats-server acknowledges messages before it syncs them to disk, unless it is set to sync_interval: always; a "
        "power cut can take what the slot has already forgotten. --confirm applied guards against that; "
        "--assume-sync-always silences this message");
}

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

// For `pgsluice status`: what ended a session.
void noting(Trouble& trouble, const std::function<void()>& session) {
    try {
        session();
    } catch (const Error& error) {
        trouble.note(error.what(), sql::postgres_time_us());
        throw;
    }
}

struct Ending {
    std::atomic<bool>& running;
    ~Ending() { running = false; }
};

bool is_served(const Settings& settings, const Process& process) {
    return settings.http_listen || process.endpoint != nullptr;
}

// Whether the process runs the command once more.
bool starts_again(const Process& process, const Error& error) {
    return process.starts_again && exit_code(error) == exit_gave_up && !process.stop.stop_requested();
}

// Null unless it has an endpoint of its own.
std::unique_ptr<Endpoint> serve(const Settings& settings, std::unique_ptr<View> view, const Process& process) {
    const Names& names = settings.worker.names;
    if (process.endpoint == nullptr)
        return std::make_unique<Endpoint>(*settings.http_listen, settings.http, std::move(view), settings.nats, names,
                                          process.log);
    process.endpoint->add(process.part, std::move(view), settings.nats, names);
    return nullptr;
}

std::unique_ptr<Endpoint> serve_replicator(const Settings& settings, const std::shared_ptr<SessionState>& session,
                                           const Process& process) {
    if (!is_served(settings, process)) return nullptr;
    const ReplicatorOptions& options = settings.replicator;
    auto view = std::make_unique<ReplicatorView>(
        ViewOptions{"replicator", options.names.group, "", "", session, options.waits}, options.metrics);
    return serve(settings, std::move(view), process);
}

std::unique_ptr<Endpoint> serve_worker(const Settings& settings, const std::shared_ptr<SessionState>& session,
                                       const Process& process) {
    if (!is_served(settings, process)) return nullptr;
    const WorkerOptions& options = settings.worker;
    auto view = std::make_unique<WorkerView>(
        ViewOptions{"worker", options.names.group, options.worker, options.sink, session, options.waits},
        options.metrics, settings.webhook.metrics, settings.postgres.conflicts, options.shown_rows);
    return serve(settings, std::move(view), process);
}

void take_log_level(const Settings& settings, const Process& process) {
    process.log_level->store(std::min(settings.log.level, LogLevel::info));  // this line is shown
    process.log(LogLevel::info, fmt::format("SIGHUP: log level {}", level_name(settings.log.level)));
    process.log_level->store(settings.log.level);
}

void take_rules(const Settings& settings, RulesInForce& rules, const Log& log) {
    try {
        switch (rules.read_again(settings.worker.rules)) {
            case RulesInForce::Found::none:
                return;
            case RulesInForce::Found::same:
                return log(LogLevel::info, "SIGHUP: the rules and routing files say what is in force");
            case RulesInForce::Found::waiting:
                return log(LogLevel::info,
                           "SIGHUP: the rules and routing files were read again, and are taken over between two "
                           "transactions");
        }
    } catch (const Error& error) {
        log(LogLevel::error,
            fmt::format("SIGHUP: the rules in force stay, for the files are not in order: {}", in_one_line(error)));
    }
}

void share_connections_beside(Settings& settings, const Process& process) {
    const auto shared = process.beside ? process.beside : share_connections();
    for (BrokerOptions* nats : {&settings.nats, &settings.replicator.nats, &settings.worker.nats})
        nats->beside = shared;
}

// Files that are edited meanwhile change nothing until the process is restarted.
void take_source_rules(Settings& settings) {
    settings.replicator.on_rules_change = settings.worker.on_rules_change;
    if (settings.replicator.on_rules_change == OnRulesChange::reload)
        throw usage_error("unable to use --on-rules-change reload: a replicator cannot take back what it has published",
                          "Run it once with --copy-and-stream --resnapshot, which publishes the rows again.");
    const std::string& file = settings.worker.rules.rules_file;
    if (!file.empty()) settings.replicator.rules = std::make_shared<const RulesFiles>(read_rules_files({file, ""}));
}

ExitCode replicate(Command, Settings settings, const Process& process) {
    const Log& log = process.log;
    const std::stop_token& stop = process.stop;
    take_source_rules(settings);
    if (is_bootstrap_step(settings.replicator.bootstrap.verb)) {
        take_bootstrap_step(settings, log, stop);
        return exit_done;
    }
    settings.replicator.bootstrap.tell = print_bootstrap_guide;
    const Reload::Part reloaded(process.reload, process.part,
                                [&](const Settings& now) { take_log_level(now, process); });
    warn_of_lazy_sync(settings.replicator, log);
    report_waits(settings, log);
    share_connections_beside(settings, process);
    ReplicatorActivity& activity = *settings.replicator.activity;
    const auto state = std::make_shared<SessionState>();
    settings.replicator.nats.on_lost = [state] { ++state->nats_lost; };
    const RunSession session = [&](const std::function<void()>& running) {
        // What --resnapshot asks for is done once, not after every lost connection.
        const auto begun = [&] {
            settings.replicator.resnapshot = false;
            settings.replicator.bootstrap.verb = BootstrapVerb::none;
            activity.running = true;
            running();
            process.begun();
        };
        const Ending ending{activity.running};
        noting(activity.trouble, [&] { run_replicator(settings.replicator, log, begun, stop); });
    };
    if (is_served(settings, process)) settings.replicator.slot_interval_ms = served_slot_interval_ms;
    const auto served = serve_replicator(settings, state, process);
    const SlotMonitor monitor(settings.replicator, log);
    HealthReport report(settings.replicator, log);
    report.will_end(true, false);
    try {
        supervise(settings.retry, noted_in(*state, session), interruptible_sleep(stop), log, stop);
    } catch (const Error& error) {
        if (starts_again(process, error)) report.will_start_again();
        throw;
    }
    report.will_end(false, !stop.stop_requested());
    return exit_done;
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

ExitCode work(Command command, Settings settings, const Process& process) {
    const Log& log = process.log;
    const std::stop_token& stop = process.stop;
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
    Drain drain(stop, std::chrono::milliseconds(settings.worker.drain_timeout_ms));
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
    std::atomic<bool> runs{false};
    const RunSession session = [&](const std::function<void()>& running) {
        const auto begun = [&] {
            runs = true;
            running();
            process.begun();
        };
        const Ending ending{runs};
        noting(*settings.worker.trouble, [&] { run_worker(settings.worker, rules, factory, log, begun, drain); });
    };
    const auto served = serve_worker(settings, state, process);
    StartReport report(settings.worker, runs, log);
    try {
        supervise(settings.retry, noted_in(*state, session), interruptible_sleep(stop), log, stop);
    } catch (const Error& error) {
        if (starts_again(process, error)) report.will_end(StartReport::End::starts_again);
        throw;
    }
    report.will_end(StartReport::End::stopped);
    return exit_done;
}

ExitCode run_all(Command, Settings settings, const Process& process) {
    const Reload::Part reloaded(process.reload, process.part,
                                [&](const Settings& now) { take_log_level(now, process); });
    return run_parts(std::move(settings), process);
}

ExitCode import_dump(Command command, Settings settings, const Process& process) {
    report_waits(settings, process.log);
    run_import_command(command, std::move(settings), process.log, process.stop);
    return exit_done;
}

ExitCode check_rules(Command, Settings settings, const Process& process) {
    const CheckRulesOptions options{settings.worker.rules, settings.replicator.source, settings.replicator,
                                    settings.sample, settings.json};
    const auto print = [](const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); };
    if (settings.finding.suggest) {
        suggest_rules(options.source, options.choice, settings.finding.sample_rows, print, process.log, process.stop);
        return exit_done;
    }
    if (settings.finding.coverage) {
        const bool covered =
            report_coverage(options.files, options.source, options.choice, print, process.log, process.stop);
        return covered ? exit_done : exit_stopped;
    }
    check_rules_against_source(options, print, process.log, process.stop);
    return exit_done;
}

ExitCode look_for_leaks(Command, Settings settings, const Process& process) {
    const LeaksOptions options{settings.worker.rules,
                               settings.replicator.source,
                               settings.postgres.target,
                               settings.replicator,
                               settings.finding.sample_rows,
                               settings.finding.in_stream,
                               settings.replicator.names,
                               settings.nats,
                               settings.json};
    const auto print = [](const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); };
    try {
        return check_leaks(options, print, process.log, process.stop);
    } catch (const Interrupted&) {  // exit code 0 would say that there is no leak
        throw stop_error("unable to look for leaks: interrupted before the end", "Run it again.");
    }
}

ExitCode check(Command, Settings settings, const Process& process) {
    return run_check(settings, process.log, process.stop);
}

ExitCode show_status(Command, Settings settings, const Process& process) {
    if (!settings.status.raw) return run_status(std::move(settings), process.log, process.stop);
    run_raw_status(std::move(settings), process.log, process.stop);
    return exit_done;
}

ExitCode serve(Command, Settings settings, const Process& process) {
    const Reload::Part reloaded(process.reload, process.part,
                                [&](const Settings& now) { take_log_level(now, process); });
    return run_serve(std::move(settings), process.log, process.stop);
}

ExitCode show_health(Command, Settings settings, const Process&) {
    const bool tls = !settings.http.cert_file.empty();
    const ProbeAnswer answer = probe(*settings.http_listen, tls, settings.ready ? "/readyz" : "/healthz");
    std::fwrite(answer.body.data(), 1, answer.body.size(), stdout);
    return answer.well ? exit_done : exit_stopped;
}

// A command that needs only its settings.
template <void (*run)(Settings, const Log&, std::stop_token)>
ExitCode plain(Command, Settings settings, const Process& process) {
    run(std::move(settings), process.log, process.stop);
    return exit_done;
}

struct Entry {
    Commands commands;
    Subcommand run;
};

constexpr std::array table{
    Entry{command_replicator, replicate},
    Entry{commands_worker, work},
    Entry{command_run, run_all},
    Entry{commands_import, import_dump},
    Entry{command_check, check},
    Entry{command_check_rules, check_rules},
    Entry{command_check_leaks, look_for_leaks},
    Entry{command_decrypt, plain<run_decrypt>},
    Entry{command_dlq_list, plain<run_dlq_list>},
    Entry{command_dlq_replay, plain<run_dlq_replay>},
    Entry{command_dlq_discard, plain<run_dlq_discard>},
    Entry{command_ddl_list, plain<run_ddl_list>},
    Entry{command_ddl_apply, plain<run_ddl_apply>},
    Entry{command_ddl_skip, plain<run_ddl_skip>},
    Entry{command_forget, plain<run_forget>},
    Entry{command_sequences, plain<run_sequences>},
    Entry{command_status, show_status},
    Entry{command_health, show_health},
    Entry{command_serve, serve},
    Entry{command_tables, plain<run_tables>},
    Entry{command_resnapshot, plain<run_resnapshot>},
    Entry{command_teardown, plain<run_teardown>},
    Entry{command_repair, plain<run_repair>},
    Entry{command_compare, plain<run_compare>},
    Entry{command_cutover, plain<run_cutover>},
};

}  // namespace

Subcommand subcommand(Command command) {
    for (const Entry& entry : table) {
        if ((entry.commands & command) != 0) return entry.run;
    }
    return nullptr;
}

void set_names(Settings& settings) {
    if (settings.group.empty()) return;  // check rules needs none
    const Names names = names_for(settings.group);
    settings.replicator.names = settings.worker.names = names;
    const Share& share = settings.worker.share;
    if (!settings.worker.worker.empty())
        settings.worker.worker = share_worker(worker_name(settings.worker.worker), share);
    settings.standard_output.share = settings.file.share = settings.webhook.share = settings.nats_sink.share =
        share.is_all() ? "" : to_string(share);
    settings.postgres.group = settings.standard_output.group = settings.file.group = names.group;
    settings.webhook.group = settings.nats_sink.group = names.group;
    settings.postgres.worker = settings.worker.worker;
}

}  // namespace pgsluice
