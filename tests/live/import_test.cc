// `pgsluice import`: the rows of a dump arrive as they were, whatever pg_dump wrote them as; rules hide what they hide.
#include "tests/live/import_fixture.h"

#include <cstdlib>

#include "tests/support/slow.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

std::string compressed(ImportPair& pair, const std::string& program, const std::string& name) {
    const std::string packed = pair.file(name);
    REQUIRE(run({"sh", "-c", program + " -c " + pair.file("plain.sql") + " > " + packed}).code == 0);
    return packed;
}

constexpr const char* masking_rules = R"(tables:
  users:
    - {type: transform, column: name, parameters: {type: redact}}
    - {type: transform, column: email, parameters: {type: regex, pattern: "[c]anary", replace: user}, allow_uniqueness_loss: true}
    - {type: filter, column: id, parameters: {operator: lte, value: 1500}}
  ev:
    - {type: filter, column: id, parameters: {operator: gt, value: 100}}
)";

}  // namespace

TEST_CASE("a dump of every form makes the target equal to the source") {
    ImportPair pair;
    std::vector<std::string> dumps;
    for (const auto& [name, flags] : std::vector<std::pair<std::string, std::vector<std::string>>>{
             {"plain.sql", {}},
             {"inserts.sql", {"--inserts"}},
             {"columns.sql", {"--column-inserts"}},
             {"rows.sql", {"--rows-per-insert=100"}},
             {"quiet.sql", {"--inserts", "--on-conflict-do-nothing", "--quote-all-identifiers"}},
             {"root.sql", {"--load-via-partition-root"}},
             {"clean.sql", {"--clean", "--if-exists", "--create"}},
             {"custom", {"--format=custom"}},
             {"tar", {"--format=tar"}},
             {"directory", {"--format=directory"}}})
        dumps.push_back(pair.dump(name, flags));
    dumps.push_back(compressed(pair, "gzip", "plain.sql.gz"));
    dumps.push_back(compressed(pair, "zstd -q", "plain.sql.zst"));
    for (const std::string& dump : dumps) {
        CAPTURE(dump);
        pair.server().sql(pair.target, "TRUNCATE users, ev, one, nocols, chi CASCADE");
        must_succeed(pair.import({"--dump", dump}));
        pair.check_equal();
    }
    CHECK(pair.server().scalar(pair.target, "SELECT nextval('users_id_seq')") == "2001");
}

TEST_CASE("a dump in parts, with the schema of its own file") {
    ImportPair pair;
    std::vector<std::string> flags;
    for (const std::string section : {"pre-data", "data", "post-data"}) {
        flags.insert(flags.end(), {"--dump", pair.dump(section + ".sql", {"--section=" + section})});
    }
    must_succeed(pair.import(flags));
    pair.check_equal();
}

TEST_CASE("a dump without its schema takes the types of the target's tables") {
    ImportPair pair("CREATE TABLE users (id int PRIMARY KEY, email text); INSERT INTO users VALUES (1, 'canary')");
    const std::string data = pair.dump("data.sql", {"--data-only"});
    must_succeed(pair.import({"--dump", data}));
    pair.check_equal();

    const std::string rules = pair.write(
        "rules.yaml", "tables:\n  users:\n    - {type: transform, column: email, parameters: {type: redact}}\n");
    const std::string routes = pair.write("routes.yaml",
                                          "users:\n  destination_table: people\n  column_mappings: [{source: email, "
                                          "destination: mail}]\n");
    pair.server().sql(pair.target, "CREATE TABLE people (id int PRIMARY KEY, mail text)");
    must_succeed(pair.import({"--dump", data, "--rules-config", rules, "--routing-config", routes}));
    CHECK(pair.server().rows(pair.target, "SELECT id, mail <> '', mail LIKE '%canary%' FROM people") ==
          std::vector<std::string>{"1|t|f"});

    const std::string computed =
        pair.write("computed.yaml", "users: {destination_table: sized, where: id = 1, set: {size: length(email)}}\n");
    pair.server().sql(pair.target, "CREATE TABLE sized (id int PRIMARY KEY, email text, size int)");
    must_succeed(pair.import({"--dump", data, "--routing-config", computed}));
    CHECK(pair.server().rows(pair.target, "SELECT * FROM sized") == std::vector<std::string>{"1|canary|6"});

    const std::string no_number = pair.write(
        "bad.yaml", "tables:\n  users:\n    - {type: filter, column: email, parameters: {operator: gt, value: 1}}\n");
    const Finished refused = pair.import({"--dump", data, "--rules-config", no_number});
    CHECK(refused.code == 2);
    CHECK(refused.err.find("the column is text") != std::string::npos);
}

