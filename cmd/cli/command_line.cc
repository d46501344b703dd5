#include "cmd/cli/command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cmd/cli/suggest.h"
#include "cmd/cli/value.h"
#include "sql/error.h"

namespace pgsluice {

namespace {

bool is_boolean_word(const std::string& word) {
    try {
        parse_boolean(word);
        return true;
    } catch (const BadValue&) {
        return false;
    }
}

// "--copy true" -> "--copy=true": a bare boolean takes the next word only if that is one, so that the sink's name may
// follow it.
std::vector<std::string> join_booleans(const std::vector<std::string>& arguments) {
    std::vector<std::string> out;
    for (const std::string& argument : arguments) {
        const std::string before = out.empty() ? "" : out.back();
        const Flag* flag = before.rfind("--", 0) == 0 ? find_flag(before.substr(2)) : nullptr;
        if (flag != nullptr && flag->kind == FlagKind::boolean && is_boolean_word(argument)) {
            out.back() += "=" + argument;
        } else {
            out.push_back(argument);
        }
    }
    return out;
}

CLI::Option* add_flag(CLI::App& app, const Flag& flag) {
    const std::string name = fmt::format("--{}", flag.name);
    if (flag.kind == FlagKind::boolean) {
        return app.add_flag(name)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
    // One value each time the flag is given.
    return app.add_option(name, CLI::callback_t([](const CLI::results_t&) { return true; }))
        ->type_size(1)
        ->expected(1, CLI::detail::expected_max_vector_size)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

std::vector<std::string> flag_names() {
    std::vector<std::string> names{"--help", "--version"};
    for (const Flag& flag : flags()) names.push_back(fmt::format("--{}", flag.name));
    return names;
}

[[noreturn]] void refuse_unknown_flag(const std::string& argument) {
    const std::string name = argument.substr(0, argument.find('='));
    throw usage_error(fmt::format("unknown flag '{}'", name), did_you_mean(name, flag_names()));
}

// A list's values are split; of other flags the last one counts.
Given given_on_command_line(const Flag& flag, std::vector<std::string> results) {
    Given given{&flag, Level::command_line, fmt::format("--{}", flag.name), {}};
    if (flag.kind == FlagKind::repeated) {
        given.values = std::move(results);
    } else if (flag.kind == FlagKind::list) {
        for (const std::string& result : results) {
            for (std::string& item : split_list(result)) given.values.push_back(std::move(item));
        }
    } else {
        given.values = {results.back()};
    }
    return given;
}

}  // namespace

CommandLine read_command_line(std::vector<std::string> arguments) {
    CommandLine line;
    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    app.add_flag("-h,--help", line.help);
    app.add_flag("--version", line.version);
    app.add_option("words", line.words);
    std::vector<std::pair<const Flag*, CLI::Option*>> options;
    for (const Flag& flag : flags()) options.emplace_back(&flag, add_flag(app, flag));

    arguments = join_booleans(arguments);
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants it
    try {
        app.parse(arguments);
    } catch (const CLI::ArgumentMismatch& error) {
        const std::string text = error.what();
        throw usage_error(fmt::format("{} needs a value", text.substr(0, text.find(':'))));
    } catch (const CLI::ParseError& error) {
        throw usage_error(fmt::format("unable to read the command line: {}", error.what()));
    }
    if (!app.remaining().empty()) refuse_unknown_flag(app.remaining().front());
    for (const auto& [flag, option] : options) {
        if (option->count() == 0) continue;
        try {
            line.given.add(given_on_command_line(*flag, option->results()));
        } catch (const BadValue& bad) {
            throw usage_error(fmt::format("bad value of --{}: {}", flag->name, bad.what()));
        }
    }
    return line;
}

const CommandInfo& find_command(const std::vector<std::string>& words) {
    const std::string wanted = fmt::format("{}", fmt::join(words, " "));
    std::vector<std::string> known;
    for (const CommandInfo& command : commands()) {
        if (command.words == wanted) return command;
        if (!command.hidden) known.emplace_back(command.words);
    }
    if (words.empty()) {
        throw usage_error("no command given",
                          fmt::format("Give one of: {}. More: pgsluice --help.", fmt::join(known, ", ")));
    }
    for (const CommandInfo& command : commands()) {
        const std::string start = std::string(command.words) + " ";
        if (wanted.rfind(start, 0) == 0) {
            throw usage_error(
                fmt::format("unexpected argument '{}' after '{}'", wanted.substr(start.size()), command.words));
        }
    }
    std::vector<std::string> longer;
    for (const std::string& command : known) {
        if (command.rfind(wanted + " ", 0) == 0) longer.push_back(command);
    }
    if (!longer.empty()) {
        throw usage_error(fmt::format("'{}' alone is not a command", wanted),
                          fmt::format("Give one of: {}.", fmt::join(longer, ", ")));
    }
    std::string hint = did_you_mean(wanted, known);
    if (hint.empty()) hint = fmt::format("Give one of: {}.", fmt::join(known, ", "));
    throw usage_error(fmt::format("unknown command '{}'", wanted), hint);
}

}  // namespace pgsluice
