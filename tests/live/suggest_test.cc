// check rules --suggest and --coverage on a real source: what is found, what is not, and that the file works.
#include <doctest/doctest.h>

#include <fstream>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

const std::map<std::string, std::string> secret{{"PGSLUICE_RULES_SECRET", "a-secret-of-the-test"}};

Finished check_rules(const Pipeline& pipeline, std::vector<std::string> more) {
    std::vector<std::string> argv{PGSLUICE_BINARY, "check", "rules", "--source-url", pipeline.source_url()};
    argv.insert(argv.end(), more.begin(), more.end());
    return run(argv, secret);
}

std::string file_of(const std::string& text) {
    const std::string path = temporary_directory("rules") + "/rules.yaml";
    std::ofstream(path) << text;
    return path;
}

// A column for each kind. Values have the word canary in them where the kind lets them.
constexpr const char* everything = R"(
CREATE DOMAIN mail AS text;
CREATE TYPE sex AS ENUM ('f', 'm');
CREATE TABLE people (id bigint PRIMARY KEY, email mail NOT NULL UNIQUE, name varchar(60) NOT NULL, given_name text,
    surname text, phone varchar(20), born date, address text, city varchar(12), zip char(5), ssn char(11), passport text,
    card text, iban text, ip inet, mac macaddr, password_hash bytea, gender sex, lat double precision, salary numeric(9,2),
    notes text, nicknames text[], doc jsonb, token uuid, x1 text, x2 text, x3 text, plan text NOT NULL, made timestamptz);
INSERT INTO people SELECT i, 'canary' || i || '@example.com', 'Canary Keller' || i, 'Canaria' || i, 'Kanarius' || i,
    '+49 30 90' || (100000 + i), date '1980-01-01' + i, 'Canary Street ' || i, 'Canaryville', lpad(i::text, 5, '0'),
    lpad((100 + i)::text, 3, '0') || '-05-' || (1000 + i), 'CANARY' || (10000 + i), CASE i % 2 WHEN 0 THEN '4111 1111 1111 1111' ELSE '5500 0000 0000 0004' END,
    'DE89370400440532013000', ('203.0.113.' || i % 250)::inet, '08:00:2b:01:02:03', '\x63616e617279', 'f', 52.5, 52000,
    'canary ' || i || ' is ill', ARRAY['canary' || i, 'ca'],
    jsonb_build_object('contact', jsonb_build_object('email', 'canary' || i || '@example.com'), 'size', 7),
    gen_random_uuid(), 'canary' || i || '@example.org', '03' || (10 + i % 10) || '/90' || (100000 + i), 'Jason Hansen',
    'basic', now() FROM generate_series(1, 60) i;
COMMENT ON COLUMN people.x3 IS 'personal data: the canary''s name';
)";

}  // namespace

TEST_CASE("suggested rules name every column of every kind, are accepted, and a group runs with them") {
    Pipeline pipeline;
    pipeline.on_source(everything);
    const Finished suggested = check_rules(pipeline, {"--suggest"});
    CHECK_MESSAGE(suggested.code == 0, suggested.err);
    CAPTURE(suggested.out);
    for (const char* raw :
         {"canary", "Canar", "Kanarius", "4111", "DE89", "203.0.113", "08:00", "90100", "52.5", "Jason"})
        CHECK_FALSE(contains(suggested.out + suggested.err, raw));
    CHECK(contains(suggested.out, "{type: keep, columns: [id, plan, made]}"));
    CHECK_FALSE(contains(suggested.out, "DECIDE"));
    const std::string file = file_of(suggested.out);
    const Finished accepted = check_rules(pipeline, {"--rules-config", file});
    CHECK_MESSAGE(accepted.code == 0, accepted.out << accepted.err);
    const Finished covered = check_rules(pipeline, {"--rules-config", file, "--coverage", "--tables", "people"});
    CHECK(covered.code == 0);
    CHECK(covered.out == "{\"tables\":1,\"columns\":[]}\n");

    pipeline.start_replicator({"--copy-and-stream", "--tables", "people,settled"});
    pipeline.start_worker({"--target-sync-schema", "--source-url", pipeline.source_url(), "--rules-config", file},
                          secret);
    pipeline.settle();
    CHECK(pipeline.target_scalar("SELECT count(*) FROM people") == "60");
    CHECK(pipeline.target_scalar(
              "SELECT count(*) FROM people p WHERE p::text ~* 'canar|kanarius|4111 1111|DE89370400|203\\.0\\.113'") ==
          "0");
    CHECK(pipeline.target_scalar("SELECT count(DISTINCT email) FROM people") == "60");

    // A column that comes later.
    pipeline.stop();
    pipeline.on_source("ALTER TABLE people ADD mobile text");
    const Finished later = check_rules(pipeline, {"--rules-config", file, "--coverage", "--tables", "people"});
    CHECK(later.code == 1);
    CHECK(later.out ==
          "{\"tables\":1,\"columns\":[{\"table\":\"public.people\",\"column\":\"mobile\",\"type\":\"text\","
          "\"strict\":true,\"conditional\":false,\"looks_like\":\"a telephone number\"}]}\n");
    pipeline.start_replicator({"--stream", "--tables", "people,settled"});
    pipeline.start_worker({"--rules-config", file}, secret);
    pipeline.on_source("INSERT INTO people (id, email, name, plan, mobile) VALUES (100, 'a@b.io', 'x', 'basic', 'y')");
    CHECK(says(pipeline.worker(), "By its name and type it may be a telephone number."));
    CHECK(pipeline.worker().wait() == 2);
}