TEST_CASE("what rules hide is in no target, no file, no output and no log") {
    ImportPair pair;
    const std::string rules = pair.write("rules.yaml", masking_rules);
    for (const std::vector<std::string>& form :
         std::vector<std::vector<std::string>>{{}, {"--inserts"}, {"--format=custom"}, {"--load-via-partition-root"}}) {
        const std::string dump = pair.dump("dump", form);
        const Finished imported = pair.import({"--dump", dump, "--rules-config", rules, "--log-level", "debug"});
        must_succeed(imported);
        CHECK(count(imported.err + imported.out, "canary") == 0);
        CHECK(pair.server().scalar(pair.target, "SELECT count(*) FROM users") == "1500");
        CHECK(pair.server().scalar(pair.target, "SELECT count(*) FROM users t WHERE t::text LIKE '%canary%'") == "0");
        CHECK(pair.server().scalar(pair.target, "SELECT count(*) FROM ev") == "300");
    }
    const std::string dump = pair.dump("dump");
    const Finished printed = run(pair.argv("stdout", {"--dump", dump, "--rules-config", rules}));
    must_succeed(printed);
    CHECK(count(printed.out, "\"users\"") == 1500);
    CHECK(count(printed.out + printed.err, "canary") == 0);
    const std::vector<std::string> to_files{"--dump",        dump, "--rules-config", rules, "--file-output-dir",
                                            pair.file("out")};
    must_succeed(run(pair.argv("file", to_files)));
    const std::string files = all_files(pair.file("out"));
    CHECK(count(files, "\"users\"") == 1500);
    CHECK(count(files, "canary") == 0);
}

TEST_CASE("a dry run reads all, says what it would do, and writes nothing") {
    ImportPair pair;
    const std::string dump = pair.dump("dump", {"--format=custom"});
    const std::string rules = pair.write("rules.yaml", masking_rules);
    const Finished dry = run(pair.argv("postgres", {"--dump", dump, "--rules-config", rules, "--dry-run"}));
    must_succeed(dry);
    CHECK(dry.out.find("public.users: 16 columns, 2000 rows, 500 left out by the rules, 1500 rewritten by them\n") !=
          std::string::npos);
    CHECK(dry.out.find("  name: redact") != std::string::npos);
    CHECK(dry.out.find("public.empty: 1 columns, 0 rows\n") != std::string::npos);
    must_succeed(pair.import({"--dump", dump, "--dry-run"}));
    CHECK(pair.server().scalar(pair.target, "SELECT count(*) FROM users") == "0");
    CHECK(pair.server().scalar(pair.target, "SELECT to_regnamespace('pgsluice') IS NULL") == "t");
}

TEST_CASE("a test copy has the first rows of each table") {
    ImportPair pair;
    must_succeed(pair.import({"--dump", pair.dump("dump"), "--max-rows-per-table", "3"}));
    CHECK(pair.server().rows(pair.target, "SELECT id FROM users ORDER BY id") ==
          std::vector<std::string>{"1", "2", "3"});
    CHECK(pair.server().scalar(pair.target, "SELECT count(*) FROM ev1") == "3");
    CHECK(pair.server().scalar(pair.target, "SELECT count(*) FROM nocols") == "2");
}

TEST_CASE("nothing is written of a dump that is not understood to its end, or that rules do not fit") {
    ImportPair pair;
    pair.dump("whole.sql");
    const std::string text = pair.read("whole.sql");
    const std::string rules = pair.write(
        "rules.yaml", "tables:\n  users:\n    - {type: transform, column: e_mail, parameters: {type: redact}}\n");
    const auto untouched = [&](const Finished& refused, const std::string& because) {
        CHECK(refused.code != 0);
        CHECK_MESSAGE(refused.err.find(because) != std::string::npos, refused.err);
        CHECK(pair.server().scalar(pair.target, "SELECT count(*) FROM users") == "0");
        CHECK(pair.server().scalar(pair.target, "SELECT to_regnamespace('pgsluice') IS NULL") == "t");
    };
    untouched(pair.import({"--dump", pair.file("whole.sql"), "--rules-config", rules}),
              "the table public.users has no column 'e_mail'");
    untouched(pair.import({"--dump", pair.write("cut.sql", text.substr(0, text.size() - 100))}), "is not complete");
    untouched(pair.import({"--dump", pair.write("more.sql", text + "UPDATE users SET name = 'x';\n")}),
              "more.sql:" + std::to_string(std::count(text.begin(), text.end(), '\n') + 1) +
                  "': a statement is not understood");
    untouched(pair.import({"--dump", pair.dump("latin.sql", {"--encoding=SQL_ASCII"})}), "client_encoding is not UTF8");
    untouched(pair.import({"--dump", pair.file("none.sql")}), "No such file");
    const std::string custom = pair.dump("custom", {"--format=custom"});
    std::string archive = pair.read("custom");
    archive.resize(archive.size() - 2000);
    untouched(pair.import({"--dump", pair.write("cut", archive)}), "pg_restore failed");
}

