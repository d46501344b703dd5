#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cmd/reference/completed_flag.h"
#include "cmd/reference/completion.h"

namespace pgsluice {

namespace {

constexpr std::string_view script_head =
    R"sh(# Completion of pgsluice's command line in bash, written by 'pgsluice completion bash'.
)sh";

constexpr std::string_view script_tail = R"sh(
_pgsluice() {
    local line=${COMP_LINE:0:COMP_POINT} blanks word command='' flag='' start='' breaks i n=-1
    local -a words=()
    # bash cuts words at ':' and '=', too; here they are whole, up to the cursor.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        blanks=${line%%[![:space:]]*}
        line=${line#"$blanks"}
        [[ -n $blanks || $i == 0 ]] && words[++n]=''
        word=${COMP_WORDS[i]}
        [[ $i == "$COMP_CWORD" ]] && word=$line
        words[n]+=$word
        line=${line#"$word"}
    done
    local current=${words[n]}
    for ((i = 1; i < n; i++)); do
        word=${words[i]}
        if [[ -n $flag ]]; then
            flag=''
        elif [[ $word == --* ]]; then
            [[ $word == *=* || $(_pgsluice_value "$word") == nothing ]] || flag=$word
        elif [[ -n $(_pgsluice_words "$command${command:+ }$word")$(_pgsluice_flags "$command${command:+ }$word") ]]; then
            command+=${command:+ }$word
        fi
    done
    local typed=$current offered
    if [[ -z $flag && $current == --*=* ]]; then
        flag=${current%%=*}
        typed=${current#*=}
    fi
    if [[ -n $flag ]]; then
        offered=$(_pgsluice_value "$flag")
    elif [[ $current == -* ]]; then
        offered="words $(_pgsluice_flags "$command")"
    else
        offered="words $(_pgsluice_words "$command")"
    fi
    # What is put in the place of the word begins after the last of these.
    breaks=${COMP_WORDBREAKS//[^:=]/}
    [[ -n $breaks ]] && start=${current%"${current##*[$breaks]}"}
    local before=${current:0:${#current}-${#typed}}
    COMPREPLY=()
    while IFS= read -r word; do
        word=$before$word
        COMPREPLY+=("${word#"$start"}")
    done < <(
        case $offered in
            words*) compgen -W "${offered#words }" -- "$typed" ;;
            file) compgen -f -- "$typed" ;;
            directory) compgen -d -- "$typed" ;;
        esac
    )
    [[ $offered == file || $offered == directory ]] && compopt -o filenames 2>/dev/null
    return 0
}

complete -F _pgsluice pgsluice
)sh";

std::string words_function() {
    std::string out = "\n# What may follow these words of a command.\n_pgsluice_words() {\n    case $1 in\n";
    const auto branch = [&](std::string_view beginning) {
        std::string words;
        for (const NextWord& next : words_after(beginning)) words += (words.empty() ? "" : " ") + next.word;
        if (!words.empty()) out += fmt::format("        '{}') echo '{}' ;;\n", beginning, words);
    };
    branch("");
    for (const std::string& beginning : beginnings()) branch(beginning);
    return out + "    esac\n}\n";
}

std::string flags_function() {
    std::string out =
        "\n# The flags of a command.\n_pgsluice_flags() {\n    case $1 in\n        '') echo '--help --version' ;;\n";
    for (const CommandInfo* command : shown_commands()) {
        std::string names = "--help";
        for (const Flag& flag : flags()) {
            if (takes(*command, flag)) names += fmt::format(" --{}", flag.name);
        }
        out += fmt::format("        '{}') echo '{}' ;;\n", command->words, names);
    }
    return out + "    esac\n}\n";
}

std::string value_function() {
    std::string out = "\n# What a flag takes.\n_pgsluice_value() {\n    case $1 in\n";
    std::string bare = "--help|--version";
    std::string files;
    std::string directories;
    for (const CompletedFlag& known : completed_flags()) {
        std::string* names = known.takes == Takes::nothing     ? &bare
                             : known.takes == Takes::file      ? &files
                             : known.takes == Takes::directory ? &directories
                                                               : nullptr;
        if (names != nullptr) *names += fmt::format("{}--{}", names->empty() ? "" : "|", known.flag->name);
        if (known.takes == Takes::words)
            out += fmt::format("        --{}) echo 'words {}' ;;\n", known.flag->name, fmt::join(known.words, " "));
    }
    out += fmt::format("        {}) echo nothing ;;\n        {}) echo file ;;\n        {}) echo directory ;;\n", bare,
                       files, directories);
    return out + "        *) echo anything ;;\n    esac\n}\n";
}

}  // namespace

std::string bash_completion() {
    return std::string(script_head) + words_function() + flags_function() + value_function() + std::string(script_tail);
}

}  // namespace pgsluice
