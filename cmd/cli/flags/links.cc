// Where the group, NATS and the source are.
#include <array>

#include "cmd/cli/flags/tables.h"
#include "cmd/cli/flags/words.h"

namespace pgsluice {

namespace {

using namespace flag_words;

// clang-format off
constexpr std::array links_table{
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
};
// clang-format on

}  // namespace

std::span<const Flag> link_flags() { return links_table; }

}  // namespace pgsluice
