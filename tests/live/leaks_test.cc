// check leaks on real databases: clean where the rules were in force; then holes are made, and each is found. No value
// is in any output.
#include <doctest/doctest.h>

#include <fstream>

#include "tests/support/hint.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

const std::map<std::string, std::string> secret{{"PGSLUICE_RULES_SECRET", "a-secret-of-the-test"}};

std::string file_of(const std::string& text) {
    const std::string path = temporary_directory("rules") + "/rules.yaml";
    std::ofstream(path) << text;
    return path;
}

std::vector<std::string> leaks_argv(const Pipeline& pipeline, const std::string& rules,
                                    std::vector<std::string> more = {}) {
    std::vector<std::string> argv{
        PGSLUICE_BINARY,       "check",          "leaks", "--source-url", pipeline.source_url(), "--target-url",
        pipeline.target_url(), "--rules-config", rules};
    argv.insert(argv.end(), more.begin(), more.end());
    return argv;
}

Finished check_leaks(const Pipeline& pipeline, const std::string& rules, std::vector<std::string> more = {}) {
    return run(leaks_argv(pipeline, rules, std::move(more)), secret);
}

constexpr const char* people = R"(
CREATE TABLE people (id bigint PRIMARY KEY, email text NOT NULL UNIQUE, name text NOT NULL, phone text, born date,
    iban text, passport text, ip inet, notes text, doc jsonb, plan text);
INSERT INTO people SELECT i, 'canary' || i || '@corp' || i || '.com',
    (ARRAY['Jason','Gerald','Lynn','Canaria'])[1 + i % 4] || ' ' || (ARRAY['Hansen','Mclean','Keller'])[1 + i % 3] ||
    CASE WHEN i % 2 = 0 THEN ' Kanari' || i ELSE '' END, '+49 30 90' || (100000 + i), date '1980-01-01' + i,
    'DE' || i || '370400440532013000', 'CANARY' || (10000 + i), ('203.0.113.' || i)::inet,
    'the canary number ' || i || ' is ill and must not be told about it by anyone, see letter ' || i * 7,
    jsonb_build_object('contact', jsonb_build_object('email', 'kanari' || i || '@corp.com'), 'size', 7), 'basic'
FROM generate_series(1, 200) i;
CREATE TABLE orders (id int PRIMARY KEY, item text, remark text);
INSERT INTO orders SELECT i, 'teapot ' || i, 'leave it at the door' FROM generate_series(1, 500) i;
)";

constexpr const char* tables = "people,orders,settled";

// The rules file's path.
std::string suggested_for(const Pipeline& pipeline) {
    const Finished suggested =
        run({PGSLUICE_BINARY, "check", "rules", "--suggest", "--source-url", pipeline.source_url()}, secret);
    must_succeed(suggested);
    return file_of(suggested.out);
}

// A target that suggested rules have filled.
std::string fill(Pipeline& pipeline) {
    pipeline.on_source(people);
    const std::string file = suggested_for(pipeline);
    pipeline.start_replicator({"--copy-and-stream", "--tables", tables});
    pipeline.start_worker({"--target-sync-schema", "--source-url", pipeline.source_url(), "--rules-config", file},
                          secret);
    pipeline.on_source("UPDATE people SET notes = notes || ' again' WHERE id < 20");
    pipeline.settle();
    pipeline.stop();
    return file;
}

void check_says_no_value(const Finished& finished) {
    for (const char* raw : {"canary", "CANARY", "anari", "Hansen", "Keller", "90100", "203.0.113", "corp", "DE1"})
        CHECK_MESSAGE(!contains(finished.out + finished.err, raw), raw);
}

}  // namespace

