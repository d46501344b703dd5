// The workers of other sinks, and import.
#include <array>

#include "cmd/cli/flags/tables.h"
#include "cmd/cli/flags/words.h"

namespace pgsluice {

namespace {

using namespace flag_words;

// clang-format off
constexpr std::array sinks_table{
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
};
// clang-format on

}  // namespace

std::span<const Flag> sink_flags() { return sinks_table; }

}  // namespace pgsluice
