#include "cmd/subcommands.h"

#include <array>
#include <cstdio>
#include <stdexcept>

#include "cmd/commands/check_rules.h"
#include "cmd/commands/compare.h"
#include "cmd/commands/ddl.h"
#include "cmd/commands/dlq.h"
#include "cmd/commands/repair.h"
#include "cmd/commands/sequences.h"
#include "cmd/commands/status.h"
#include "cmd/commands/tables.h"
#include "cmd/commands/teardown.h"
#include "cmd/sink_table.h"
#include "cmd/supervise.h"
#include "replicator/replicator.h"
#include "replicator/source/slot_monitor.h"
#include "sql/error.h"
#include "stream/names.h"
#include "stream/waits.h"
#include "worker/dead_letters/stream.h"
#include "worker/kept_decisions.h"
#include "worker/worker.h"

namespace pgsluice {

namespace {

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

void replicate(Command, Settings settings, const Log& log, std::stop_token stop) {
    warn_of_lazy_sync(settings.replicator, log);
    report_waits(settings, log);
    const RunSession session = [&](const std::function<void()>& running) {
        // What --resnapshot asks for is done once, not after every lost connection.
        const auto begun = [&] {
            settings.replicator.resnapshot = false;
            running();
        };
        run_replicator(settings.replicator, log, begun, stop);
    };
    const SlotMonitor monitor(settings.replicator, log);
    supervise(settings.retry, session, interruptible_sleep(stop), log, stop);
}

void work(Command command, Settings settings, const Log& log, std::stop_token stop) {
    const MakeSink make = find_sink(command);
    if (make == nullptr) throw std::logic_error("a worker without a sink");
    report_waits(settings, log);
    DeadLetterStream dead_letters(settings.nats, settings.worker.names, settings.worker.worker, log, stop);
    KeptDecisions decisions(settings.nats, settings.worker.names, settings.worker.worker, log, stop);
    const SinkFactory factory = [&](std::stop_token session_stop) {
        return make(settings, dead_letters, decisions, log, std::move(session_stop));
    };
    const RunSession session = [&](const std::function<void()>& running) {
        run_worker(settings.worker, factory, log, running, stop);
    };
    supervise(settings.retry, session, interruptible_sleep(stop), log, stop);
}

void check_rules(Command, Settings settings, const Log& log, std::stop_token stop) {
    const CheckRulesOptions options{settings.worker.rules, settings.replicator.source, settings.replicator,
                                    settings.sample};
    const auto print = [](const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); };
    check_rules_against_source(options, print, log, std::move(stop));
}

// A command that needs only its settings.
template <void (*run)(Settings, const Log&, std::stop_token)>
void plain(Command, Settings settings, const Log& log, std::stop_token stop) {
    run(std::move(settings), log, std::move(stop));
}

struct Entry {
    std::uint32_t commands;
    Subcommand run;
};

constexpr std::array table{
    Entry{command_replicator, replicate},
    Entry{commands_worker, work},
    Entry{command_check_rules, check_rules},
    Entry{command_dlq_list, plain<run_dlq_list>},
    Entry{command_dlq_replay, plain<run_dlq_replay>},
    Entry{command_dlq_discard, plain<run_dlq_discard>},
    Entry{command_ddl_list, plain<run_ddl_list>},
    Entry{command_ddl_apply, plain<run_ddl_apply>},
    Entry{command_ddl_skip, plain<run_ddl_skip>},
    Entry{command_forget, plain<run_forget>},
    Entry{command_sequences, plain<run_sequences>},
    Entry{command_status, plain<run_status>},
    Entry{command_tables, plain<run_tables>},
    Entry{command_resnapshot, plain<run_resnapshot>},
    Entry{command_teardown, plain<run_teardown>},
    Entry{command_repair, plain<run_repair>},
    Entry{command_compare, plain<run_compare>},
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
    if (!settings.worker.worker.empty()) settings.worker.worker = worker_name(settings.worker.worker);
    settings.postgres.group = settings.standard_output.group = settings.file.group = names.group;
    settings.webhook.group = settings.nats_sink.group = names.group;
    settings.postgres.worker = settings.worker.worker;
}

}  // namespace pgsluice
