#include "cmd/reference/manual_page.h"

#include <fmt/format.h>

#include "cmd/cli/help.h"

namespace pgsluice {

namespace {

constexpr const char* version_date = "2026-11-26";  // changes with the version
constexpr std::size_t line_width = 79;

// As roff prints it letter by letter, `code` in bold. A dash is always a minus, so that flags can be copied.
std::string roff(std::string_view text) {
    std::string out;
    bool bold = false;
    for (const char c : text) {
        switch (c) {
            case '\\':
                out += "\\e";
                break;
            case '-':
                out += "\\-";
                break;
            case '\'':
                out += "\\(aq";
                break;
            case '^':
                out += "\\(ha";
                break;
            case '~':
                out += "\\(ti";
                break;
            case '`':
                bold = !bold;
                out += bold ? "\\fB" : "\\fR";
                break;
            default:
                out += c;
        }
    }
    return out;
}

bool ends_sentence(std::string_view word) { return word.size() > 1 && (word.back() == '.' || word.back() == ';'); }

// A line for each sentence, which is how roff knows where one ends, and none too long to be edited.
std::string paragraph(std::string_view text) {
    const std::string source = roff(text);
    std::string out;
    std::string line;
    const auto flush = [&] {
        if (line.starts_with('.')) out += "\\&";
        if (!line.empty()) out += line + "\n";
        line.clear();
    };
    for (std::size_t begin = 0; begin < source.size();) {
        const std::size_t end = std::min(source.find(' ', begin), source.size());
        const std::string word = source.substr(begin, end - begin);
        if (!line.empty() && line.size() + 1 + word.size() > line_width) flush();
        line += (line.empty() ? "" : " ") + word;
        if (ends_sentence(word)) flush();
        begin = end + 1;
    }
    flush();
    return out;
}

std::string entry(std::string_view head, std::string_view text) {
    return fmt::format(".TP\n{}\n{}", head, paragraph(text));
}

std::string section(std::string_view name, const std::string& text) { return fmt::format(".SH {}\n{}", name, text); }

std::string command_entries() {
    std::string out;
    for (const CommandInfo& command : commands()) {
        if (!command.hidden) out += entry("\\fB" + roff(command.words) + "\\fR", command.about);
    }
    return out;
}

std::string flag_entry(const Flag& flag, Commands commands) {
    std::string head = fmt::format("\\fB\\-\\-{}\\fR", roff(flag.name));
    if (!flag.value.empty()) head += fmt::format(" \\fI{}\\fR", roff(flag.value));
    std::string text(flag.help);
    if ((flag.required & commands) == commands) text += " Required.";
    if (!flag.fallback.empty()) text += fmt::format(" Default: `{}`.", flag.fallback);
    return entry(head, text);
}

std::string flag_entries() {
    std::string out = paragraph(
        "A flag may be anywhere on the line. Booleans are given bare, as `--copy true` or as `--copy=true`; lists "
        "with commas or by repeating the flag; of another flag that is repeated the last one counts. Durations: "
        "`500ms`, `8s`, `5m`, `1h30m`, `2d`. Sizes: `65536`, `64MB`, `1GiB`, where MB and MiB both are 2^20 bytes.");
    for (const FlagSection& section : flag_sections()) {
        out += fmt::format(".SS {}\n", roff(section.title));
        for (const Flag* flag : section.flags) out += flag_entry(*flag, section.commands);
    }
    return out;
}

std::string exit_codes() {
    return entry("0", "Done, or asked to stop.") +
           entry("1", "Someone has to act first; the message says what happened, the HINT what to do.") +
           entry("2", "A flag, an environment variable or a file is wrong; nothing was touched.") +
           entry("3", "A bug in pgsluice.") +
           entry("4", "A server did not answer at start, `--retry-max-attempts` times; the same may succeed later.") +
           ".PP\n" + paragraph("`pgsluice status` ends with 0, 1 or 2 by the group's health.");
}

std::string environment() {
    return paragraph(
        "Each flag can be given as a variable: `PGSLUICE_` and its name in upper case, `PGSLUICE_NATS_URL` for "
        "`--nats-url`. A flag wins over the variable, the variable over the configuration file. What is left open of "
        "a connection to PostgreSQL comes from libpq: `PGPASSWORD`, `PGSSLMODE`, service files and so on.");
}

std::string files() {
    return entry("\\fI\\(ti/.pgsluice.yaml\\fR",
                 "The configuration file, flag names and values as YAML, unless `--config` names another.") +
           entry("\\fI/etc/pgsluice/NAME.yaml\\fR",
                 "That of the systemd units `pgsluice-replicator@NAME` and `pgsluice-worker@NAME`.");
}

std::string examples() {
    return ".nf\n" +
           roff(
               "pgsluice replicator --group shop --source-url postgres://cdc@source/shop --copy-and-stream\n"
               "pgsluice worker postgres --group shop --target-url postgres://writer@target/shop\n"
               "pgsluice status --group shop\n") +
           ".fi\n";
}

}  // namespace

std::string manual_page() {
    return fmt::format(".\\\" Written by 'pgsluice man'.\n.TH PGSLUICE 1 \"{}\" \"pgsluice {}\" \"User Commands\"\n",
                       version_date, PGSLUICE_VERSION) +
           section("NAME", "pgsluice \\- move data out of PostgreSQL through NATS JetStream\n") +
           section("SYNOPSIS", "\\fBpgsluice\\fR \\fIcommand\\fR [\\fIflags\\fR]\n") +
           section("DESCRIPTION",
                   paragraph("A replicator copies a source database's tables and follows their changes into a "
                             "JetStream stream; workers read the stream, each into its own sink. The group's name "
                             "ties them together. `pgsluice COMMAND --help` lists a command's flags.")) +
           section("COMMANDS", command_entries()) + section("FLAGS", flag_entries()) +
           section("EXIT STATUS", exit_codes()) + section("ENVIRONMENT", environment()) + section("FILES", files()) +
           section("EXAMPLES", examples());
}

}  // namespace pgsluice
