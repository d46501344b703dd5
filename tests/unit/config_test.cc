// The configuration file and the environment.
#include <doctest/doctest.h>

#include "cmd/cli/config_file.h"
#include "cmd/cli/environment.h"
#include "sql/error.h"

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
    const auto given = read_config_text(
        "# both sides\nhost: localhost\nport: 5433\ntables: [users, \"shop.orders\"]\ntarget_host: b\n"
        "nats-url: nats://n:4222\ncopy-and-stream: true\npassword:\n",
        "a.yaml");
    CHECK(values(given, "host") == Words{"localhost"});
    CHECK(values(given, "port") == Words{"5433"});
    CHECK(values(given, "tables") == Words{"users", "shop.orders"});
    CHECK(values(given, "target-host") == Words{"b"});
    CHECK(given.find("password") == nullptr);
    CHECK(given.find("port")->where == "'port' (a.yaml:3)");
}

TEST_CASE("a list may be one text with commas, except where commas belong to the value") {
    const auto given = read_config_text("tables: users, \"a,b\"\nwebhook-header: 'Accept: a, b'\n", "a.yaml");
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
    CHECK_THROWS_WITH_AS(read_config_file("/nonexistent/x.yaml"),
                         "unable to read the configuration file '/nonexistent/x.yaml'", Error);
    CHECK_THROWS_AS(read_config_file("/"), Error);
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
