#include "cmd/subcommands.h"

#include <array>
#include <cstdio>

#include "cmd/check/check.h"
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
#include "cmd/finding/coverage.h"
#include "cmd/finding/suggest.h"
#include "cmd/http/probe.h"
#include "cmd/leaks/leaks.h"
#include "cmd/programs/program.h"
#include "cmd/programs/replicate.h"
#include "cmd/programs/work.h"
#include "cmd/run/run.h"
#include "cmd/serve/serve.h"
#include "cmd/status/status.h"
#include "sql/error.h"
#include "stream/names.h"

namespace pgsluice {

namespace {

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
        const bool all = suggest_rules(options.source, options.choice, settings.finding.sample_rows, print, process.log,
                                       process.stop);
        return all ? exit_done : exit_fail;
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
