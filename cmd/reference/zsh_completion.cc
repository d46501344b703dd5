#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cmd/reference/completed_flag.h"
#include "cmd/reference/completion.h"
#include "stream/process/shell.h"

namespace pgsluice {

namespace {

constexpr std::string_view zsh_head =
    "#compdef pgsluice\n# Completion of pgsluice's command line in zsh, written by 'pgsluice completion zsh'.\n";

constexpr std::string_view find_command = R"zsh(
    local word command='' flag=''
    integer i
    for ((i = 2; i < CURRENT; i++)); do
        word=${(Q)words[i]}
        if [[ -n $flag ]]; then
            flag=''
        elif [[ $word == --* ]]; then
            [[ $word == *=* || -n ${bare[(re)$word]} ]] || flag=$word
        elif [[ -n ${beginnings[(re)${command:+$command }$word]} ]]; then
            command=${command:+$command }$word
        fi
    done
)zsh";

constexpr std::string_view zsh_tail = R"zsh(
    local curcontext=$curcontext state line
    local -a specs
    for word in $names; do
        specs+=($spec[$word])
    done
    _arguments $specs '*: :->next' && return 0
    [[ $state == next && -n $next ]] && _describe -t commands command next
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _pgsluice "$@"
else
    compdef _pgsluice pgsluice
fi
)zsh";

std::string escaped(std::string_view text, std::string_view special) {
    std::string out;
    for (const char c : text) {
        if (c == '\\' || special.find(c) != std::string_view::npos) out += '\\';
        out += c;
    }
    return out;
}

std::string action(const CompletedFlag& known) {
    switch (known.takes) {
        case Takes::nothing:
        case Takes::anything:
            return "";
        case Takes::file:
            return "_files";
        case Takes::directory:
            return "_files -/";
        case Takes::words:
            return fmt::format("({})", fmt::join(known.words, " "));
    }
    return "";
}

// As _arguments takes it: '--flag=[what it does]:VALUE:(its values)'.
std::string spec(const CompletedFlag& known) {
    const Flag& flag = *known.flag;
    const bool many = flag.kind == FlagKind::list || flag.kind == FlagKind::repeated;
    const std::string about = escaped(known.summary, "[]");
    if (known.takes == Takes::nothing) return fmt::format("--{}[{}]", flag.name, about);
    return fmt::format("{}--{}=[{}]:{}:{}", many ? "*" : "", flag.name, about, escaped(flag.value, ":"), action(known));
}

std::string tables() {
    std::string bare = "--help --version";
    std::string specs = "        help '(- *)--help[Show help]' version '(- *)--version[Show the version]'\n";
    for (const CompletedFlag& known : completed_flags()) {
        if (known.takes == Takes::nothing) bare += fmt::format(" --{}", known.flag->name);
        specs += fmt::format("        {} {}\n", known.flag->name, shell_quoted(spec(known)));
    }
    std::string known_beginnings;
    for (const std::string& beginning : beginnings()) known_beginnings += " " + shell_quoted(beginning);
    return fmt::format("    local -a bare=({})\n    local -a beginnings=({})\n    local -A spec=(\n{}    )\n", bare,
                       known_beginnings.substr(1), specs);
}

std::string next_words(std::string_view beginning) {
    std::string out;
    for (const NextWord& next : words_after(beginning))
        out += " " + shell_quoted(fmt::format("{}:{}", next.word, escaped(next.about, ":")));
    return out.empty() ? "" : fmt::format("        {}) next=({}) ;;\n", shell_quoted(beginning), out.substr(1));
}

std::string flag_names(const CommandInfo& command) {
    std::string out = "help";
    for (const Flag& flag : flags()) {
        if (takes(command, flag)) out += fmt::format(" {}", flag.name);
    }
    return fmt::format("        {}) names=({}) ;;\n", shell_quoted(command.words), out);
}

std::string branches() {
    std::string out = "    local -a next names\n    case $command in\n" + next_words("");
    for (const std::string& beginning : beginnings()) out += next_words(beginning);
    out += "    esac\n    case $command in\n        '') names=(help version) ;;\n";
    for (const CommandInfo* command : shown_commands()) out += flag_names(*command);
    return out + "    esac\n";
}

}  // namespace

std::string zsh_completion() {
    return fmt::format("{}\n_pgsluice() {{\n{}{}{}{}", zsh_head, tables(), find_command, branches(), zsh_tail);
}

}  // namespace pgsluice
