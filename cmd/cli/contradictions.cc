#include "cmd/cli/contradictions.h"

#include <fmt/format.h>

#include <utility>

#include "sql/error.h"

namespace pgsluice {

namespace {

void check_nats(const BrokerOptions& nats) {
    if (nats.tls_cert_file.empty() != nats.tls_key_file.empty())
        throw usage_error("--nats-cert and --nats-key are of no use alone", "Give both.");
    if (!nats.credentials_file.empty() && !nats.nkey_file.empty())
        throw usage_error("--nats-credentials and --nats-nkey contradict each other", "Give one of them.");
}

void check_http(const HttpOptions& http) {
    if (http.cert_file.empty() != http.key_file.empty())
        throw usage_error("--http-cert and --http-key are of no use alone", "Give both.");
}

void check_ddl(const ReplicatorOptions& replicator) {
    if (replicator.ddl_objects.empty()) return;
    if (!replicator.track_ddl || replicator.ddl_content == DdlContent::text)
        throw usage_error("--ddl-objects is of no use without --track-ddl, nor with --ddl-capture text");
}

// What --resnapshot asks for is to be done once, not whenever one takes over; a copy alone ends by itself.
void check_standby(const Settings& settings) {
    if (!settings.replicator.standby) return;
    if (settings.replicator.resnapshot)
        throw usage_error(
            "--standby and --resnapshot contradict each other",
            "Run the replicator with --resnapshot alone, until it streams; then start all with --standby.");
    if (settings.mode_copy) throw usage_error("--standby is of no use with --copy");
}

// It begins once, with what is there: a dump, or a copy.
void check_bootstrap(const Settings& settings) {
    const BootstrapOptions& bootstrap = settings.replicator.bootstrap;
    if (bootstrap.restored_to.valid() && bootstrap.verb != BootstrapVerb::complete)
        throw usage_error("--bootstrap-lsn says up to where a backup was restored",
                          "Give it with --bootstrap complete.");
    if (settings.replicator.bootstrap.verb != BootstrapVerb::prepare) return;
    if (settings.replicator.standby)
        throw usage_error("--standby and --bootstrap prepare contradict each other",
                          "Run the replicator with --bootstrap prepare alone, until the bootstrap is complete; then "
                          "start all with --standby.");
    if (settings.mode_copy) throw usage_error("--bootstrap prepare is of no use with --copy");
}

void check_direct_replicator(const Settings& settings) {
    if (!settings.mode_copy_and_stream && !settings.mode_copy)
        throw usage_error("--snapshot direct is of no use where nothing is copied",
                          "Give --copy-and-stream or --copy, too.");
    if (settings.replicator.bootstrap.verb != BootstrapVerb::none)
        throw usage_error("--snapshot direct and --bootstrap contradict each other", "Give one of them.");
    if (settings.replicator.from_standby)
        throw usage_error("--snapshot direct needs a snapshot of the primary, and not --from-standby",
                          "Leave one of them out.");
}

void check_direct_worker(const Settings& settings) {
    if (!settings.worker.share.is_all())
        throw usage_error("--snapshot direct is for one worker that takes all rows",
                          "Leave --share out, or --snapshot direct.");
    if (settings.postgres.on_error == OnError::dead_letter)
        throw usage_error("--snapshot direct has no dead letters: a page range is loaded as a whole",
                          "Leave --on-error dead-letter out until the snapshot is complete; or --snapshot direct.");
}

// What is shown as it is has no other form.
void check_status(const StatusOptions& status) {
    if (!status.raw) return;
    for (const auto& [given, flag] :
         {std::pair{status.json, "--json"}, std::pair{status.all, "--all"}, std::pair{status.watch, "--watch"}})
        if (given) throw usage_error(fmt::format("--raw and {} contradict each other", flag), "Give one of them.");
}

// What is suggested is written from nothing, and what is covered is asked of files that are there.
void check_finding(const CommandInfo& command, const Settings& settings) {
    const FindingOptions& finding = settings.finding;
    const RulesOptions& files = settings.worker.rules;
    const bool given = !files.rules_file.empty() || !files.routing_file.empty();
    if (command.command == command_check_leaks) {
        if (!given)
            throw usage_error("check leaks needs the files that say what is hidden",
                              "Give --rules-config, --routing-config or both.");
        if (finding.in_stream && settings.group.empty())
            throw usage_error("--stream needs the group", "Give --group, or leave --stream out.");
    }
    if (command.command != command_check_rules) return;
    if (finding.suggest && finding.coverage)
        throw usage_error("--suggest and --coverage contradict each other", "Give one of them.");
    if (finding.suggest && given)
        throw usage_error("--suggest writes a rules file, and reads none",
                          "Leave --rules-config and --routing-config out.");
    if (finding.coverage && !given)
        throw usage_error("--coverage needs the files", "Give --rules-config, --routing-config or both.");
}

}  // namespace

void check_contradictions(const CommandInfo& command, const Settings& settings) {
    check_nats(settings.nats);
    if ((command.command & (commands_process | command_serve)) != 0) check_http(settings.http);
    check_ddl(settings.replicator);
    check_standby(settings);
    check_bootstrap(settings);
    if (settings.worker.direct_snapshot && command.command == command_replicator) check_direct_replicator(settings);
    if (settings.worker.direct_snapshot && command.command == command_worker_postgres) check_direct_worker(settings);
    check_finding(command, settings);
    check_status(settings.status);
}

// Shares of a database can keep neither a command in order with the rows of all tables, nor what joins tables.
void check_share(const CommandInfo& command, Settings& settings) {
    if (settings.worker.share.is_all()) {
        settings.worker.share = {};
        return;
    }
    if (command.command != command_worker_postgres) return;
    if (settings.worker.share.by != ShareBy::table)
        throw usage_error("--share of a postgres worker splits transactions, unless it goes by table",
                          "Give --share-by table.");
    if (settings.postgres.sync_schema)
        throw usage_error("--share and --target-sync-schema contradict each other",
                          "Make the target's tables before, or let one worker without --share load the copy.");
    if (settings.postgres.apply_ddl)
        throw usage_error("--share of a postgres worker cannot apply DDL in order with the rows of all shares",
                          "Give --target-ddl ignore, and change the target's tables yourself.");
    settings.postgres.disable_foreign_keys = true;
}

}  // namespace pgsluice
