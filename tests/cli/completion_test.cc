// What a person's shell makes of the TAB key. `|` in a line is that key.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/support/process.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

std::string script_for(const std::string& shell) {
    const std::string path = temporary_directory("completion") + "/pgsluice." + shell;
    const Finished printed = run({PGSLUICE_BINARY, "completion", shell});
    REQUIRE(printed.code == 0);
    std::ofstream(path) << printed.out;
    return path;
}

// The words that bash gives to pgsluice after its line was typed, each in angle brackets. An interactive bash reads
// keys also from what is not a terminal.
std::string typed_in_bash(std::string line, const std::string& more = "") {
    static const std::string script = script_for("bash");
    const std::string directory = temporary_directory("bash");
    const std::string rc = directory + "/rc";
    std::ofstream(rc) << ". " << script << "\npgsluice() { printf '<%s>' \"$@\"; }\n" << more << "\n";
    std::ranges::replace(line, '|', '\t');
    std::ofstream(directory + "/keys") << line << "\nexit\n";
    const Finished finished =
        run({"bash", "-c", "exec bash --noprofile --rcfile " + rc + " -i <" + directory + "/keys"});
    const std::size_t end = finished.out.find('\n');
    return finished.out.substr(0, end);
}

// The same of zsh, which needs a terminal: its own module makes one.
constexpr const char* zsh_terminal = R"zsh(
zmodload zsh/zpty
zpty -b shell zsh -f -i
zpty -w shell "PS1= RPS1=; autoload -U compinit; compinit -u -D; source $1; pgsluice() { print -r -- \"ARGS:<\${(j:><:)@}>\"; }; print READY"
zpty -r -m shell out $'*READY\r\n*'
zpty -w shell "$2"
zpty -r -m shell out $'*ARGS:*\r*'
print -r -- ${${out##*ARGS:}%%$'\r'*}
zpty -d shell
)zsh";

std::string typed_in_zsh(std::string line) {
    static const std::string script = script_for("zsh");
    const std::string terminal = temporary_directory("zsh") + "/terminal";
    std::ofstream(terminal) << zsh_terminal;
    std::ranges::replace(line, '|', '\t');
    const Finished finished = run({"zsh", "-f", terminal, script, line});
    return finished.out.substr(0, finished.out.find('\n'));
}

// What fish offers for a line, one `word<TAB>description` each.
std::string offered_by_fish(const std::string& line) {
    static const std::string script = script_for("fish");
    const Finished finished = run({"fish", "--no-config", "-c", "source " + script + "; complete -C '" + line + "'"});
    CHECK(finished.err == "");
    return finished.out;
}

bool offers(const std::string& line, const std::string& word) {
    return contains("\n" + offered_by_fish(line), "\n" + word + "\t") ||
           contains("\n" + offered_by_fish(line), "\n" + word + "\n");
}

}  // namespace

TEST_CASE("bash completes commands of one word and of two") {
    CHECK(typed_in_bash("pgsluice repl|") == "<replicator>");
    CHECK(typed_in_bash("pgsluice wor|postg|") == "<worker><postgres>");
    CHECK(typed_in_bash("pgsluice check ru|") == "<check><rules>");
    CHECK(typed_in_bash("pgsluice help-ma|") == "<help-ma>");
}

TEST_CASE("bash finds the command among flags and their values") {
    CHECK(typed_in_bash("pgsluice --group replicator --nats-url nats://h:4222 wor|fi|--file-output-d|") ==
          "<--group><replicator><--nats-url><nats://h:4222><worker><file><--file-output-dir>");
    CHECK(typed_in_bash("pgsluice --nats-url=nats://h:4222 sta|--wat|") ==
          "<--nats-url=nats://h:4222><status><--watch>");
    CHECK(typed_in_bash("pgsluice status --json --al|") == "<status><--json><--all>");
}

