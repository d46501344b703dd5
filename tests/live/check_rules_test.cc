// Rules files against the catalog and rows of a real source.
#include "cmd/commands/check_rules.h"

#include <doctest/doctest.h>

#include "tests/support/postgres_server.h"
#include "tests/support/process.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using rules_test::error_of;
using rules_test::TextFile;

namespace {

struct Outcome {
    std::string report;
    std::string log;
    std::string error;
};

Outcome check(const std::string& database, const std::string& rules, int samples = 0) {
    const TextFile file(rules);
    CheckRulesOptions options;
    options.files.rules_file = file.path();
    options.source = test::shared_postgres().connect(database);
    options.samples = samples;
    Outcome outcome;
    const Log log = [&](LogLevel, std::string_view line) { outcome.log += std::string(line) + "\n"; };
    const auto print = [&](const std::string& text) { outcome.report += text; };
    outcome.error = error_of([&] { check_rules_against_source(options, print, log, {}); });
    return outcome;
}

std::string shop() {
    auto& server = test::shared_postgres();
    const std::string database = server.create_database();
    server.sql(database, R"(
        CREATE TYPE mood AS ENUM ('sad', 'happy');
        CREATE DOMAIN email AS text;
        CREATE TABLE users (id int PRIMARY KEY, email email, nick varchar(20) UNIQUE, "full name" text, m mood);
        CREATE UNIQUE INDEX ON users (lower("full name"));
        INSERT INTO users VALUES (1, 'john@example.com', 'jo', 'John', 'happy'), (2, NULL, NULL, NULL, 'sad');
        CREATE SCHEMA crm;
        CREATE TABLE crm.notes (id int PRIMARY KEY, body text);
    )");
    return database;
}

}  // namespace

TEST_CASE("check rules reads the catalog and shows rows before and after") {
    const Outcome outcome = check(shop(), R"(
tables:
  users:
    - {type: transform, column: email, parameters: {type: mask}}
    - {type: filter, column: m, operations: [INSERT], parameters: {operator: eq, value: happy}}
  crm.notes:
    - {type: exclude_column, column: body}
)",
                                  5);
    CHECK(outcome.error.empty());
    CHECK(outcome.report ==
          "public.users\n"
          "  email: mask with '*'\n"
          "  only rows where m eq happy on insert\n"
          "  before  id='1' email='john@example.com' nick='jo' full name='John' m='happy'\n"
          "  after   id='1' email='j**************m' nick='jo' full name='John' m='happy'\n"
          "  before  id='2' email=NULL nick=NULL full name=NULL m='sad'\n"
          "  after   (left out)\n"
          "crm.notes\n"
          "  exclude body\n");
}

TEST_CASE("check rules knows unique indexes, also over expressions") {
    const std::string database = shop();
    for (const char* column : {"nick", "full name"}) {
        const Outcome outcome = check(database, std::string("tables: {users: [{type: transform, column: ") + column +
                                                    ", parameters: {type: mask}}]}");
        CHECK(outcome.error.find("unable to use the rules") == 0);
        CHECK(outcome.log.find("allow_uniqueness_loss") != std::string::npos);
    }
    const Outcome missing = check(database, "tables: {user: []}");
    CHECK(missing.error.empty());
    CAPTURE(missing.log);
    CHECK(missing.log.find("the files name table 'user', which does not exist") != std::string::npos);
}

TEST_CASE("the command prints the report and says by its exit code whether a worker would take the files") {
    const std::string database = shop();
    const auto run = [&](const std::string& rules) {
        const TextFile file(rules);
        return test::run({PGSLUICE_BINARY, "check", "rules", "--rules-config", file.path(), "--source-url",
                          test::shared_postgres().url(database), "--sample", "1"});
    };
    const test::Finished good = run("tables: {users: [{type: transform, column: email, parameters: {type: mask}}]}");
    CHECK(good.code == 0);
    CHECK(good.out.find("  after   id='1' email='j**************m'") != std::string::npos);
    const test::Finished bad = run("tables: {users: [{type: transform, column: mail, parameters: {type: mask}}]}");
    CHECK(bad.code == 2);
    CHECK(bad.out.find("public.users: refused") != std::string::npos);
    CHECK(bad.err.find("has no column 'mail'") != std::string::npos);
}
