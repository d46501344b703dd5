// What a shell has to know of a flag and of the commands to complete them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cmd/cli/flag.h"

namespace pgsluice {

enum class Takes { nothing, file, directory, words, anything };

struct CompletedFlag {
    const Flag* flag;
    Takes takes;
    std::vector<std::string_view> words;  // the values it takes, where they are few
    std::string summary;                  // its help's first sentence, as plain text without the full stop
};

CompletedFlag completed(const Flag& flag);
std::vector<CompletedFlag> completed_flags();

// Whether the command line takes the flag; that of `config` takes all.
bool takes(const CommandInfo& command, const Flag& flag);

struct NextWord {
    std::string word;
    std::string about;
};

// After "": replicator, worker, ...; after "worker": stdout, file, ...; none after a whole command.
std::vector<NextWord> words_after(std::string_view words);
// Each command and each beginning of one: "worker", "worker stdout", ...
std::vector<std::string> beginnings();
// Those that people give; in the order of the table.
std::vector<const CommandInfo*> shown_commands();

}  // namespace pgsluice
