#include "cmd/cli/flag.h"

#include <array>
#include <cctype>
#include <stdexcept>

namespace pgsluice {

namespace {

constexpr std::array command_table{
    CommandInfo{command_replicator, "replicator",
                "copy a source database's tables and follow its changes into JetStream"},
    CommandInfo{command_worker_stdout, "worker stdout",
                "write a group's changes to standard output, one JSON line each"},
    CommandInfo{command_worker_file, "worker file", "write a group's changes to rotated files of JSON lines"},
    CommandInfo{command_worker_postgres, "worker postgres", "apply a group's changes to a target database"},
    CommandInfo{command_worker_webhook, "worker webhook", "post a group's changes to an HTTP endpoint"},
    CommandInfo{command_worker_nats, "worker nats", "publish each of a group's changes as its own NATS message"},
    CommandInfo{command_import_postgres, "import postgres",
                "load the rows of a dump into a target database, through rules and routes"},
    CommandInfo{command_import_file, "import file", "the same into files of JSON lines"},
    CommandInfo{command_import_stdout, "import stdout", "the same to standard output"},
    CommandInfo{command_import_webhook, "import webhook", "the same to an HTTP endpoint"},
    CommandInfo{command_import_nats, "import nats", "the same as NATS messages"},
    CommandInfo{command_run, "run",
                "run the replicators and workers of all groups that the configuration file has, in one process"},
    CommandInfo{command_check, "check",
                "look at the source, NATS and the target before anything is made: all that would not work, with the "
                "way out"},
    CommandInfo{command_status, "status", "show a group's streams, workers and slot"},
    CommandInfo{command_serve, "serve",
                "serve a page with all groups of a NATS system, which people look at in a browser"},
    CommandInfo{command_tables, "tables", "show what a group has delivered of each table"},
    CommandInfo{command_resnapshot, "resnapshot", "copy some of a group's tables again while the others go on"},
    CommandInfo{command_forget, "forget",
                "remove a worker that is gone for good from the group, so that the stream is not kept for it"},
    CommandInfo{command_dlq_list, "dlq list", "list the changes that --on-error dead-letter parked"},
    CommandInfo{command_dlq_replay, "dlq replay",
                "apply the parked changes of a postgres worker, which must not run, or of a webhook worker"},
    CommandInfo{command_dlq_discard, "dlq discard", "list parked changes; --yes discards them"},
    CommandInfo{command_ddl_list, "ddl list", "show the command of the source that a postgres worker stopped at"},
    CommandInfo{command_ddl_apply, "ddl apply", "let the worker apply that command when it is started again"},
    CommandInfo{command_ddl_skip, "ddl skip", "let the worker leave that command out when it is started again"},
    CommandInfo{command_sequences, "sequences",
                "set a target's sequences to its tables' rows, after a worker that was killed"},
    CommandInfo{command_teardown, "teardown",
                "list what a group has on the source, in NATS and on the target; --yes removes it"},
    CommandInfo{command_repair, "repair",
                "list what other programs left in a group's stream, KV bucket and dead letters; --yes removes it"},
    CommandInfo{command_compare, "compare",
                "prove that a postgres worker's target is equal to the source, or list the rows that differ"},
    CommandInfo{command_cutover, "cutover",
                "move the application of a running group to the target: stop writes to the source for as long as the "
                "target needs to follow"},
    CommandInfo{command_check_rules, "check rules",
                "check rules and routing files, against a source's tables where one is given"},
    CommandInfo{command_check_leaks, "check leaks",
                "look for values of the source that rules hide in all of a target, and in the group's stream"},
    CommandInfo{command_decrypt, "decrypt",
                "turn values that a rule has encrypted back: lines of standard input to standard output"},
    CommandInfo{command_health, "health",
                "ask a process that serves HTTP whether it answers, for a container's health check"},
    CommandInfo{command_config, "config", "print the settings in force and where each comes from, without secrets"},
    CommandInfo{command_completion_bash, "completion bash", "print a script that completes pgsluice's flags in bash"},
    CommandInfo{command_completion_zsh, "completion zsh", "the same for zsh"},
    CommandInfo{command_completion_fish, "completion fish", "the same for fish"},
    CommandInfo{command_man, "man", "print the manual page, for man"},
    CommandInfo{command_version, "version", "print the version"},
    CommandInfo{command_help_markdown, "help-markdown", "print the tables of flags in cmd/README.md", true},
};

}  // namespace

std::span<const CommandInfo> commands() { return command_table; }

const CommandInfo& info(Command command) {
    for (const CommandInfo& entry : command_table) {
        if (entry.command == command) return entry;
    }
    throw std::logic_error("a command that is not in the table");
}

// So that the flags of both command lines can be given to it as they are.
bool applies(const Flag& flag, Command command) {
    const Commands as =
        command == command_check ? command_check | command_replicator | command_worker_postgres : command;
    return (flag.commands & as) != 0;
}

const Flag* find_flag(std::string_view name) {
    for (const Flag& flag : flags()) {
        if (flag.name == name) return &flag;
    }
    return nullptr;
}

std::string environment_suffix(std::string_view flag_name) {
    std::string out;
    for (const char c : flag_name) {
        out += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    return out;
}

}  // namespace pgsluice