TEST_CASE("a target that the rules were in force for is clean, and each hole in it is found") {
    Pipeline pipeline;
    const std::string file = fill(pipeline);
    const Finished clean = check_leaks(pipeline, file);
    CHECK_MESSAGE(clean.code == 0, clean.out << clean.err);
    CHECK(contains(clean.out, "looked for: public.people.email: 200 values\n"));
    CHECK(contains(clean.out, "not looked for: public.people.born: a date does not say whose it is\n"));
    check_says_no_value(clean);

    struct Hole {
        const char* hole;
        const char* mend;
        const char* found;
    };
    const std::vector<Hole> holes{
        {"CREATE TABLE copies (id int, note jsonb); INSERT INTO copies VALUES "
         "(1, '{\"a\": [{\"b\": \"ask canary7@corp7.com\"}]}')",
         "DROP TABLE copies", "FOUND: public.people.email in target public.copies.note: 1 values in 1 rows\n"},
        {"CREATE SCHEMA other; CREATE TABLE other.list (who varchar[]); INSERT INTO other.list VALUES "
         "('{x,+493090100007}')",
         "DROP SCHEMA other CASCADE", "FOUND: public.people.phone in target other.list.who: 1 values in 1 rows\n"},
        {"UPDATE orders SET remark = 'said: Canaria Hansen Kanari12x, or Lynn Keller Kanari2.' WHERE id = 5",
         "UPDATE orders SET remark = '' WHERE id = 5",
         "FOUND: public.people.name in target public.orders.remark: 1 values in 1 rows\n"},
        {"UPDATE people SET doc = '{\"kanari9@corp.com\": 1}' WHERE id = 1",
         "UPDATE people SET doc = '{}' WHERE id = 1",
         "FOUND: public.people.doc in target public.people.doc: 1 values in 1 rows\n"},
        {"CREATE MATERIALIZED VIEW seen AS SELECT 'x 203.0.113.9 y' AS line", "DROP MATERIALIZED VIEW seen",
         "FOUND: public.people.ip in target public.seen.line: 1 values in 1 rows\n"},
        {"UPDATE orders SET item = '(the canary number 12 is ill and must not be told)' WHERE id = 9",
         "UPDATE orders SET item = '' WHERE id = 9",
         "FOUND: public.people.notes in target public.orders.item: 1 values in 1 rows\n"},
    };
    for (const Hole& hole : holes) {
        CAPTURE(hole.hole);
        pipeline.on_target(hole.hole);
        const Finished finished = check_leaks(pipeline, file);
        CAPTURE(finished.out);
        CHECK(finished.code == 1);
        CHECK(contains(finished.out, hole.found));
        CHECK(count(finished.out, "FOUND") == 1);
        check_says_no_value(finished);
        pipeline.on_target(hole.mend);
    }
    CHECK(check_leaks(pipeline, file).code == 0);
}

TEST_CASE("a rule that was left out is found in the column itself") {
    Pipeline pipeline;
    const std::string file = fill(pipeline);
    // As a worker without the rules for two columns would have left them.
    pipeline.on_target("UPDATE people SET phone = '+49 30 90' || (100000 + id)");
    pipeline.on_target("UPDATE people SET name = 'Lynn Keller Kanari' || id WHERE id % 12 = 2");
    const Finished finished = check_leaks(pipeline, file);
    CAPTURE(finished.out);
    CHECK(finished.code == 1);
    CHECK(contains(finished.out, "FOUND: public.people.phone in target public.people.phone: 200 values in 200 rows\n"));
    CHECK(contains(finished.out, "FOUND: public.people.name in target public.people.name: 17 values in 17 rows\n"));
    check_says_no_value(finished);
}

