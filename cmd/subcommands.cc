#include "cmd/subcommands.h"

#include <fmt/format.h>

#include <array>

#include "sql/error.h"
#include "stream/names.h"

namespace pgsluice {

namespace {

[[noreturn]] void not_there_yet(Settings, const Log&, std::stop_token) {
    throw stop_error("this command is not part of the program yet");
}

struct Entry {
    std::uint32_t commands;
    Subcommand run;
};

constexpr std::array table{
    Entry{command_replicator, not_there_yet},
    Entry{commands_worker, not_there_yet},
};

}  // namespace

Subcommand subcommand(Command command) {
    for (const Entry& entry : table) {
        if ((entry.commands & command) != 0) return entry.run;
    }
    return nullptr;
}

void set_names(Settings& settings) {
    const Names names = names_for(settings.group);
    settings.replicator.names = settings.worker.names = names;
    settings.worker.worker = worker_name(settings.worker.worker);
    settings.postgres.group = names.group;
    settings.postgres.worker = settings.worker.worker;
}

}  // namespace pgsluice
