#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cmd/reference/completed_flag.h"
#include "cmd/reference/completion.h"

namespace pgsluice {

namespace {

std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) out += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    return out + "'";
}

template <typename Names>
std::string all_quoted(const Names& names) {
    std::string out;
    for (const auto& name : names) out += (out.empty() ? "" : " ") + quoted(name);
    return out;
}

// The command's words before the cursor: values of flags are not among them.
constexpr std::string_view functions = R"fish(
function __pgsluice_command
    set -l command ''
    set -l flag ''
    for word in (commandline -opc)[2..-1]
        set -l longer (string trim -- "$command $word")
        if test -n "$flag"
            set flag ''
        else if string match -q -- '--*' $word
            string match -q -- '*=*' $word
            or contains -- $word $__pgsluice_bare
            or set flag $word
        else if contains -- $longer $__pgsluice_beginnings
            set command $longer
        end
    end
    echo $command
end

function __pgsluice_is
    contains -- (__pgsluice_command) $argv
end

complete -c pgsluice -f
complete -c pgsluice -l help -s h -d 'Show help'
complete -c pgsluice -n "__pgsluice_is ''" -l version -d 'Show the version'
)fish";

std::string variables() {
    std::vector<std::string> bare{"--help", "--version"};
    for (const Flag& flag : flags()) {
        if (flag.kind == FlagKind::boolean) bare.push_back(fmt::format("--{}", flag.name));
    }
    return fmt::format("set -g __pgsluice_bare {}\nset -g __pgsluice_beginnings {}\n", fmt::join(bare, " "),
                       all_quoted(beginnings()));
}

std::string commands_after(std::string_view beginning) {
    std::string out;
    for (const NextWord& next : words_after(beginning))
        out += fmt::format("complete -c pgsluice -n \"__pgsluice_is '{}'\" -a {} -d {}\n", beginning, next.word,
                           quoted(next.about));
    return out;
}

std::string value(const CompletedFlag& known) {
    switch (known.takes) {
        case Takes::nothing:
            return "";
        case Takes::file:
            return " -r -F";
        case Takes::directory:
            return " -x -a '(__fish_complete_directories)'";
        case Takes::words:
            return fmt::format(" -x -a '{}'", fmt::join(known.words, " "));
        case Takes::anything:
            return " -x";
    }
    return "";
}

std::string flag_line(const CompletedFlag& known) {
    std::vector<std::string_view> where;
    for (const CommandInfo* command : shown_commands()) {
        if (takes(*command, *known.flag)) where.push_back(command->words);
    }
    return fmt::format("complete -c pgsluice -n \"__pgsluice_is {}\" -l {}{} -d {}\n", all_quoted(where),
                       known.flag->name, value(known), quoted(known.summary));
}

}  // namespace

std::string fish_completion() {
    std::string out =
        "# Completion of pgsluice's command line in fish, written by 'pgsluice completion fish'.\n" + variables();
    out += functions;
    out += commands_after("");
    for (const std::string& beginning : beginnings()) out += commands_after(beginning);
    for (const CompletedFlag& known : completed_flags()) out += flag_line(known);
    return out;
}

}  // namespace pgsluice