TEST_CASE("a row that a sample or a filter leaves out is no leak, its hidden values elsewhere are one") {
    Pipeline pipeline;
    // Four rows, of which some are kept, say the same of what no rule hides.
    pipeline.on_both("CREATE TABLE visits (id int PRIMARY KEY, kind int, doc jsonb); CREATE TABLE notes (line text)");
    pipeline.on_source(
        "INSERT INTO visits SELECT i, i % 2, jsonb_build_object('email', 'canary' || i || '@corp.com', 'branch', "
        "'Kontor Brandstwiete ' || i / 4) FROM generate_series(1, 200) i");
    std::string leaves_out;
    SUBCASE("a sample") { leaves_out = "{type: sample, column: id, parameters: {one_in: 2}}"; }
    SUBCASE("a filter") { leaves_out = "{type: filter, column: kind, parameters: {operator: eq, value: 1}}"; }
    const std::string file =
        file_of("secret_env: PGSLUICE_RULES_SECRET\ntables:\n  visits:\n    - " + leaves_out +
                "\n    - {type: transform, column: doc, parameters: {type: json, path: $.email, transform: "
                "{type: redact}}}\n    - {type: keep, column: kind}\n");
    pipeline.start_replicator();
    pipeline.start_worker({"--rules-config", file}, secret);
    pipeline.settle();
    pipeline.stop();
    CHECK(pipeline.target_scalar("SELECT count(*) BETWEEN 50 AND 150 FROM visits") == "t");
    const Finished clean = check_leaks(pipeline, file);
    CHECK_MESSAGE(clean.code == 0, clean.out << clean.err);
    CHECK_MESSAGE(contains(clean.out, "looked for: public.visits.doc: 200 values, 200 left as they are by the rule\n"),
                  clean.out);

    const std::string left_out = pipeline.source_scalar(
        "SELECT doc->>'email' FROM visits WHERE id <> ALL ('{" +
        pipeline.target_scalar("SELECT string_agg(id::text, ',') FROM visits") + "}') ORDER BY id LIMIT 1");
    pipeline.on_target("INSERT INTO notes VALUES ('ask " + left_out + "')");
    const Finished found = check_leaks(pipeline, file);
    CHECK(found.code == 1);
    CHECK(contains(found.out, "FOUND: public.visits.doc in target public.notes.line: 1 values in 1 rows\n"));
    check_says_no_value(found);

    // A sample or a filter hides no value of its column, so that it is no rule for it.
    const Finished coverage = run({PGSLUICE_BINARY, "check", "rules", "--coverage", "--rules-config", file,
                                   "--source-url", pipeline.source_url(), "--tables", "visits"},
                                  secret);
    CHECK(contains(coverage.out, R"({"tables":1,"columns":[{"table":"public.visits","column":"id",)"));
    CHECK(count(coverage.out, "\"column\":") == 1);
}

TEST_CASE(
    "of the generated shop nothing is found where suggested rules were in force, and all is where they were not") {
    Pipeline pipeline;
    for (const std::vector<std::string>& words : {std::vector<std::string>{"schema"}, {"--scale", "5", "data"}}) {
        std::vector<std::string> argv{PGSLUICE_SOURCE_DIR "/examples/generate-shop"};
        argv.insert(argv.end(), words.begin(), words.end());
        const Finished made = run(argv);
        must_succeed(made);
        pipeline.on_source(made.out);
    }
    const std::string file = suggested_for(pipeline);
    pipeline.start_replicator();
    pipeline.start_worker({"--target-sync-schema", "--source-url", pipeline.source_url(), "--rules-config", file},
                          secret);
    pipeline.settle();
    pipeline.stop();
    const Finished clean = check_leaks(pipeline, file);
    CHECK_MESSAGE(clean.code == 0, clean.out << clean.err);
    CHECK(contains(clean.out, "looked for: public.users.email: 1000 values\n"));
    pipeline.on_target("CREATE TABLE raw (name text, email text, phone text, address jsonb)");
    pipeline.on_target(
        pipeline.source_scalar("SELECT string_agg(format('INSERT INTO raw VALUES (%L, %L, %L, %L)', name, email, "
                               "phone, address), '; ') FROM users"));
    const Finished raw = check_leaks(pipeline, file);
    CHECK(raw.code == 1);
    CHECK(contains(raw.out, "FOUND: public.users.email in target public.raw.email: 1000 values in 1000 rows\n"));
    for (const char* column : {"name", "phone", "address"})
        CHECK_MESSAGE(contains(raw.out, std::string("in target public.raw.") + column + ": "), raw.out);
}

TEST_CASE("values that a route leaves out or computes anew are looked for, too") {
    Pipeline pipeline;
    const std::string file = fill(pipeline);
    const std::string routes = temporary_directory("routing") + "/routing.yaml";
    std::ofstream(routes)
        << "people: {set: {passport: \"left(passport, 2) || '*'\"}, columns: {only: [id, passport]}}\n";
    const auto check = [&] {
        return run({PGSLUICE_BINARY, "check", "leaks", "--source-url", pipeline.source_url(), "--target-url",
                    pipeline.target_url(), "--routing-config", routes});
    };
    const Finished clean = check();
    CHECK_MESSAGE(clean.code == 0, clean.out << clean.err);
    CHECK(contains(clean.out, "looked for: public.people.passport: 200 values\n"));
    CHECK(contains(clean.out, "looked for: public.people.email: 200 values\n"));
    pipeline.on_target("UPDATE orders SET remark = 'canary10007' WHERE id = 1");
    const Finished found = check();
    CHECK(found.code == 1);
    CHECK(contains(found.out, "FOUND: public.people.passport in target public.orders.remark: 1 values in 1 rows\n"));
}

