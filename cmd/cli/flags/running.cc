// How each process runs.
#include <array>

#include "cmd/cli/flags/tables.h"
#include "cmd/cli/flags/words.h"

namespace pgsluice {

namespace {

using namespace flag_words;

// clang-format off
constexpr std::array running_table{
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

std::span<const Flag> running_flags() { return running_table; }

}  // namespace pgsluice
