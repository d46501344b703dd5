// The table of flags holds together, and cmd/README.md shows it.
#include "cmd/cli/flag.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "cmd/cli/help.h"

using namespace pgsluice;

TEST_CASE("every default in the table is a value its own flag takes") {
    for (const Flag& flag : flags()) {
        Settings s;
        INFO(flag.name);
        if (!flag.fallback.empty()) CHECK_NOTHROW(flag.set(s, flag.fallback));
    }
}

TEST_CASE("each flag has one name, in letters that also make an environment name") {
    for (const Flag& flag : flags()) {
        INFO(flag.name);
        CHECK(find_flag(flag.name) == &flag);
        CHECK(flag.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == std::string_view::npos);
        CHECK(flag.commands != 0);
        CHECK((flag.required & ~flag.commands) == 0);
        CHECK((flag.kind == FlagKind::boolean) == flag.value.empty());
    }
    CHECK(environment_suffix("nats-url") == "NATS_URL");
}

TEST_CASE("passwords, tokens and URLs that may hold one are never shown") {
    for (const Flag& flag : flags()) {
        const bool file = flag.name.ends_with("-file");
        for (const char* word : {"password", "secret", "token", "source-url", "target-url"}) {
            if (file || flag.name.find(word) == std::string_view::npos || flag.name == "nats-target-url") continue;
            INFO(flag.name);
            CHECK(flag.kind == FlagKind::secret);
        }
    }
}

TEST_CASE("a command's help names its flags and no others") {
    const std::string help = command_help(info(command_worker_file));
    CHECK(help.find("--file-output-dir DIR") != std::string::npos);
    CHECK(help.find("--target-host") == std::string::npos);
    CHECK(help.find("--tables") == std::string::npos);
}

TEST_CASE("cmd/README.md shows the flags as they are (refresh: cmd/update-readme)") {
    std::ifstream file(PGSLUICE_SOURCE_DIR "/cmd/README.md");
    const std::string readme{std::istreambuf_iterator<char>(file), {}};
    const std::string begin = "<!-- begin: pgsluice help-markdown -->\n";
    const std::size_t from = readme.find(begin);
    const std::size_t to = readme.find("<!-- end: pgsluice help-markdown -->");
    REQUIRE(from != std::string::npos);
    REQUIRE(to != std::string::npos);
    CHECK(readme.substr(from + begin.size(), to - from - begin.size()) == markdown_tables());
}
