// The configuration file and the environment.
#include <doctest/doctest.h>

#include <fstream>

#include "cmd/cli/config_file.h"
#include "cmd/cli/environment.h"
#include "cmd/cli/in_force.h"
#include "sql/error.h"
#include "tests/support/process.h"

using namespace pgsluice;

namespace {

// The message of the usage error, with its hint behind a bar.
std::string refusal(const std::string& yaml) {
    try {
        read_config_text(yaml, "a.yaml");
    } catch (const Error& error) {
        CHECK(error.action() == Action::usage);
        return error.hint().empty() ? error.what() : std::string(error.what()) + " | " + error.hint();
    }
    return "accepted";
}

using Words = std::vector<std::string>;

Words values(const GivenSettings& given, const char* name) {
    const Given* found = given.find(name);
    return found == nullptr ? Words{} : found->values;
}

}  // namespace

TEST_CASE("a file holds the keys of both sides, with either spelling") {
    const auto given =
        read_config_text(
            "# both sides\nhost: localhost\nport: 5433\ntables: [users, \"shop.orders\"]\ntarget_host: b\n"
            "nats-url: nats://n:4222\ncopy-and-stream: true\npassword:\n",
            "a.yaml")
            .given;
    CHECK(values(given, "host") == Words{"localhost"});
    CHECK(values(given, "port") == Words{"5433"});
    CHECK(values(given, "tables") == Words{"users", "shop.orders"});
    CHECK(values(given, "target-host") == Words{"b"});
    CHECK(given.find("password") == nullptr);
    CHECK(given.find("port")->where == "'port' (a.yaml:3)");
}

TEST_CASE("a list may be one text with commas, except where commas belong to the value") {
    const auto given = read_config_text("tables: users, \"a,b\"\nwebhook-header: 'Accept: a, b'\n", "a.yaml").given;
    CHECK(values(given, "tables") == Words{"users", "\"a,b\""});
    CHECK(values(given, "webhook-header") == Words{"Accept: a, b"});
}

TEST_CASE("an empty file says nothing") {
    CHECK_NOTHROW(read_config_text("", "a.yaml"));
    CHECK_NOTHROW(read_config_text("# nothing\n", "a.yaml"));
}

TEST_CASE("what is wrong in a file is named with its line") {
    CHECK(refusal("host: a\ntabels: users\n") == "a.yaml:2: unknown key 'tabels' | Did you mean 'tables'?");
    CHECK(refusal("qqqqqqqq: 1\n") == "a.yaml:1: unknown key 'qqqqqqqq'");
    CHECK(refusal("config: b.yaml\n") == "a.yaml:1: a configuration file cannot name another");
    CHECK(refusal("host: a\n\nhost: b\n") == "a.yaml:3: 'host' is given twice");
    CHECK(refusal("host: [a, b]\n") == "a.yaml:1: 'host' takes one value");
    CHECK(refusal("tables: {users: 1}\n") == "a.yaml:1: 'tables' takes a list of values");
    CHECK(refusal("tables: 'a,,b'\n") == "a.yaml:1: bad value of 'tables': expected a list without empty items");
    CHECK(refusal("- host\n") == "a.yaml:1: expected a mapping of flag names to values");
    CHECK(refusal("host: a\nport: [1\n").rfind("a.yaml:3: unable to read as YAML: ", 0) == 0);
}

TEST_CASE("a file that cannot be read is an error") {
    CHECK_THROWS_WITH_AS(read_config_file("/nonexistent/x.yaml", {}),
                         "unable to read the configuration file '/nonexistent/x.yaml'", Error);
    CHECK_THROWS_AS(read_config_file("/", {}), Error);
}