TEST_CASE("the stream of a group whose worker masks holds what the rules hide, and it is said where") {
    Pipeline pipeline;
    const std::string file = fill(pipeline);
    const std::vector<std::string> stream{"--stream", "--group", pipeline.group(), "--nats-url", shared_nats().url()};
    const Finished finished = check_leaks(pipeline, file, stream);
    CAPTURE(finished.out);
    CHECK(finished.code == 1);
    CHECK(contains(finished.out, "FOUND: public.people.email in stream public.people.email: 200 values in "));
    CHECK(contains(finished.out, "FOUND: public.people.notes in stream public.people.notes: "));
    CHECK_FALSE(contains(finished.out, "in target"));
    check_says_no_value(finished);
}

TEST_CASE("what a group keeps beside its stream is looked at, too, and JSON says the same") {
    Pipeline pipeline;
    const std::string file = fill(pipeline);
    const auto broker = connect_broker(shared_nats().url());
    const Names names = names_for(pipeline.group());
    const std::vector<std::string> group{"--stream",   "--group",           pipeline.group(),
                                         "--nats-url", shared_nats().url(), "--json"};
    const Finished before = check_leaks(pipeline, file, group);
    CHECK_FALSE(contains(before.out, "bucket "));
    CHECK_FALSE(contains(before.out, "dead letters "));
    broker->kv_put(names, "notes.1", R"({"text":"ask canary7@corp7.com"})");
    // As a worker without the rules parks a row that the target refuses.
    pipeline.on_target("ALTER TABLE people ADD CHECK (id <> 900)");
    pipeline.start_replicator({"--copy-and-stream", "--tables", tables});
    pipeline.start_worker({"--on-error", "dead-letter", "--on-rules-change", "continue"});
    pipeline.on_source("INSERT INTO people (id, email, name) VALUES (900, 'canary900@corp900.com', 'x')");
    pipeline.settle();
    pipeline.stop();
    const Finished after = check_leaks(pipeline, file, group);
    CAPTURE(after.out);
    CHECK(after.code == 1);
    CHECK(contains(after.out, R"({"column":"public.people.email","place":"bucket notes","values":1,"rows":1})"));
    CHECK(contains(after.out, R"({"column":"public.people.email","place":"dead letters public.people.email",)"
                              R"("values":1,"rows":1})"));
    CHECK(contains(after.out, R"({"column":"public.people.email","values":201,)"));
    CHECK(contains(after.out, R"("dead_letters":1,"keys":)"));
    check_says_no_value(after);
}

TEST_CASE("where nothing can be looked for, or not everywhere, it does not say that there is no leak") {
    Pipeline pipeline;
    const std::string file = fill(pipeline);
    const std::string none = file_of("tables: {people: [{type: transform, column: plan, parameters: {type: mask}}]}");
    const Finished nothing = check_leaks(pipeline, none);
    CHECK(nothing.code == 2);
    CHECK(contains(nothing.err, "Give rules that hide columns of tables with rows, and a larger --sample-rows."));
    const std::string some =
        file_of("tables: {people: [{type: transform, column: passport, parameters: {type: mask}}]}");
    CHECK(check_leaks(pipeline, some, {"--sample-rows", "10"}).code == 0);

    const Finished no_stream =
        check_leaks(pipeline, file, {"--stream", "--group", "no_such", "--nats-url", shared_nats().url()});
    CHECK(no_stream.code == 2);
    CHECK(contains(no_stream.err, "Give the group of a replicator that has run, or leave --stream out."));
    CHECK(check_leaks(pipeline, file, {"--stream", "--group", pipeline.group(), "--nats-url", shared_nats().url()})
              .code == 1);

    pipeline.on_target(
        "DROP ROLE IF EXISTS leaks_reader; CREATE ROLE leaks_reader LOGIN; GRANT SELECT ON people TO leaks_reader");
    const Finished refused = check_leaks(pipeline, file, {"--target-user", "leaks_reader"});
    CHECK(refused.code == 2);
    CHECK(contains(refused.out, "not looked at: public.orders: the role may not read it\n"));
    const Finished away = check_leaks(pipeline, file, {"--target-port", "1"});
    CHECK(away.code == 2);
    CHECK(check_leaks(pipeline, "/nowhere/rules.yaml").code == 2);
    pipeline.on_target("DROP OWNED BY leaks_reader; DROP ROLE leaks_reader");
}
