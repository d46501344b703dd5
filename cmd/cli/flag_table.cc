// All flags. The order is that of --help and of cmd/README.md.
#include <array>
#include <cstdint>
#include <limits>
#include <optional>

#include "cmd/cli/flag.h"
#include "cmd/cli/flag_values.h"
#include "cmd/cli/value.h"

namespace pgsluice {

namespace {

using namespace flag_values;

using S = Settings;
using V = std::string_view;
constexpr auto text = FlagKind::text;
constexpr auto secret = FlagKind::secret;
constexpr auto boolean = FlagKind::boolean;
constexpr auto list = FlagKind::list;
constexpr auto repeated = FlagKind::repeated;
constexpr auto postgres = command_worker_postgres;
constexpr auto webhook = command_worker_webhook;
constexpr auto webhook_side = command_worker_webhook | command_dlq_replay | command_import_webhook;
constexpr auto postgres_sinks = command_worker_postgres | command_import_postgres;
constexpr auto file_sinks = command_worker_file | command_import_file;
constexpr auto webhook_sinks = command_worker_webhook | command_import_webhook;
constexpr auto nats_sinks = command_worker_nats | command_import_nats;
constexpr auto line_sinks = commands_line_sinks | (commands_import & ~command_import_postgres);
constexpr auto replicator = command_replicator;
constexpr auto watches = command_status | command_serve;
constexpr auto serves = commands_process | command_serve;
constexpr auto source_side = command_replicator | command_teardown | command_status | command_check_rules |
                             command_compare | command_cutover | command_check_leaks;
constexpr auto chooses_tables = command_replicator | command_check_rules | command_check_leaks | command_compare;
constexpr auto names_tables = chooses_tables | command_resnapshot;
constexpr auto target_side = postgres_sinks | command_teardown | command_dlq_replay | command_compare |
                             command_sequences | command_cutover | command_check_leaks;
constexpr auto comparing = command_compare | command_cutover;

// clang-format off
constexpr std::array flag_table{
    // The group and where NATS is.
    Flag{"group", text, "NAME", "", commands_group | commands_import, commands_group & ~(command_status | command_check_leaks),
         [](S& s, V v) { s.group = present(v); },
         "Names the slot, the publication, the stream and the KV bucket; for `import` only what a target or directory remembers of it, by default `import`. Lower-case letters, digits and `_`, at most 40; `-` counts as `_`."},
    Flag{"nats-url", text, "URL", "nats://localhost:4222", commands_connected, 0,
         [](S& s, V v) { s.nats.url = present(v); },
         "The NATS server, or several of one cluster separated by commas. User and password or a token may be part of it, reserved characters as `%XX`."},
    Flag{"nats-url-file", text, "FILE", "", commands_connected, 0,
         [](S& s, V v) { s.nats.url = read_secret_file(v); }, "The same, read from a file."},
    Flag{"nats-credentials", text, "FILE", "", commands_connected, 0,
         [](S& s, V v) { s.nats.credentials_file = present(v); },
         "A NATS credentials file (`.creds`)."},
    Flag{"nats-nkey", text, "FILE", "", commands_connected, 0,
         [](S& s, V v) { s.nats.nkey_file = present(v); },
         "A file with the seed of the user's NKey (`SU...`)."},
    Flag{"stream-key-file", text, "FILE", "", commands_connected, 0,
         [](S& s, V v) { s.nats.stream_key_file = present(v); },
         "Keys that the group's stream is sealed with (encrypted and authenticated), one `id:base64` a line; the first "
         "seals, all open."},
    Flag{"nats-ca", text, "FILE", "", commands_connected, 0,
         [](S& s, V v) { s.nats.tls_ca_file = present(v); },
         "Certificate authority that signed the NATS server's certificate; by default those of the system."},
    Flag{"nats-cert", text, "FILE", "", commands_connected, 0,
         [](S& s, V v) { s.nats.tls_cert_file = present(v); },
         "Client certificate for NATS (PEM, with its chain), together with --nats-key."},
    Flag{"nats-key", text, "FILE", "", commands_connected, 0,
         [](S& s, V v) { s.nats.tls_key_file = present(v); },
         "The private key of --nats-cert (PEM, without a passphrase)."},
    Flag{"nats-tls-first", boolean, "", "false", commands_connected, 0,
         [](S& s, V v) { s.nats.tls_first = parse_boolean(v); },
         "Begin TLS before the server's greeting (`handshake_first` of nats-server). Needs a pgsluice built with nats.c 3.10 or later."},
    Flag{"nats-js-domain", text, "NAME", "", commands_connected, 0,
         [](S& s, V v) { s.nats.js_domain = js_domain(v); },
         "The JetStream domain that the group's streams are in; by default that of the server."},
    Flag{"nats-inbox-prefix", text, "PREFIX", "_INBOX", commands_connected, 0,
         [](S& s, V v) { s.nats.inbox_prefix = inbox_prefix(v); },
         "Subject under which answers come: what the user may subscribe to (`PREFIX.>`)."},

    // The source, for the replicator.
    Flag{"source-url", secret, "URL", "", source_side | postgres, 0,
         [](S& s, V v) { s.replicator.source.url = s.postgres.source.url = present(v); },
         "The source as one libpq URL or conninfo string, instead of its single parts."},
    Flag{"source-url-file", text, "FILE", "", source_side | postgres, 0,
         [](S& s, V v) { s.replicator.source.url = s.postgres.source.url = read_secret_file(v); }, "The same, read from a file."},
    Flag{"host", text, "HOST", "", source_side, 0,
         [](S& s, V v) { s.replicator.source.host = v; }, "The source's host or socket directory; several with commas, which are tried in turn."},
    Flag{"port", text, "PORT", "", source_side, 0,
         [](S& s, V v) { s.replicator.source.port = port(v); }, "The source's port; by default 5432. One for all hosts, or one for each."},
    Flag{"dbname", text, "NAME", "", source_side, 0,
         [](S& s, V v) { s.replicator.source.dbname = v; }, "The source database."},
    Flag{"user", text, "NAME", "", source_side, 0,
         [](S& s, V v) { s.replicator.source.user = v; }, "A role with REPLICATION that may read the tables."},
    Flag{"password", secret, "TEXT", "", source_side, 0,
         [](S& s, V v) { s.replicator.source.password = v; },
         "Its password. Other users of the machine can read a command line: prefer the environment, PGPASSWORD or `~/.pgpass`."},
    Flag{"password-file", text, "FILE", "", source_side, 0,
         [](S& s, V v) { s.replicator.source.password = read_secret_file(v); }, "The same, read from a file."},
    Flag{"schema", text, "NAME", "public", names_tables, 0,
         [](S& s, V v) { s.replicator.schema = present(v); }, "The schema of tables named without one."},
    Flag{"tables", list, "TABLE,...", "", names_tables, command_resnapshot,
         [](S& s, V v) { s.replicator.tables.emplace_back(v); },
         "The tables, as `table` or `schema.table`; `*` stands for any characters (`sales.*`, `*.events_*`). All of the schema when nothing else is chosen."},
    Flag{"schemas", list, "SCHEMA,...", "", chooses_tables, 0,
         [](S& s, V v) { s.replicator.schemas.push_back(present(v)); },
         "All tables of these schemas, beside those of --tables."},
    Flag{"all-schemas", boolean, "", "false", chooses_tables, 0,
         [](S& s, V v) { s.replicator.all_schemas = parse_boolean(v); },
         "All tables of all schemas but PostgreSQL's own and `pgsluice`."},
    Flag{"exclude-tables", list, "TABLE,...", "", chooses_tables, 0,
         [](S& s, V v) { s.replicator.exclude_tables.emplace_back(v); },
         "Tables that are not replicated whatever the other flags say; names and patterns as in --tables."},

    // check.
    Flag{"side", text, "WHICH", "both", command_check, 0,
         [](S& s, V v) {
             s.check.side = parse_choice<CheckSide>(
                 v, {{"both", CheckSide::both}, {"replicator", CheckSide::replicator}, {"worker", CheckSide::worker}});
         }, "Whose needs to check: `both`, or only those of the `replicator` or of the `worker`, where each has a NATS user of its own. For the worker a given source only shows its tables."},
    Flag{"nats-monitoring-url", text, "URL", "", command_check, 0,
         [](S& s, V v) { s.check.monitoring_url = present(v); },
         "nats-server's monitoring (`http_port`), such as `http://nats.example:8222`: shows how often it syncs its disk, what it may still store, and its clock."},

    // What the replicator does.
    Flag{"stream", boolean, "", "", replicator | command_check_leaks, 0,
         [](S& s, V v) { s.mode_stream = s.finding.in_stream = parse_boolean(v); },
         "Follow changes from now on. The default when no mode is given. Of `check leaks`: look in the group's stream, too."},
    Flag{"copy", boolean, "", "", replicator, 0,
         [](S& s, V v) { s.mode_copy = parse_boolean(v); }, "Copy the tables, then exit with code 0."},
    Flag{"copy-and-stream", boolean, "", "", replicator, 0,
         [](S& s, V v) { s.mode_copy_and_stream = parse_boolean(v); },
         "Copy the tables, then follow changes, without gap or overlap. The copy is made once per group; a later start resumes."},
    Flag{"resnapshot", boolean, "", "false", replicator, 0,
         [](S& s, V v) { s.replicator.resnapshot = parse_boolean(v); },
         "Start over: a new slot and a new snapshot, after what the stream holds. Workers discard what an unfinished snapshot loaded; for a finished one see --target-existing-rows. A worker that has missed messages starts with the new snapshot."},
    Flag{"bootstrap", text, "VERB", "", replicator, 0,
         [](S& s, V v) {
             s.replicator.bootstrap.verb = parse_choice<BootstrapVerb>(
                 v, {{"prepare", BootstrapVerb::prepare}, {"accumulate", BootstrapVerb::accumulate}, {"complete", BootstrapVerb::complete}});
         }, "Begin with a dump instead of a copy: `prepare` makes the slot, prints the pg_dump command and holds its snapshot; workers wait. `complete`, as a second command, says that the targets hold the dump. `accumulate` says that it was taken, so that the snapshot is no longer held."},
    Flag{"bootstrap-flag", text, "FILE", "", replicator, 0,
         [](S& s, V v) { s.replicator.bootstrap.flag_file = present(v); },
         "Completes the bootstrap once this file exists."},
    Flag{"bootstrap-command", text, "COMMAND", "", replicator, 0,
         [](S& s, V v) { s.replicator.bootstrap.command = present(v); },
         "Completes the bootstrap once this command of `sh` succeeds; until then it is run again and again. It finds the pg_dump command in `$BOOTSTRAP_DUMP`."},
    Flag{"bootstrap-lsn", text, "LSN", "", replicator, 0,
         [](S& s, V v) { s.replicator.bootstrap.restored_to = lsn(v); },
         "With `--bootstrap complete`: the targets are no dump but a backup that was taken after `prepare`, restored up to this LSN of the source (`recovery_target_lsn`, not inclusive)."},
    Flag{"from-standby", boolean, "", "false", replicator, 0,
         [](S& s, V v) { s.replicator.from_standby = parse_boolean(v); },
         "The source may be a standby (PostgreSQL 16 or later). The publication is made on its primary before, and DDL is not captured."},
    Flag{"standby", boolean, "", "false", replicator, 0,
         [](S& s, V v) { s.replicator.standby = parse_boolean(v); },
         "While another replicator of the group is running, stand by, and take over when it ends or is cut off from the source or NATS. Give it to all replicators of the group."},
    Flag{"max-copy-workers-per-table", text, "N", "4", replicator, 0,
         [](S& s, V v) { s.replicator.max_copy_workers_per_table = small(v, 1, 256); }, "How many page ranges of one table are copied at a time."},
    Flag{"max-copy-workers", text, "N", "0", replicator, 0,
         [](S& s, V v) { s.replicator.max_copy_workers = small(v, 0, 256); },
         "How many page ranges of all tables are copied at a time; 0: as many as the machine has cores, at least 2."},
    Flag{"publish-via-partition-root", boolean, "", "false", replicator, 0,
         [](S& s, V v) { s.replicator.publish_via_partition_root = parse_boolean(v); },
         "Partitions appear under their root table's name."},
    Flag{"track-ddl", boolean, "", "false", replicator, 0,
         [](S& s, V v) { s.replicator.track_ddl = parse_boolean(v); },
         "Capture DDL of the tables; where a whole schema or a pattern takes them in, also new tables that have a primary key. Needs a superuser once."},
    Flag{"ddl-capture", text, "WHAT", "definitions", replicator, 0,
         [](S& s, V v) { s.replicator.ddl_content = parse_choice<DdlContent>(v, {{"text", DdlContent::text}, {"definitions", DdlContent::definitions}}); },
         "What --track-ddl captures: the `definitions` of the objects before and after, whoever ran the command and how, and with the values that the source computed; or the commands' `text`, as earlier versions did."},
    Flag{"ddl-objects", list, "views,...", "", replicator, 0, add_ddl_objects,
         "With --track-ddl, which objects are captured beside tables and what belongs to them: `views`, `functions`, `triggers`, `policies`, `grants` (rights on tables). Their text is passed on as it is."},
    Flag{"ddl-recopy-limit", text, "LIMIT", "", replicator, 0, set_recopy_limit,
         "With --track-ddl, a table whose values the source computed again in an ALTER TABLE is copied again; above this size, as the source's catalog estimates it (`50GiB`, `10000000rows`), the replicator stops instead. By default, and with 0, any size is copied."},
    Flag{"origin", text, "WHAT", "any", replicator, 0,
         [](S& s, V v) { s.replicator.origin = parse_choice<OriginMode>(v, {{"any", OriginMode::any}, {"none", OriginMode::none}}); },
         "Which transactions to replicate: `any`, also those that a worker or a subscription brought to the source; `none`, without them. A worker never writes back to a database what was made there."},
    Flag{"stream-max-bytes", text, "SIZE", "", replicator, 0,
         [](S& s, V v) { s.replicator.stream.max_bytes = parse_bytes(v) > 0 ? parse_bytes(v) : -1; },
         "Limit of the stream's size; by default, and with 0, unlimited. A full stream makes the replicator wait; nothing is lost."},
    Flag{"decoding-memory", text, "SIZE", "256MiB", replicator, 0,
         [](S& s, V v) { s.replicator.decoding_memory_bytes = static_cast<std::uint64_t>(parse_bytes(v)); },
         "How much of open transactions the source may keep in memory before it spills them to disk (`logical_decoding_work_mem` of the replicator's session). Never below the server's own setting; 0 uses that."},
    Flag{"stream-replicas", text, "N", "1", replicator, 0,
         [](S& s, V v) { s.replicator.stream.replicas = small(v, 1, 5); }, "Copies of the stream in a NATS cluster."},
    Flag{"stream-retain", text, "DURATION", "1h", replicator, 0,
         [](S& s, V v) { s.replicator.stream_retain_ms = parse_duration_ms(v); },
         "How long messages are kept at least after every worker has applied them, so that another worker may still join."},
    Flag{"confirm", text, "WHAT", "stream", replicator, 0,
         [](S& s, V v) { s.replicator.confirm = parse_choice<ConfirmMode>(v, {{"stream", ConfirmMode::stream}, {"applied", ConfirmMode::applied}}); },
         "When the slot may forget a change: `stream`, once JetStream has acknowledged it, or `applied`, once every worker has durably applied it."},
    Flag{"heartbeat-interval", text, "DURATION", "0", replicator, 0,
         [](S& s, V v) { s.replicator.heartbeat_interval_ms = heartbeat_interval(v); },
         "How often to commit a small message to the source's log (`pg_logical_emit_message`; no table is needed), by which workers measure how long a commit takes to reach them, also where no one else commits; at least 1s. 0: never."},
    Flag{"assume-sync-always", boolean, "", "false", replicator, 0,
         [](S& s, V v) { s.replicator.assume_sync_always = parse_boolean(v); },
         "nats-server runs with `sync_interval: always`: do not warn at start that it syncs its disk late."},

    // What all workers share.
    Flag{"worker-name", text, "NAME", "", commands_worker | command_forget | command_dlq_replay | comparing | command_sequences | commands_ddl, command_forget,
         [](S& s, V v) { s.worker.worker = present(v); },
         "The worker's name within its group; by default the sink's name. Needed for two workers of the same kind of sink."},
    Flag{"share", text, "K/N", "", commands_worker | command_forget | command_dlq_replay, 0,
         [](S& s, V v) { s.worker.share = share(v, s.worker.share.by); },
         "Take this share of the rows, such as `2/4`: N workers of one name, one for each K from 1 to N, have all of them once. A postgres worker needs --share-by table."},
    Flag{"share-by", text, "WHAT", "key", commands_worker | command_forget | command_dlq_replay, 0,
         [](S& s, V v) { s.worker.share.by = parse_choice<ShareBy>(v, {{"key", ShareBy::key}, {"table", ShareBy::table}}); },
         "What decides on a row's share: its `key`, so that all changes of one key come in order; or the name of its `table`, so that transactions stay whole within each share's tables."},
    Flag{"rules-config", text, "FILE", "", replicator | commands_worker | commands_import | command_check_rules | command_check_leaks | comparing, 0,
         [](S& s, V v) { s.worker.rules.rules_file = present(v); }, "The rules file (YAML): filter rows, mask or rewrite values, exclude columns. Given to the replicator, before anything is published."},
    Flag{"routing-config", text, "FILE", "", commands_worker | commands_import | command_check_rules | command_check_leaks | comparing, 0,
         [](S& s, V v) { s.worker.rules.routing_file = present(v); }, "The routing file (YAML): other table and column names."},
    Flag{"on-rules-change", text, "WHAT", "stop", replicator | commands_worker, 0,
         [](S& s, V v) {
             s.worker.on_rules_change = parse_choice<OnRulesChange>(
                 v, {{"stop", OnRulesChange::stop}, {"continue", OnRulesChange::accept}, {"reload", OnRulesChange::reload}});
         },
         "Rows were delivered under other rules or routes than those of now: `stop` and name the tables and columns, `continue` and leave the rows as they are, or, of a worker, `reload` the tables from the snapshot that the stream still holds."},
    Flag{"batch-size", text, "N", "1000", commands_worker, 0,
         [](S& s, V v) { s.worker.batch_size = static_cast<std::size_t>(parse_integer(v, 1, 1'000'000)); }, "At most this many changes per batch."},
    Flag{"drain-timeout", text, "DURATION", "5s", commands_worker, 0,
         [](S& s, V v) { s.worker.drain_timeout_ms = milliseconds_or_0(v); },
         "On SIGTERM or SIGINT, apply what the stream held at that moment, for this long at most; 0: end at once, as a second signal does. The next start continues with the rest."},
    Flag{"exit-after-snapshot", boolean, "", "false", commands_worker, 0,
         [](S& s, V v) { s.worker.exit_after_snapshot = parse_boolean(v); }, "Exit with code 0 when the newest snapshot is applied; at once if it already is. A worker started together with `replicator --resnapshot` may still find the snapshot before that one: start it once the replicator logs that it is copying."},
    Flag{"exit-at-lsn", text, "LSN", "", commands_worker, 0,
         [](S& s, V v) { s.worker.exit_at_lsn = lsn(v); }, "Exit with code 0 when everything committed before this LSN is applied."},

    // worker stdout, file, webhook, nats.
    Flag{"format", text, "FORMAT", "pg_flo", line_sinks | command_dlq_replay, 0, set_format, "Format of the JSON: `pg_flo` or `debezium`."},
    Flag{"checkpoint-file", text, "FILE", "", command_worker_stdout, 0,
         [](S& s, V v) { s.standard_output.checkpoint_file = present(v); },
         "Keep the position in this file; by default in the group's KV bucket."},
    Flag{"file-output-dir", text, "DIR", "", file_sinks, file_sinks,
         [](S& s, V v) { s.file.output_dir = present(v); }, "Directory of the files. One worker per directory."},
    Flag{"file-max-size", text, "SIZE", "100MiB", file_sinks, 0,
         [](S& s, V v) {
             s.file.max_size_bytes = static_cast<std::uint64_t>(parse_bytes(v));
             if (s.file.max_size_bytes == 0) throw BadValue("expected a size above 0");
         }, "A file is finished after the batch, and the transaction, that makes it this large."},
    Flag{"file-max-age", text, "DURATION", "1h", file_sinks, 0,
         [](S& s, V v) {
             s.file.max_age_ms = parse_duration_ms(v);
             if (s.file.max_age_ms == 0) throw BadValue("expected a duration above 0");
         }, "A file is finished at this age."},
    Flag{"file-compression", text, "HOW", "none", file_sinks, 0,
         [](S& s, V v) { s.file.zstd = parse_choice<bool>(v, {{"none", false}, {"zstd", true}}); }, "`none` or `zstd`."},

    // worker postgres.
    Flag{"target-url", secret, "URL", "", target_side, 0,
         [](S& s, V v) { s.postgres.target.url = present(v); },
         "The target as one libpq URL or conninfo string, instead of its single parts."},
    Flag{"target-url-file", text, "FILE", "", target_side, 0,
         [](S& s, V v) { s.postgres.target.url = read_secret_file(v); }, "The same, read from a file."},
    Flag{"target-host", text, "HOST", "", target_side, 0,
         [](S& s, V v) { s.postgres.target.host = v; }, "The target's host or socket directory; see --host."},
    Flag{"target-port", text, "PORT", "", target_side, 0,
         [](S& s, V v) { s.postgres.target.port = port(v); }, "The target's port; by default 5432; see --port."},
    Flag{"target-dbname", text, "NAME", "", target_side, 0,
         [](S& s, V v) { s.postgres.target.dbname = v; }, "The target database."},
    Flag{"target-user", text, "NAME", "", target_side, 0,
         [](S& s, V v) { s.postgres.target.user = v; }, "A role that may write the tables and create the schema `pgsluice`."},
    Flag{"target-password", secret, "TEXT", "", target_side, 0,
         [](S& s, V v) { s.postgres.target.password = v; }, "Its password; see --password."},
    Flag{"target-password-file", text, "FILE", "", target_side, 0,
         [](S& s, V v) { s.postgres.target.password = read_secret_file(v); }, "The same, read from a file."},
    Flag{"target-sync-schema", boolean, "", "false", postgres, 0,
         [](S& s, V v) { s.postgres.sync_schema = parse_boolean(v); },
         "Create the source's tables on the target first. Needs the source (--source-url, or --source-host and so on)."},
    Flag{"target-schema-from", text, "WHAT", "definitions", postgres, 0,
         [](S& s, V v) {
             s.postgres.schema_from = parse_choice<SchemaFrom>(
                 v, {{"definitions", SchemaFrom::definitions}, {"pg_dump", SchemaFrom::pg_dump}});
         }, "Where --target-sync-schema reads what the source's tables are: `definitions` in its catalog, or `pg_dump` of its version or later, which knows operators, operator classes and aggregates, too."},
    Flag{"target-owner", text, "ROLE", "", postgres, 0,
         [](S& s, V v) { s.postgres.target_owner = v; },
         "The role that what --target-sync-schema and captured DDL make belongs to, and with whose rights it is made. By default the worker's."},
    Flag{"source-host", text, "HOST", "", postgres, 0,
         [](S& s, V v) { s.postgres.source.host = v; }, "The source, for --target-sync-schema."},
    Flag{"source-port", text, "PORT", "", postgres, 0,
         [](S& s, V v) { s.postgres.source.port = port(v); }, "Its port."},
    Flag{"source-dbname", text, "NAME", "", postgres, 0,
         [](S& s, V v) { s.postgres.source.dbname = v; }, "Its database."},
    Flag{"source-user", text, "NAME", "", postgres, 0,
         [](S& s, V v) { s.postgres.source.user = v; }, "Its role."},
    Flag{"source-password", secret, "TEXT", "", postgres, 0,
         [](S& s, V v) { s.postgres.source.password = v; }, "Its password; see --password."},
    Flag{"source-password-file", text, "FILE", "", postgres, 0,
         [](S& s, V v) { s.postgres.source.password = read_secret_file(v); }, "The same, read from a file."},
    Flag{"target-disable-foreign-keys", boolean, "", "false", postgres_sinks, 0,
         [](S& s, V v) { s.postgres.disable_foreign_keys = parse_boolean(v); },
         "Do not check foreign keys: refuse to start where the role may not set session_replication_role. Where it may, they are not checked anyway."},
    Flag{"target-copy-workers", text, "N", "2", postgres_sinks, 0,
         [](S& s, V v) { s.postgres.copy_workers = small(v, 1, 64); }, "Connections that load the snapshot."},
    Flag{"target-existing-rows", text, "WHAT", "error", postgres_sinks, 0,
         [](S& s, V v) {
             s.postgres.existing_rows = parse_choice<ExistingRows>(
                 v, {{"error", ExistingRows::error}, {"truncate", ExistingRows::truncate}, {"keep", ExistingRows::keep}});
         }, "What to do with a target table that holds rows before a snapshot: stop with an `error`, `truncate` it, or `keep` the rows and upsert."},
    Flag{"target-ddl", text, "WHAT", "apply", postgres, 0,
         [](S& s, V v) { s.postgres.apply_ddl = parse_choice<bool>(v, {{"apply", true}, {"ignore", false}}); },
         "What to do with DDL that the replicator captured (--track-ddl): `apply` it, or `ignore` it when you change the target's tables yourself."},
    Flag{"ddl-policy", list, "KIND=ACTION,...", "", postgres, 0,
         [](S& s, V v) { s.postgres.ddl_policy.add(v); },
         "What to do with each kind of command: `apply`, `stop` (the worker waits until an operator decides with `pgsluice ddl`) or `ignore`, as in `drop table=stop,index on log_*=ignore`. By default all are applied but what destroys data of the target's own, before which it waits."},
    Flag{"ddl-build-indexes", text, "HOW", "transaction", postgres, 0,
         [](S& s, V v) { s.postgres.build_indexes_concurrently = parse_choice<bool>(v, {{"transaction", false}, {"concurrently", true}}); },
         "How to build an index that comes as a definition: in the stream's `transaction`, or `concurrently`, beside the stream, which waits for it only before a command that may need it."},
    Flag{"target-unmarked", boolean, "", "false", postgres | command_dlq_replay | command_compare, 0,
         [](S& s, V v) { s.postgres.unmarked = parse_boolean(v); },
         "Write without a replication origin, where the role may not use one, although a group reads from the target: when that group does not lead back to this one's source."},
    Flag{"on-conflict", list, "WHAT", "upsert", postgres | command_dlq_replay, 0, set_on_conflict,
         "What to do with an insert whose key exists: `upsert`, `ignore` or `error`; or with `TABLE=WHAT`, a name or pattern as on the target, for these tables only: `--on-conflict error,django_*=ignore`."},
    Flag{"on-missing-column", text, "WHAT", "stop", postgres_sinks, 0,
         [](S& s, V v) {
             s.postgres.on_missing_column = parse_choice<OnMissingColumn>(
                 v, {{"stop", OnMissingColumn::stop}, {"ignore", OnMissingColumn::ignore}, {"add", OnMissingColumn::add}});
         }, "What to do when rows have a column that the target's table lacks: `stop`, `ignore` its values, or `add` it with the type that the rows name: without default and NOT NULL, which they do not."},
    Flag{"on-error", text, "WHAT", "stop", postgres | webhook, 0, set_on_error,
         "What to do with a change that the sink refuses: `stop`, or park it in the group's dead letters (`dead-letter`) and continue."},

    // worker webhook.
    Flag{"webhook-url", text, "URL", "", webhook_side, webhook_sinks,
         [](S& s, V v) { s.webhook.url = present(v); }, "Where to post. `worker webhook` needs it, and `dlq replay` for a webhook worker."},
    Flag{"webhook-batch-size", text, "N", "1", webhook_side, 0,
         [](S& s, V v) { s.webhook.batch_size = static_cast<std::size_t>(parse_integer(v, 1, 100'000)); },
         "Changes per request: 1 posts one JSON object, more a JSON array."},
    Flag{"webhook-concurrency", text, "N", "1", webhook_side, 0,
         [](S& s, V v) { s.webhook.concurrency = small(v, 1, 256); },
         "Requests in flight; the order of one row's changes is kept."},
    Flag{"webhook-timeout", text, "DURATION", "30s", webhook_side, 0,
         [](S& s, V v) { s.webhook.timeout_ms = milliseconds(v); }, "Time limit of one request."},
    Flag{"webhook-max-attempts", text, "N", "0", webhook_side, 0,
         [](S& s, V v) { s.webhook.max_attempts = small(v, 0, 1'000'000); },
         "Treat a change as refused (--on-error) when its request was answered with an error of the server this often; 0: try for ever. 502, 503, 504 and no answer at all do not count: then the receiver is away."},
    Flag{"webhook-header", repeated, "'NAME: VALUE'", "", webhook_side, 0,
         [](S& s, V v) { s.webhook.headers.push_back(http_header(v)); }, "An additional header; repeat the flag for more."},
    Flag{"webhook-bearer-token", secret, "TEXT", "", webhook_side, 0,
         [](S& s, V v) { s.webhook.bearer_token = v; }, "Sent as `Authorization: Bearer`."},
    Flag{"webhook-bearer-token-file", text, "FILE", "", webhook_side, 0,
         [](S& s, V v) { s.webhook.bearer_token = read_secret_file(v); }, "The same, read from a file."},
    Flag{"webhook-hmac-secret", secret, "TEXT", "", webhook_side, 0,
         [](S& s, V v) { s.webhook.hmac_secret = v; }, "Sign requests with HMAC-SHA-256 (`X-Pgsluice-Signature`)."},
    Flag{"webhook-hmac-secret-file", text, "FILE", "", webhook_side, 0,
         [](S& s, V v) { s.webhook.hmac_secret = read_secret_file(v); }, "The same, the secret read from a file."},
    Flag{"webhook-ca", text, "FILE", "", webhook_side, 0,
         [](S& s, V v) { s.webhook.ca_file = present(v); },
         "Certificate authority that signed the endpoint's certificate; by default those of the system."},

    // worker nats.
    Flag{"nats-subject", text, "TEMPLATE", "cdc.{schema}.{table}.{op}", nats_sinks, 0,
         [](S& s, V v) { s.nats_sink.subject = present(v); }, "Subject of each change's message."},
    Flag{"nats-target-url", text, "URL", "", nats_sinks, 0,
         [](S& s, V v) { s.nats_sink.url = present(v); }, "The server to publish to; by default the group's own."},

    // import.
    Flag{"dump", repeated, "FILE", "", commands_import, commands_import,
         [](S& s, V v) { s.import_options.dumps.push_back(present(v)); },
         "The dump, as pg_dump wrote it: SQL text, also compressed with gzip, zstd or lz4, or a custom, directory or tar archive, which pg_restore unpacks. Repeat the flag for a dump in several parts (pg_dump --section)."},
    Flag{"max-rows-per-table", text, "N", "0", commands_import, 0,
         [](S& s, V v) { s.import_options.max_rows_per_table = static_cast<std::uint64_t>(parse_integer(v, 0, INT64_MAX)); },
         "Only the first so many rows of each of the dump's tables, counted before the rules; 0: all."},
    Flag{"dry-run", boolean, "", "false", commands_import, 0,
         [](S& s, V v) { s.import_options.dry_run = parse_boolean(v); },
         "Read all of the dump, apply the rules to all rows, print what would be done with each table, and write nothing."},

    // check rules.
    Flag{"sample", text, "N", "0", command_check_rules, 0,
         [](S& s, V v) { s.sample = small(v, 0, 10'000); }, "How many rows of each table to show before and after the rules."},

    Flag{"suggest", boolean, "", "false", command_check_rules, 0,
         [](S& s, V v) { s.finding.suggest = parse_boolean(v); },
         "Look for personal data in the source's tables, by names, types, comments, labels and a sample of values, and print a rules file that hides it, with reasons, and without values."},
    Flag{"coverage", boolean, "", "false", command_check_rules, 0,
         [](S& s, V v) { s.finding.coverage = parse_boolean(v); },
         "Print the columns that no rule names, as JSON. Exit code 1 when there is one in strict mode."},
    Flag{"sample-rows", text, "N", "2000", command_check_rules | command_check_leaks, 0,
         [](S& s, V v) { s.finding.sample_rows = static_cast<std::size_t>(small(v, 1, 1'000'000)); },
         "How many rows of each of the source's tables to look at."},

    // compare.
    Flag{"rate", text, "N", "0", comparing, 0,
         [](S& s, V v) { s.compare.rows_per_second = static_cast<std::uint64_t>(parse_integer(v, 0, 1'000'000'000)); },
         "Read at most so many rows a second at each end; 0: as fast as it goes."},
    Flag{"compare-workers", text, "N", "2", comparing, 0,
         [](S& s, V v) { s.compare.connections = small(v, 1, 64); }, "Connections that read, at each end."},
    Flag{"max-differences", text, "N", "20", comparing, 0,
         [](S& s, V v) { s.compare.max_differences = static_cast<std::size_t>(parse_integer(v, 1, 100'000)); },
         "Rows listed of each table that differs."},
    Flag{"show-values", boolean, "", "false", command_compare, 0,
         [](S& s, V v) { s.compare.show_values = parse_boolean(v); }, "List the values that differ, not only their columns. Keys are always shown."},
    Flag{"repair", boolean, "", "false", command_compare, 0,
         [](S& s, V v) { s.compare.repair = parse_boolean(v); }, "Write the source's rows over those that differ. The worker stands still for each 500 of them."},

    // cutover.
    Flag{"stop-writes", text, "HOW", "tables", command_cutover, 0,
         [](S& s, V v) {
             s.cutover.stop_writes = parse_choice<StopWrites>(v, {{"tables", StopWrites::tables}, {"none", StopWrites::none}});
         }, "What keeps the application from writing to the source: `tables`, a trigger on each moved table refuses it; `none`, you have stopped it, and keep it so."},
    Flag{"max-write-stop", text, "DURATION", "30s", command_cutover, 0,
         [](S& s, V v) { s.cutover.max_write_stop_ms = milliseconds(v); },
         "If the target has not followed by then, the source may be written to again, and the cutover has failed."},
    Flag{"max-lag", text, "DURATION", "2s", command_cutover, 0,
         [](S& s, V v) { s.cutover.max_lag_ms = milliseconds(v); }, "Writes are not stopped before slot and worker are at most so far behind."},
    Flag{"compare", text, "WHEN", "both", command_cutover, 0,
         [](S& s, V v) {
             s.cutover.compare = parse_choice<CompareAt>(v, {{"before", CompareAt::before}, {"after", CompareAt::after},
                                                             {"both", CompareAt::both}, {"none", CompareAt::none}});
         }, "When to compare source and target: `before` writes are stopped; `after`, as of the cutover, while the application already writes to the target; `both`; `none`."},
    Flag{"compare-tables", list, "TABLE,...", "", command_cutover, 0,
         [](S& s, V v) { s.cutover.compare_tables.emplace_back(v); }, "Compare only these tables of the source; names and patterns as in --tables."},
    Flag{"reverse", text, "GROUP", "", command_cutover, 0,
         [](S& s, V v) { s.cutover.reverse = names_for(v).group; },
         "Make a group of this name that leads back, from the target to the source, and misses nothing of what is written to the target."},
    Flag{"undo", boolean, "", "false", command_cutover, 0,
         [](S& s, V v) { s.cutover.undo = parse_boolean(v); },
         "Only let the source's tables be written to again, and forget that the group was cut over. What was written to the target does not come back by that."},

    // compare, tables, status and check.
    Flag{"json", boolean, "", "false", command_compare | command_tables | command_status | command_check, 0,
         [](S& s, V v) { s.json = s.compare.json = s.status.json = s.check.json = parse_boolean(v); }, "Print JSON: one object, of `tables` an array with an object for each table, of `status` one line for each group."},

    // status.
    Flag{"all", boolean, "", "false", command_status, 0,
         [](S& s, V v) { s.status.all = parse_boolean(v); }, "Every group that has a stream on this NATS server, without asking their sources."},
    Flag{"watch", boolean, "", "false", command_status, 0,
         [](S& s, V v) { s.status.watch = parse_boolean(v); }, "Look every two seconds, and draw anew on a terminal. Ends with 0 when asked to stop."},
    Flag{"raw", boolean, "", "false", command_status, 0,
         [](S& s, V v) { s.status.raw = parse_boolean(v); }, "Print the streams, the keys of the group's KV bucket as they are, its workers and its slot. Exit code 0, however the group is."},
    Flag{"warn-behind", text, "DURATION", "1m", watches, 0,
         [](S& s, V v) { s.status.thresholds.warn_behind_seconds = seconds_or_never(v); },
         "Warn of a worker, or a slot, that is this far behind; 0: never."},
    Flag{"fail-behind", text, "DURATION", "0", watches, 0,
         [](S& s, V v) { s.status.thresholds.fail_behind_seconds = seconds_or_never(v); }, "The same as a failure."},
    Flag{"warn-slot-time", text, "DURATION", "1h", watches, 0,
         [](S& s, V v) { s.status.thresholds.warn_seconds_to_loss = seconds_or_never(v); },
         "Warn of a slot that is lost sooner than this at the present rate of WAL (`max_slot_wal_keep_size`); 0: never."},
    Flag{"fail-slot-time", text, "DURATION", "5m", watches, 0,
         [](S& s, V v) { s.status.thresholds.fail_seconds_to_loss = seconds_or_never(v); }, "The same as a failure."},
    Flag{"dead-after", text, "DURATION", "30s", watches, 0,
         [](S& s, V v) { s.status.thresholds.dead_after_seconds = milliseconds(v) / 1000.0; },
         "A worker or replicator that has not reported for so long, and did not say that it ended, is dead: a failure."},
    Flag{"fail-dead-letters", boolean, "", "false", watches, 0,
         [](S& s, V v) { s.status.thresholds.fail_dead_letters = parse_boolean(v); }, "Dead letters are a failure, not a warning."},

    // dlq.
    Flag{"message", list, "N,...", "", commands_dlq, 0,
         [](S& s, V v) { s.dead_letters.push_back(static_cast<std::uint64_t>(parse_integer(v, 1, INT64_MAX))); },
         "Only these messages of the dead-letter stream."},

    // What removes something.
    Flag{"yes", boolean, "", "false", command_teardown | command_dlq_discard | command_repair | command_cutover, 0,
         [](S& s, V v) { s.yes = parse_boolean(v); }, "Do what is listed: remove it, or move."},

    // Running.
    Flag{"retry-max-attempts", text, "N", "3", commands_loop, 0,
         [](S& s, V v) { s.retry.max_attempts = small(v, 0, 1'000'000); },
         "Retries at start when a server does not answer. Once it has been running, it reconnects without limit."},
    Flag{"retry-initial-wait", text, "DURATION", "1s", commands_loop, 0,
         [](S& s, V v) { s.retry.initial_wait_ms = milliseconds(v); }, "Wait before the first retry; doubled for each further one."},
    Flag{"retry-max-wait", text, "DURATION", "8s", commands_loop, 0,
         [](S& s, V v) { s.retry.max_wait_ms = milliseconds(v); }, "The longest wait between retries."},
    Flag{"http-listen", text, "ADDRESS", "", serves | command_health, command_health | command_serve,
         [](S& s, V v) { s.http_listen = http_listen(v); },
         "Serve a page for people at `/`, `/metrics`, `/status`, `/healthz` and `/readyz` over HTTP at this address and port, such as `127.0.0.1:9187`; `:9187` is all addresses. Off by default. `health` asks there."},
    Flag{"http-token-file", text, "FILE", "", serves, 0,
         [](S& s, V v) { s.http.token = http_token(v); },
         "A file with the token that every request must have (`Authorization: Bearer`), except for `/healthz` and `/readyz`; at least 16 characters. Without it everyone who can reach the address may read."},
    Flag{"http-cert", text, "FILE", "", serves | command_health, 0,
         [](S& s, V v) { s.http.cert_file = present(v); },
         "Serve over TLS, with this certificate (PEM, with its chain) and --http-key. `health` then asks over TLS."},
    Flag{"http-key", text, "FILE", "", serves | command_health, 0,
         [](S& s, V v) { s.http.key_file = present(v); },
         "The private key of --http-cert (PEM, without a passphrase)."},
    Flag{"http-show-rows", text, "WHAT", "off", commands_worker, 0,
         [](S& s, V v) { s.worker.show_rows = parse_choice<ShowRows>(v, {{"off", ShowRows::off}, {"after", ShowRows::after}, {"both", ShowRows::both}}); },
         "With --http-listen, show people on the page values of rows that pass: what the rules have left of them (`after`), or also what they were before (`both`). Only while someone looks, and only changes, not rows of a snapshot."},
    Flag{"ready", boolean, "", "false", command_health, 0,
         [](S& s, V v) { s.ready = parse_boolean(v); }, "Ask `/readyz`, whether it also makes progress, instead of `/healthz`."},
    Flag{"config", text, "FILE", "", commands_all, 0,
         [](S&, V) {}, "The configuration file; by default `~/.pgsluice.yaml` if it exists."},
    Flag{"log-level", text, "LEVEL", "info", commands_all, 0,
         [](S& s, V v) {
             s.log.level = parse_choice<LogLevel>(v, {{"debug", LogLevel::debug}, {"info", LogLevel::info},
                                                      {"warning", LogLevel::warning}, {"warn", LogLevel::warning}, {"error", LogLevel::error}});
         }, "`debug`, `info`, `warning` or `error`."},
    Flag{"log-format", text, "FORMAT", "text", commands_all, 0,
         [](S& s, V v) { s.log.format = parse_choice<LogFormat>(v, {{"text", LogFormat::text}, {"json", LogFormat::json}}); },
         "`text` or `json`. The log goes to standard error."},
};
// clang-format on

}  // namespace

std::span<const Flag> flags() { return flag_table; }

}  // namespace pgsluice
