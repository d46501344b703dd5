// The one table of settings. The command line, the environment's names, the configuration file's keys, --help and the
// tables of cmd/README.md all come from it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "cmd/cli/settings.h"

namespace pgsluice {

// A set of commands: a bit for each.
using Commands = std::uint64_t;

// What the program can be asked to do, as bits, so that a flag can say where it applies.
enum Command : Commands {
    command_replicator = 1U << 0,
    command_worker_stdout = 1U << 1,
    command_worker_file = 1U << 2,
    command_worker_postgres = 1U << 3,
    command_worker_webhook = 1U << 4,
    command_worker_nats = 1U << 5,
    command_teardown = 1U << 6,
    command_status = 1U << 7,
    command_check_rules = 1U << 8,
    command_forget = 1U << 9,
    command_dlq_list = 1U << 10,
    command_dlq_replay = 1U << 11,
    command_dlq_discard = 1U << 12,
    command_version = 1U << 13,
    command_help_markdown = 1U << 14,
    command_compare = 1U << 15,
    command_repair = 1U << 16,
    command_tables = 1U << 20,
    command_resnapshot = 1U << 21,
    command_sequences = 1U << 17,
    command_check = 1U << 18,  // takes those of a replicator and of a postgres worker, too
    command_ddl_list = 1U << 22,
    command_ddl_apply = 1U << 23,
    command_ddl_skip = 1U << 24,
    command_config = 1U << 25,  // takes the flags of all
    command_health = 1U << 19,
    command_completion_bash = 1U << 26,
    command_completion_zsh = 1U << 27,
    command_completion_fish = 1U << 28,
    command_man = 1U << 29,
    command_run = 1U << 30,
    command_serve = 1U << 31,
    command_import_stdout = 1ULL << 32,
    command_import_file = 1ULL << 33,
    command_import_postgres = 1ULL << 34,
    command_import_webhook = 1ULL << 35,
    command_import_nats = 1ULL << 36,
    command_cutover = 1ULL << 37,
    command_check_leaks = 1ULL << 38,
    command_decrypt = 1ULL << 39,
};

constexpr Commands commands_line_sinks =
    command_worker_stdout | command_worker_file | command_worker_webhook | command_worker_nats;
constexpr Commands commands_worker = commands_line_sinks | command_worker_postgres;
constexpr Commands commands_loop = command_replicator | commands_worker;
constexpr Commands commands_process = commands_loop | command_run;  // that run until they are stopped
constexpr Commands commands_import = command_import_stdout | command_import_file | command_import_postgres |
                                     command_import_webhook | command_import_nats;
constexpr Commands commands_dlq = command_dlq_list | command_dlq_replay | command_dlq_discard;
constexpr Commands commands_ddl = command_ddl_list | command_ddl_apply | command_ddl_skip;
constexpr Commands commands_connected = commands_loop | commands_dlq | command_teardown | command_status |
                                        command_forget | command_compare | command_cutover | command_repair |
                                        command_tables | command_resnapshot | commands_ddl | command_check |
                                        command_serve | command_import_nats | command_check_leaks;  // all that use NATS
constexpr Commands commands_group = (commands_connected & ~(command_serve | command_import_nats)) | command_sequences;
constexpr Commands commands_all = commands_group | command_check_rules | command_decrypt | command_health |
                                  command_run | command_serve | commands_import;

struct CommandInfo {
    Command command;
    std::string_view words;  // "worker postgres"
    std::string_view about;
    bool hidden = false;
};

std::span<const CommandInfo> commands();
const CommandInfo& info(Command command);

enum class FlagKind {
    text,      // one value; given twice, the last counts
    secret,    // the same, and never shown
    boolean,   // bare, or with true or false
    list,      // comma separated or repeated
    repeated,  // repeated, commas are part of the value
};

struct Flag {
    std::string_view name;  // "nats-url": --nats-url, PGSLUICE_NATS_URL, PG_FLO_NATS_URL, key nats-url
    FlagKind kind = FlagKind::text;
    std::string_view value;     // what --help calls the value: "URL"; empty for booleans
    std::string_view fallback;  // the default, applied when nothing is given; empty: the option struct's own
    Commands commands = 0;      // where it applies,
    Commands required = 0;      // and where it must be given
    // Takes one value (of a list: one item); throws BadValue.
    void (*set)(Settings& settings, std::string_view text) = nullptr;
    std::string_view help;
};

std::span<const Flag> flags();
bool applies(const Flag& flag, Command command);
const Flag* find_flag(std::string_view name);
// "nats-url" -> "NATS_URL".
std::string environment_suffix(std::string_view flag_name);

}  // namespace pgsluice