TEST_CASE("a column that comes later and looks personal is warned of by a worker with an open file") {
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE people (id bigint PRIMARY KEY, email text)");
    pipeline.on_source("INSERT INTO people VALUES (1, 'a@example.com')");
    const std::string file = file_of("tables: {people: [{type: transform, column: email, parameters: {type: mask}}]}");
    pipeline.start_replicator();
    pipeline.start_worker({"--rules-config", file});
    pipeline.settle();
    CHECK_FALSE(contains(pipeline.worker().err(), "look personal"));
    pipeline.on_both("ALTER TABLE people ADD mobile text");
    pipeline.on_source("INSERT INTO people VALUES (2, 'b@example.com', '+49 30 901820')");
    CHECK(says(pipeline.worker(),
               "no rule names these columns of public.people, which look personal by their names and "
               "types: 'mobile' (a telephone number)"));
    pipeline.settle();
    CHECK(pipeline.target_scalar("SELECT count(*) FROM people") == "2");
    pipeline.stop();
}

TEST_CASE("of the generated shop only what is personal is suggested") {
    Pipeline pipeline;
    for (const char* what : {"schema", "data"}) {
        const Finished made = run({PGSLUICE_SOURCE_DIR "/examples/generate-shop", what});
        must_succeed(made);
        pipeline.on_source(made.out);
    }
    const Finished suggested =
        check_rules(pipeline, {"--suggest", "--tables", "organisations,users,subscriptions,orders"});
    CHECK(suggested.code == 0);
    CAPTURE(suggested.out);
    CHECK(contains(suggested.out, "{type: keep, columns: [id, name, domain, country, since]}"));
    CHECK(contains(suggested.out, "{type: keep, columns: [id, organisation_id, plan, seats, price, valid]}"));
    CHECK(contains(suggested.out, "{type: keep, columns: [id, user_id, placed_at, state, total, items]}"));
    CHECK(contains(suggested.out, "{type: keep, columns: [id, organisation_id, interests, seen_at]}"));
    for (const char* path : {"$.street", "$.city", "$.zip"})
        CHECK(contains(suggested.out, std::string("path: \"") + path + "\""));
    CHECK_FALSE(contains(suggested.out, "$.country"));
    CHECK(count(suggested.out, "\n      # ") == 13);  // four of them are of what is kept
}

TEST_CASE("labels of PostgreSQL Anonymizer are read, and rows from all over a large table") {
    Pipeline pipeline;
    pipeline.on_source("CREATE TABLE things (id int PRIMARY KEY, a text, b text, late text)");
    pipeline.on_source(
        "SET allow_system_table_mods = on; INSERT INTO pg_seclabel SELECT attrelid, 'pg_class'::regclass, attnum, "
        "'anon', "
        "'MASKED WITH FUNCTION anon.fake_email()' FROM pg_attribute WHERE attrelid = 'things'::regclass AND attname = "
        "'a'");
    pipeline.on_source(
        "INSERT INTO things SELECT i, 'x', 'y', CASE WHEN i > 90000 THEN 'u' || i || '@example.com' END FROM "
        "generate_series(1, 100000) i");
    const Finished suggested = check_rules(pipeline, {"--suggest", "--tables", "things", "--sample-rows", "500"});
    CAPTURE(suggested.out);
    CHECK(contains(suggested.out, "an e-mail address: its label for anon\n      - {type: transform, column: a,"));
    CHECK(contains(suggested.out,
                   "different values\n      - {type: transform, column: late, parameters: {type: email}}"));
    CHECK(contains(suggested.out, "{type: keep, columns: [id, b]}"));
}