TEST_CASE("PGSLUICE_ wins over PG_FLO_, and empty counts as not set") {
    const auto given = read_environment({{"PG_FLO_NATS_URL", "old"},
                                         {"PGSLUICE_NATS_URL", "new"},
                                         {"PG_FLO_HOST", "h"},
                                         {"PGSLUICE_HOST", ""},
                                         {"PG_FLO_TABLES", "a,b"}});
    CHECK(values(given, "nats-url") == Words{"new"});
    CHECK(given.find("nats-url")->where == "PGSLUICE_NATS_URL");
    CHECK(values(given, "host") == Words{"h"});
    CHECK(values(given, "tables") == Words{"a", "b"});
}

TEST_CASE("a variable that looks misspelt is worth a warning, others are not ours") {
    const auto warnings = misspelt_variables({{"PGSLUICE_TABELS", "x"},
                                              {"PGSLUICE_SERVICE_PORT_HTTP_WEB", "80"},
                                              {"PGSLUICE_HOST", "h"},
                                              {"PG_FLO_TABELS", "x"}});
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0] == "environment variable PGSLUICE_TABELS is not a setting; did you mean PGSLUICE_TABLES?");
}

TEST_CASE("values refer to the environment and to files") {
    const std::string file = test::temporary_directory("references") + "/secret";
    std::ofstream(file) << "s3cret\n";
    const Environment environment{{"HOST", "db1"}, {"TABLES", "a, b"}, {"EMPTY", ""}};
    const auto given =
        read_config_text("host: ${HOST}\nuser: x${HOST}y${HOST}\ntables: ${TABLES}\npassword: ${file:" + file +
                             "}\ntarget-password: a$${b}$c\ntarget-user: ${EMPTY}\n",
                         "a.yaml", environment)
            .given;
    CHECK(values(given, "host") == Words{"db1"});
    CHECK(values(given, "user") == Words{"xdb1ydb1"});
    CHECK(values(given, "tables") == Words{"a", "b"});
    CHECK(values(given, "password") == Words{"s3cret"});
    CHECK(given.find("password")->refers);
    CHECK(values(given, "target-password") == Words{"a${b}$c"});
    CHECK_FALSE(given.find("target-password")->refers);
    CHECK(given.find("target-user")->unusable == "the environment variable 'EMPTY' is not set");
    CHECK(read_config_text("host: ${file:/nowhere}", "a.yaml").given.find("host")->unusable ==
          "unable to read the file '/nowhere'");
    CHECK(read_config_text("host: ${HOST", "a.yaml").given.find("host")->unusable ==
          "'${' without its '}'; write '$${' for the characters");
}

TEST_CASE("what is in force is shown with its origin, and no secret of it") {
    const Environment environment{{"PGPASSWORD", "s3cret"}, {"SECRET", "s3cret"}};
    GivenSettings given =
        read_config_text(
            "group: shop\nsource-url: postgres://u:s3cret@h/d\nnats-url: nats://u:s3cret@n\npassword: ${SECRET}\n"
            "webhook-header: ['X-Key: s3cret']\nwebhook-url: http://h/p?key=s3cret\ntables: [a, \"b c\"]\n"
            "target-user: ${NONE}\n",
            "a.yaml", environment)
            .given;
    const std::string text = settings_in_force(given, "a.yaml", environment);
    CAPTURE(text);
    CHECK(text.find("s3cret") == std::string::npos);
    for (const char* line :
         {"# configuration file: a.yaml\n", "group: shop  # 'group' (a.yaml:1)\n",
          "source-url: (hidden)  # 'source-url' (a.yaml:2)\n", "nats-url: (hidden)  # 'nats-url' (a.yaml:3)\n",
          "tables: [a, 'b c']  # 'tables' (a.yaml:7)\n", "log-level: info  # default\n",
          "# target-user: the environment variable 'NONE' is not set ('target-user' (a.yaml:8))\n",
          "# libpq also reads: PGPASSWORD\n"})
        CHECK_MESSAGE(text.find(line) != std::string::npos, line);
    // What is not hidden can be read back.
    CHECK_NOTHROW(read_config_text(text, "again.yaml"));
}
