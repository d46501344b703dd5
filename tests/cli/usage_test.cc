// The real binary's words and exit codes for what it is told wrongly, and for help.
#include <doctest/doctest.h>

#include <fstream>

#include "tests/support/process.h"

using namespace pgsluice::test;

namespace {

Finished run_pgsluice(std::vector<std::string> words, std::map<std::string, std::string> environment = {}) {
    words.insert(words.begin(), PGSLUICE_BINARY);
    environment.emplace("HOME", "/nonexistent");
    return run(std::move(words), std::move(environment));
}

// Usage errors: exit code 2, exactly this on stderr, nothing on stdout.
void check_usage(const Finished& finished, const std::string& text) {
    CHECK(finished.code == 2);
    CHECK(finished.err == text);
    CHECK(finished.out.empty());
}

}  // namespace

TEST_CASE("an unknown flag or command") {
    check_usage(run_pgsluice({"replicator", "--tabels", "a"}),
                "error: unknown flag '--tabels'\nHINT: Did you mean '--tables'?\n");
    check_usage(run_pgsluice({"replicater"}),
                "error: unknown command 'replicater'\nHINT: Did you mean 'replicator'?\n");
}

TEST_CASE("a bad value") {
    check_usage(run_pgsluice({"worker", "stdout", "--group", "g", "--batch-size", "0"}),
                "error: bad value '0' of --batch-size: expected a whole number from 1 to 1000000\n");
    check_usage(run_pgsluice({"worker", "stdout", "--group", "g"}, {{"PGSLUICE_BATCH_SIZE", "x"}}),
                "error: bad value 'x' of PGSLUICE_BATCH_SIZE: expected a whole number from 1 to 1000000\n");
}

TEST_CASE("what an error quotes begins no line of its own, and moves no cursor") {
    check_usage(run_pgsluice({"worker", "stdout", "--group", "g", "--batch-size", "1\nHINT: \x1b[2Jx"}),
                "error: bad value '1\\nHINT: \\u001b[2Jx' of --batch-size: expected a whole number from 1 to "
                "1000000\n");
}

TEST_CASE("a configuration file's mistakes, with file and line") {
    const std::string home = temporary_directory("cli");
    const std::string path = home + "/.pgsluice.yaml";
    std::ofstream(path) << "group: g\nbatch_size: 10\ntabels: a\n";
    const std::string text = "error: " + path + ":3: unknown key 'tabels'\nHINT: Did you mean 'tables'?\n";
    check_usage(run_pgsluice({"worker", "stdout"}, {{"HOME", home}}), text);
    check_usage(run_pgsluice({"worker", "--config", path, "stdout"}), text);
}

TEST_CASE("two modes at once") {
    check_usage(run_pgsluice({"replicator", "--group", "g", "--host", "h", "--copy", "--copy-and-stream"}),
                "error: --copy and --copy-and-stream contradict each other\n"
                "HINT: Give at most one of --stream, --copy and --copy-and-stream.\n");
}

TEST_CASE("a name that would not do for a slot or a subject") {
    for (const char* group : {"a.b", "A b", "", "x*", "12345678901234567890123456789012345678901"}) {
        INFO(group);
        const Finished finished = run_pgsluice({"worker", "stdout", "--group", group});
        CHECK(finished.code == 2);
        CHECK(finished.err.rfind("error: ", 0) == 0);
    }
    CHECK(run_pgsluice({"worker", "stdout", "--group", "g", "--worker-name", "a.b"}).code == 2);
}

TEST_CASE("a password is not repeated in an error") {
    const Finished finished = run_pgsluice({"replicator", "--group", "g", "--source-url", "postgres://u:s3cret@h/d",
                                            "--password", "s3cret", "--port", "nope"});
    CHECK(finished.code == 2);
    CHECK(finished.err.find("s3cret") == std::string::npos);
}

TEST_CASE("version and help") {
    const Finished version = run_pgsluice({"version"});
    CHECK(version.code == 0);
    CHECK(version.out.rfind("pgsluice ", 0) == 0);
    CHECK(version.err.empty());
    CHECK(run_pgsluice({"--version"}).out == version.out);
    CHECK(run_pgsluice({"--help"}).out.find("worker postgres") != std::string::npos);
    const Finished help = run_pgsluice({"worker", "postgres", "--help"});
    CHECK(help.code == 0);
    CHECK(help.out.find("--target-sync-schema") != std::string::npos);
}

TEST_CASE("rules files are checked without a source, too") {
    const std::string rules = temporary_directory("cli") + "/rules.yaml";
    std::ofstream(rules) << "tables:\n  users:\n    - {type: exclude_column, colum: ssn}\n";
    const Finished finished = run_pgsluice({"check", "rules", "--rules-config", rules});
    CHECK(finished.code == 2);
    CHECK(finished.err.find(rules + ":3") != std::string::npos);
    std::ofstream(rules) << "tables:\n  users:\n    - {type: exclude_column, column: ssn}\n";
    CHECK(run_pgsluice({"check", "rules", "--rules-config", rules}).code == 0);
}
