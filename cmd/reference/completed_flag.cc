#include "cmd/reference/completed_flag.h"

#include <algorithm>

#include "cmd/cli/value.h"

namespace pgsluice {

namespace {

std::string summary_of(const Flag& flag) {
    const std::string_view help = flag.help;
    if (flag.name.ends_with("-file") && help == "The same, read from a file.")
        return "File that holds --" + std::string(flag.name.substr(0, flag.name.size() - 5));
    std::string text(help.substr(0, help.find(". ")));
    std::erase(text, '`');
    if (text.ends_with('.') || text.ends_with(':')) text.pop_back();
    return text;
}

// The flag itself knows, and says so of a value that it refuses.
std::vector<std::string_view> choices_of(const Flag& flag) {
    if (flag.kind != FlagKind::text) return {};
    Settings unused;
    try {
        flag.set(unused, "\n");
    } catch (const BadChoice& refused) {
        return refused.names;
    } catch (const std::exception&) {  // it takes other values than a few words
        return {};
    }
    return {};
}

Takes taken_by(const Flag& flag, bool words) {
    if (flag.kind == FlagKind::boolean) return Takes::nothing;
    if (flag.value == "FILE") return Takes::file;
    if (flag.value == "DIR") return Takes::directory;
    return words ? Takes::words : Takes::anything;
}

}  // namespace

CompletedFlag completed(const Flag& flag) {
    std::vector<std::string_view> words = choices_of(flag);
    const Takes takes = taken_by(flag, !words.empty());
    return {&flag, takes, std::move(words), summary_of(flag)};
}

std::vector<CompletedFlag> completed_flags() {
    std::vector<CompletedFlag> out;
    for (const Flag& flag : flags()) out.push_back(completed(flag));
    return out;
}

bool takes(const CommandInfo& command, const Flag& flag) {
    return command.command == command_config || applies(flag, command.command);
}

std::vector<const CommandInfo*> shown_commands() {
    std::vector<const CommandInfo*> out;
    for (const CommandInfo& command : commands()) {
        if (!command.hidden) out.push_back(&command);
    }
    return out;
}

std::vector<NextWord> words_after(std::string_view words) {
    const std::string start = words.empty() ? "" : std::string(words) + " ";
    std::vector<NextWord> out;
    for (const CommandInfo* command : shown_commands()) {
        if (!command->words.starts_with(start)) continue;
        const std::string_view rest = command->words.substr(start.size());
        const std::string word(rest.substr(0, rest.find(' ')));
        const std::string more(rest.substr(std::min(word.size() + 1, rest.size())));
        const auto known = std::ranges::find(out, word, &NextWord::word);
        if (known == out.end())
            out.push_back({word, more.empty() ? std::string(command->about) : more});
        else if (!more.empty())
            known->about += ", " + more;
    }
    return out;
}

std::vector<std::string> beginnings() {
    std::vector<std::string> out;
    for (const CommandInfo* command : shown_commands()) {
        for (std::size_t end = 0; end != std::string_view::npos;) {
            end = command->words.find(' ', end + 1);
            std::string beginning(command->words.substr(0, end));
            if (std::ranges::find(out, beginning) == out.end()) out.push_back(std::move(beginning));
        }
    }
    return out;
}

}  // namespace pgsluice
