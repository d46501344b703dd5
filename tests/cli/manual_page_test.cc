// `pgsluice man`, as a formatter of manual pages sees it.
#include <doctest/doctest.h>

#include <fstream>

#include "cmd/cli/flag.h"
#include "tests/support/process.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

std::string page_file() {
    const std::string path = temporary_directory("man") + "/pgsluice.1";
    const Finished printed = run({PGSLUICE_BINARY, "man"});
    REQUIRE(printed.code == 0);
    std::ofstream(path) << printed.out;
    return path;
}

// Terminals are told of bold and underlined letters by "x BACKSPACE x" and "_ BACKSPACE x".
std::string without_overstrikes(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '\b')
            out.pop_back();
        else
            out += c;
    }
    return out;
}

}  // namespace

TEST_CASE("the manual page has no fault that mandoc knows") {
    const Finished linted = run({"mandoc", "-T", "lint", "-W", "warning", page_file()});
    CHECK(linted.out == "");
    CHECK(linted.code == 0);
}

TEST_CASE("the manual page shows each command and each flag") {
    const std::string shown = without_overstrikes(run({"mandoc", "-T", "ascii", "-O", "width=200", page_file()}).out);
    for (const Flag& flag : flags()) {
        const std::string head = "--" + std::string(flag.name) + (flag.value.empty() ? "" : " ");
        CHECK_MESSAGE(contains(shown, "\n       " + head + std::string(flag.value)), flag.name);
    }
    for (const CommandInfo& command : commands()) {
        const bool found = contains(shown, "\n       " + std::string(command.words));
        CHECK_MESSAGE(found != command.hidden, command.words);
    }
}
