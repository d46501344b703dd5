// worker postgres.
#include <array>

#include "cmd/cli/flags/tables.h"
#include "cmd/cli/flags/words.h"

namespace pgsluice {

namespace {

using namespace flag_words;

// clang-format off
constexpr std::array postgres_table{
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
         [](S& s, V v) { s.postgres.source.host = v; }, "The source, for --target-sync-schema and --snapshot direct."},
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
};
// clang-format on

}  // namespace

std::span<const Flag> postgres_flags() { return postgres_table; }

}  // namespace pgsluice
