#include "cmd/programs/replicate.h"

#include <memory>
#include <utility>

#include "cmd/commands/bootstrap.h"
#include "cmd/programs/program.h"
#include "replicator/health_report.h"
#include "replicator/replicator.h"
#include "replicator/source/slot/monitor.h"
#include "rules/rules_files.h"
#include "sql/error.h"

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

// Files that are edited meanwhile change nothing until the process is restarted.
void take_source_rules(Settings& settings) {
    settings.replicator.on_rules_change = settings.worker.on_rules_change;
    if (settings.replicator.on_rules_change == OnRulesChange::reload)
        throw usage_error("unable to use --on-rules-change reload: a replicator cannot take back what it has published",
                          "Run it once with --copy-and-stream --resnapshot, which publishes the rows again.");
    const std::string& file = settings.worker.rules.rules_file;
    if (!file.empty()) settings.replicator.rules = std::make_shared<const RulesFiles>(read_rules_files({file, ""}));
}

std::unique_ptr<Endpoint> serve_replicator(const Settings& settings, const std::shared_ptr<SessionState>& session,
                                           const Process& process) {
    const ReplicatorOptions& options = settings.replicator;
    auto view = std::make_unique<ReplicatorView>(
        ViewOptions{"replicator", options.names.group, "", "", session, options.waits}, options.metrics);
    return serve(settings, std::move(view), process);
}

}  // namespace

ExitCode replicate(Command /*command*/, Settings settings, const Process& process) {
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
    const auto state = std::make_shared<SessionState>();
    settings.replicator.nats.on_lost = [state] { ++state->nats_lost; };
    if (is_served(settings, process)) settings.replicator.slot_interval_ms = served_slot_interval_ms;
    const auto served = serve_replicator(settings, state, process);
    const SlotMonitor monitor(settings.replicator, log);
    HealthReport report(settings.replicator, log);
    report.will_end(true, false);

    // What --resnapshot asks for is done once, not after every lost connection.
    const auto session = [&](const std::function<void()>& running) {
        const auto begun = [&] {
            settings.replicator.resnapshot = false;
            settings.replicator.bootstrap.verb = BootstrapVerb::none;
            running();
        };
        run_replicator(settings.replicator, log, begun, stop);
    };
    ReplicatorActivity& activity = *settings.replicator.activity;
    run_sessions({session, activity.running, activity.trouble, *state, [&] { report.will_start_again(); }},
                 settings.retry, process);
    report.will_end(false, !stop.stop_requested());
    return exit_done;
}

}  // namespace pgsluice