TEST_CASE("an import that failed or was killed is made again, whatever it left") {
    ImportPair pair;
    const std::string dump = pair.dump("dump.sql");
    pair.server().sql(pair.target, "ALTER TABLE first_null ADD CHECK (b < 4)");
    const std::vector<std::string> plain{"--dump", dump, "--target-url", pair.server().url(pair.target)};
    const Finished refused = run(pair.argv("postgres", plain));
    CHECK(refused.code == 1);
    CHECK(refused.err.find("unable to load rows into 'public.first_null'") != std::string::npos);
    pair.server().sql(pair.target, "ALTER TABLE first_null DROP CONSTRAINT first_null_b_check");

    Process killed({pair.argv("postgres", plain), {{"PGSLUICE_FAILPOINT", "postgres-load-after-commit:3"}}});
    Pipeline::must_die(killed);
    CHECK(pair.contents(pair.target).size() > 0);
    must_succeed(
        run(pair.argv("postgres", plain)));  // the tables were empty before, so what they hold is of the import
    pair.check_equal();

    const Finished again = run(pair.argv("postgres", plain));
    CHECK(again.code == 1);
    CHECK(again.err.find("the target already holds rows") != std::string::npos);
    must_succeed(pair.import({"--dump", dump}));
    pair.check_equal();
}

TEST_CASE("rows of 100 MB pass, a few of them in memory at a time" * slow) {
    ImportPair pair(
        "CREATE TABLE big (id int PRIMARY KEY, t text); INSERT INTO big SELECT g, repeat('x', 30000000) FROM "
        "generate_series(1, 3) g");
    pair.server().sql(pair.source, "INSERT INTO big VALUES (4, repeat(E'y\\\\', 25000000))");
    must_succeed(pair.import({"--dump", pair.dump("dump.sql")}));
    const std::string sums = "SELECT id, length(t), md5(t) FROM big ORDER BY id";
    CHECK(pair.server().rows(pair.source, sums) == pair.server().rows(pair.target, sums));
}

TEST_CASE("columns that refer to a key with rules inherit these by the dump's foreign keys") {
    ImportPair pair(
        "CREATE TABLE users (email text PRIMARY KEY); CREATE TABLE orders (id int PRIMARY KEY, buyer text REFERENCES "
        "users); INSERT INTO users VALUES ('canary1'), ('canary2'); INSERT INTO orders VALUES (1, 'canary2')");
    const std::string rules = pair.write("rules.yaml",
                                         "secret_env: HOME\ntables:\n  users:\n    - {type: transform, column: email, "
                                         "parameters: {type: hash, length: 32}}\n");
    const auto found = [&] {
        return pair.server().rows(pair.target,
                                  "SELECT count(*), bool_or(buyer LIKE '%canary%') FROM orders JOIN users ON email = "
                                  "buyer");
    };
    must_succeed(pair.import({"--dump", pair.dump("dump.sql"), "--rules-config", rules}));
    CHECK(found() == std::vector<std::string>{"1|f"});
    const Finished data_only = pair.import({"--dump", pair.dump("data.sql", {"--data-only"}), "--rules-config", rules});
    must_succeed(data_only);
    CHECK(contains(data_only.err, "their foreign keys are not known"));
    const Finished without_keys = pair.import(
        {"--dump", pair.dump("two.sql", {"--section=pre-data", "--section=data"}), "--rules-config", rules});
    must_succeed(without_keys);
    CHECK(contains(without_keys.err, "their foreign keys are not known"));
    const Finished all = pair.import({"--dump", pair.dump("all.sql"), "--rules-config", rules});
    must_succeed(all);
    CHECK(!contains(all.err, "their foreign keys are not known"));
}