TEST_CASE("bash offers no flag of another command") {
    CHECK(typed_in_bash("pgsluice worker file --target-ho|") == "<worker><file><--target-ho>");
    CHECK(typed_in_bash("pgsluice worker postgres --target-ho|") == "<worker><postgres><--target-host>");
}

TEST_CASE("bash offers what a command takes that has the flags of others") {
    CHECK(typed_in_bash("pgsluice config --target-ho|") == "<config><--target-host>");
    CHECK(typed_in_bash("pgsluice check --target-ho|") == "<check><--target-host>");
}

TEST_CASE("bash completes values: words, files and directories, in both spellings") {
    CHECK(typed_in_bash("pgsluice status --log-level de|") == "<status><--log-level><debug>");
    CHECK(typed_in_bash("pgsluice status --log-format=js|") == "<status><--log-format=json>");
    const std::string directory = temporary_directory("values");
    std::ofstream(directory + "/settings one.yaml") << "group: g\n";
    std::filesystem::create_directory(directory + "/settled");
    CHECK(typed_in_bash("pgsluice status --config " + directory + "/settin|") ==
          "<status><--config><" + directory + "/settings one.yaml>");
    CHECK(typed_in_bash("pgsluice status --config=" + directory + "/settin|") ==
          "<status><--config=" + directory + "/settings one.yaml>");
    CHECK(typed_in_bash("pgsluice worker file --file-output-dir " + directory + "/set|") ==
          "<worker><file><--file-output-dir><" + directory + "/settled/>");
    CHECK(typed_in_bash("pgsluice status --group de|") == "<status><--group><de>");
}

TEST_CASE("bash completes also where ':' and '=' do not end a word") {
    const std::string whole = "COMP_WORDBREAKS=${COMP_WORDBREAKS//[:=]/}";
    CHECK(typed_in_bash("pgsluice --nats-url=nats://h:1 status --log-format=js|", whole) ==
          "<--nats-url=nats://h:1><status><--log-format=json>");
}

TEST_CASE("zsh completes commands, flags and values") {
    CHECK(typed_in_zsh("pgsluice repl|") == "<replicator>");
    CHECK(typed_in_zsh("pgsluice --group worker wor|fi|--file-ou|") ==
          "<--group><worker><worker><file><--file-output-dir>");
    CHECK(typed_in_zsh("pgsluice --nats-url nats://h:4 status --log-level de|") ==
          "<--nats-url><nats://h:4><status><--log-level><debug>");
    CHECK(typed_in_zsh("pgsluice worker file --target-ho|") == "<worker><file><--target-ho>");
    CHECK(typed_in_zsh("pgsluice check ru|--samp|") == "<check><rules><--sample>");
    const std::string directory = temporary_directory("values");
    std::ofstream(directory + "/settings.yaml") << "group: g\n";
    CHECK(typed_in_zsh("pgsluice status --config=" + directory + "/sett|") ==
          "<status><--config=" + directory + "/settings.yaml>");
}

TEST_CASE("zsh finds the script among its functions") {
    const std::string directory = std::filesystem::path(script_for("zsh")).parent_path();
    std::filesystem::rename(directory + "/pgsluice.zsh", directory + "/_pgsluice");
    const std::string ask =
        "fpath=(" + directory + " $fpath); autoload -U compinit; compinit -u -D; print $_comps[pgsluice]";
    CHECK(run({"zsh", "-f", "-c", ask}).out == "_pgsluice\n");
}

TEST_CASE("fish completes commands, flags and values") {
    CHECK(offers("pgsluice repl", "replicator"));
    CHECK(offers("pgsluice --group worker worker p", "postgres"));
    CHECK(offers("pgsluice worker file --file-o", "--file-output-dir"));
    CHECK(offers("pgsluice status --json --al", "--all"));
    CHECK(offers("pgsluice status --log-level d", "debug"));
    CHECK_FALSE(offers("pgsluice worker file --target-ho", "--target-host"));
    CHECK(offers("pgsluice worker postgres --target-ho", "--target-host"));
}
