// Whose rules those are that a file or a variable names: a replicator has them only where they are said of it alone.
#include <doctest/doctest.h>

#include <fstream>

#include "cmd/cli/invocation.h"
#include "tests/support/process.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

using Words = std::vector<std::string>;

struct File {
    explicit File(const std::string& text) { std::ofstream(path) << text; }
    const std::string path = temporary_directory("rules-of-workers") + "/pgsluice.yaml";
};

Invocation read(const Words& words, const File& file, Environment environment = {}) {
    Words all = words;
    all.insert(all.end(), {"--config", file.path});
    return read_invocation(all, environment);
}

std::string rules_of(const Settings& settings) { return settings.worker.rules.rules_file; }

const Words replicator{"replicator", "--group", "shop"};
const Words worker{"worker", "stdout", "--group", "shop"};

}  // namespace

TEST_CASE("rules in a file that both sides use, or in a variable, are the workers', and a replicator says so") {
    const File file("host: h\nrules-config: r.yaml\non-rules-change: reload\n");
    const Invocation found = read(replicator, file);
    CHECK(rules_of(found.settings).empty());
    CHECK(found.settings.worker.on_rules_change == OnRulesChange::stop);
    REQUIRE(found.warnings.size() == 1);
    CHECK(
        contains(found.warnings[0], "pgsluice.yaml:2) is for workers, and this replicator publishes rows as they are"));
    CHECK(rules_of(read(worker, file).settings) == "r.yaml");

    const File plain("host: h\n");
    for (const char* variable : {"PGSLUICE_RULES_CONFIG", "PG_FLO_RULES_CONFIG"}) {
        const Invocation by_variable = read(replicator, plain, {{variable, "r.yaml"}});
        CHECK(rules_of(by_variable.settings).empty());
        CHECK(by_variable.warnings.size() == 1);
        CHECK(rules_of(read(worker, plain, {{variable, "r.yaml"}}).settings) == "r.yaml");
    }
}

TEST_CASE("rules on a replicator's command line are its own") {
    const File file("host: h\nrules-config: workers.yaml\n");
    Words words = replicator;
    words.insert(words.end(), {"--rules-config", "own.yaml"});
    CHECK(rules_of(read(words, file).settings) == "own.yaml");
}

TEST_CASE("in a file with groups, the replicator's are those of its own part") {
    const std::string text =
        "rules-config: all.yaml\n"
        "groups:\n"
        "  shop:\n"
        "    source-url: postgres://h/d\n"
        "    rules-config: group.yaml\n"
        "    replicator: {OWN}\n"
        "    workers: [{sink: stdout}]\n";
    const auto with = [&](const std::string& own) {
        std::string all = text;
        return File(all.replace(all.find("OWN"), 3, own));
    };
    const File none = with("");
    const File own = with("rules-config: own.yaml");
    CHECK(rules_of(read(replicator, none).settings).empty());
    CHECK(rules_of(read(replicator, own).settings) == "own.yaml");
    CHECK(rules_of(read(worker, own).settings) == "group.yaml");
    for (const auto& [file, wanted] : {std::pair(&none, ""), std::pair(&own, "own.yaml")}) {
        const auto parts = read({"run"}, *file).settings.parts;
        REQUIRE(parts.size() == 2);
        CHECK(rules_of(parts[0].settings) == wanted);
        CHECK(rules_of(parts[1].settings) == "group.yaml");
    }
}
