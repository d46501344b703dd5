#include "cmd/cli/help.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace pgsluice {

namespace {

constexpr std::size_t help_width = 100;

std::string title(Commands mask) {
    if (mask == commands_all) return "every command";
    if (mask == commands_group) return "every command that works on a group";
    if (mask == (commands_group | commands_import)) return "every command that works on a group, and import";
    if (mask == commands_connected) return "every command that connects to NATS (of run, in its file)";
    std::string out;
    if ((mask & commands_loop) == commands_loop) {
        out = "replicator and worker";
        mask &= ~commands_loop;
    } else if ((mask & commands_worker) == commands_worker) {
        out = "worker, every sink";
        mask &= ~commands_worker;
    }
    if ((mask & commands_import) == commands_import) {
        out += out.empty() ? "import" : ", import";
        mask &= ~commands_import;
    }
    std::string_view last;
    for (const CommandInfo& command : commands()) {
        if ((mask & command.command) == 0) continue;
        const std::string_view first = command.words.substr(0, command.words.find(' ') + 1);
        const bool again = !first.empty() && first == last;  // "worker file, webhook"
        last = first;
        if (!out.empty()) out += ", ";
        out += again ? command.words.substr(first.size()) : command.words;
    }
    return out;
}

std::string without_backquotes(std::string_view text) {
    std::string out(text);
    std::erase(out, '`');
    return out;
}

std::string spelled(const Flag& flag) {
    return flag.value.empty() ? fmt::format("--{}", flag.name) : fmt::format("--{} {}", flag.name, flag.value);
}

std::string wrapped(const std::string& text, std::size_t indent) {
    std::string out;
    std::size_t column = indent;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find(' ', begin), text.size());
        if (column + (end - begin) > help_width) {
            out += "\n" + std::string(indent, ' ');
            column = indent;
        }
        if (column > indent) {
            out += ' ';
            ++column;
        }
        out += text.substr(begin, end - begin);
        column += end - begin;
        begin = end + 1;
    }
    return out;
}

std::string flag_help(const Flag& flag, bool required) {
    std::string text = without_backquotes(flag.help);
    if (required) text += " Required.";
    if (!flag.fallback.empty()) text += fmt::format(" (default: {})", flag.fallback);
    constexpr std::size_t indent = 34;
    std::string head = fmt::format("  {:<{}}", spelled(flag), indent - 2);
    if (head.size() > indent) head = fmt::format("  {}\n{}", spelled(flag), std::string(indent, ' '));
    return head + wrapped(text, indent) + "\n";
}

std::string table_row(const Flag& flag, Commands mask) {
    std::string help(flag.help);
    if ((flag.required & mask) == mask) help += " **Required.**";
    const std::string fallback = flag.fallback.empty() ? "" : fmt::format("`{}`", flag.fallback);
    return fmt::format("| `{}` | {} | {} |\n", spelled(flag), fallback, help);
}

}  // namespace

std::vector<FlagSection> flag_sections() {
    std::vector<FlagSection> out;
    for (const Flag& flag : flags()) {
        FlagSection* home = nullptr;
        for (FlagSection& section : out) {
            if (section.commands == flag.commands) home = &section;
        }
        if (home == nullptr) home = &out.emplace_back(FlagSection{flag.commands, title(flag.commands), {}});
        home->flags.push_back(&flag);
    }
    return out;
}

std::string overview() {
    std::string out =
        "pgsluice moves data out of PostgreSQL through NATS JetStream.\n\nUsage: pgsluice <command> "
        "[flags]\n\nCommands:\n";
    for (const CommandInfo& command : commands()) {
        if (!command.hidden) out += fmt::format("  {:<18}{}\n", command.words, command.about);
    }
    return out +
           "\n'pgsluice <command> --help' lists the command's flags. Each flag can also be given as environment "
           "variable\n"
           "(--nats-url is PGSLUICE_NATS_URL) or in a YAML file (--config). Exit codes: 0 done or asked to stop, 1 "
           "someone\n"
           "has to act, 2 wrong flags or configuration, 3 a bug in pgsluice, 4 a server did not answer at start.\n";
}

std::string command_help(const CommandInfo& command) {
    std::string out = fmt::format("Usage: pgsluice {} [flags]\n\n{}\n\nFlags:\n", command.words, command.about);
    for (const Flag& flag : flags()) {
        if (applies(flag, command.command)) out += flag_help(flag, (flag.required & command.command) != 0);
    }
    return out;
}

std::string markdown_tables() {
    std::string out;
    for (const FlagSection& section : flag_sections()) {
        out += fmt::format("#### {}\n\n| flag | default | meaning |\n| --- | --- | --- |\n", section.title);
        for (const Flag* flag : section.flags) out += table_row(*flag, section.commands);
        out += "\n";
    }
    return out;
}

}  // namespace pgsluice
