// Rules at the replicator: what they hide is in no message, no key, no file of nats-server and no log, whatever the
// operation; and what they do not hide arrives.
#include <doctest/doctest.h>

#include "tests/live/source_rules_fixture.h"

using namespace pgsluice::test;

namespace {

using Texts = std::vector<std::string>;

constexpr const char* rules_text = R"(
secret_env: PGSLUICE_TEST_SECRET
tables:
  people:
    - {type: transform, column: email, parameters: {type: mask}}
    - {type: exclude_column, column: ssn}
    - {type: transform, column: doc, parameters: {type: json, path: $..secret, transform: {type: redact}}}
    - {type: transform, column: essay, parameters: {type: redact}}
    - {type: transform, column: code, parameters: {type: 'null'}}
  whole:
    - {type: transform, column: note, parameters: {type: mask}}
    - {type: exclude_column, column: ssn}
  logins:
    - {type: transform, column: login, parameters: {type: hash}}
  adults:
    - {type: filter, column: age, parameters: {operator: gte, value: 18}}
  parts:
    - {type: transform, column: note, parameters: {type: mask}}
  late:
    - {type: transform, column: note, parameters: {type: mask}}
)";

constexpr const char* source_tables = R"(
    CREATE TABLE people (id int PRIMARY KEY, email text, ssn text, doc jsonb, essay text, code bytea, plain text);
    ALTER TABLE people ALTER essay SET STORAGE EXTERNAL;
    CREATE TABLE whole (ssn text, id int, note text); ALTER TABLE whole REPLICA IDENTITY FULL;
    CREATE TABLE logins (login text PRIMARY KEY, plain text);
    CREATE TABLE adults (id int PRIMARY KEY, name text, age int); ALTER TABLE adults REPLICA IDENTITY FULL;
    CREATE TABLE parts (id int PRIMARY KEY, note text) PARTITION BY RANGE (id);
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100);
    CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (100) TO (200);
    CREATE TABLE gone (id int PRIMARY KEY))";

constexpr const char* target_tables = R"(
    CREATE TABLE people (id int PRIMARY KEY, email text, doc jsonb, essay text, code bytea, plain text);
    CREATE TABLE whole (id int, note text); ALTER TABLE whole REPLICA IDENTITY FULL;
    CREATE TABLE logins (login text PRIMARY KEY, plain text);
    CREATE TABLE adults (id int PRIMARY KEY, name text, age int);
    CREATE TABLE parts (id int PRIMARY KEY, note text) PARTITION BY RANGE (id);
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100);
    CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (100) TO (200);
    CREATE TABLE gone (id int PRIMARY KEY); CREATE TABLE late (id int PRIMARY KEY, note text))";

std::string person(int id, const std::string& plain) {
    return "INSERT INTO people VALUES (" + std::to_string(id) +
           ", 'a canary b', 'canary-ssn', '{\"secret\": \"canary\", \"n\": 1}', (SELECT string_agg('canary' || "
           "md5(i::text), '') FROM generate_series(1, 300) i), 'canary', '" +
           plain + "');";
}

std::string rows(int from) {
    const std::string id = std::to_string(from);
    return person(from, "plain" + id) + person(from + 1, "plain\t\\N") + "INSERT INTO whole VALUES ('canary', " + id +
           ", 'x canary y'), ('canary', " + id + ", 'x canary y'), ('canary', -" + id + ", NULL);" +
           "INSERT INTO logins VALUES ('canary" + id + "', 'plain'), ('canary-" + id + "', 'plain');" +
           "INSERT INTO adults VALUES (" + id + ", 'grown', 18), (-" + id + ", 'canary', 17);" +
           "INSERT INTO parts VALUES (" + id + ", 'x canary y'), (100 + " + id + ", 'x canary y');";
}

// One statement each, so that every kind of change is a transaction of its own.
const Texts changes{
    "UPDATE people SET email = 'v canary w', plain = 'changed' WHERE id = 1",
    "UPDATE people SET ssn = 'canary-new' WHERE id = 1",
    "UPDATE people SET id = 50, essay = 'canary' WHERE id = 2",
    "DELETE FROM people WHERE id = 11",
    "UPDATE whole SET note = 'y canary z', ssn = 'canary-new' WHERE id = 1",
    "UPDATE whole SET ssn = 'canary' WHERE id = 11",
    "DELETE FROM whole WHERE id = -1",
    "UPDATE logins SET login = 'canary-moved' WHERE login = 'canary1'",
    "UPDATE logins SET plain = 'changed' WHERE login = 'canary11'",
    "DELETE FROM logins WHERE login = 'canary-11'",
    "UPDATE adults SET age = 18, name = 'grown' WHERE id = -1",
    "UPDATE adults SET age = 3, name = 'canary' WHERE id = 1",
    "UPDATE adults SET name = 'canary', age = 4 WHERE id = -11",
    "DELETE FROM adults WHERE id = -11",
    "UPDATE parts SET id = id + 20, note = 'v canary w' WHERE id = 1",
    "UPDATE parts SET id = id - 50 WHERE id = 111",
    "TRUNCATE gone",
    "SELECT pg_logical_emit_message(true, 'pgsluice.note', 'canary'), pg_logical_emit_message(false, 'pgsluice.note', "
    "'canary'), pg_logical_emit_message(true, 'other', 'canary')",
    "BEGIN; INSERT INTO gone VALUES (3); SAVEPOINT s; INSERT INTO logins VALUES ('canary-s', 'plain'); ROLLBACK TO s; "
    "INSERT INTO logins VALUES ('canary-t', 'plain'); COMMIT",
};

// What the rules make of the source's rows, and what the target has of them.
struct Query {
    const char* source;
    const char* target;
};
constexpr Query queries[] = {
    {"SELECT string_agg(concat_ws('|', id, left(email, 1) || repeat('*', length(email) - 2) || right(email, 1), "
     "doc->'n', "
     "plain), E'\\n' ORDER BY id) FROM people",
     "SELECT string_agg(concat_ws('|', id, email, doc->'n', plain), E'\\n' ORDER BY id) FROM people"},
    {"SELECT string_agg(concat_ws('|', id, left(note, 1) || repeat('*', length(note) - 2) || right(note, 1)), E'\\n' "
     "ORDER BY id, note) FROM whole",
     "SELECT string_agg(concat_ws('|', id, note), E'\\n' ORDER BY id, note) FROM whole"},
    {"SELECT count(*) || ' ' || string_agg(plain, ' ' ORDER BY plain) FROM logins",
     "SELECT count(*) || ' ' || string_agg(plain, ' ' ORDER BY plain) FROM logins"},
    {"SELECT string_agg(concat_ws('|', id, name, age), E'\\n' ORDER BY id) FROM adults WHERE age >= 18",
     "SELECT string_agg(concat_ws('|', id, name, age), E'\\n' ORDER BY id) FROM adults"},
    {"SELECT string_agg(concat_ws('|', tableoid::regclass, id, left(note, 1) || repeat('*', length(note) - 2) || "
     "right(note, 1)), E'\\n' ORDER BY id) FROM parts",
     "SELECT string_agg(concat_ws('|', tableoid::regclass, id, note), E'\\n' ORDER BY id) FROM parts"},
    {"SELECT string_agg(id::text, ' ' ORDER BY id) FROM gone",
     "SELECT string_agg(id::text, ' ' ORDER BY id) FROM gone"},
};

void check_rows(RuledSource& group) {
    for (const Query& query : queries) {
        CAPTURE(query.source);
        const std::string wanted = group.source_scalar(query.source);
        CHECK(group.target_scalar(query.target) == wanted);
        CHECK_FALSE(wanted.empty());
        CHECK_FALSE(contains(wanted, canary));
    }
    CHECK(group.target_scalar("SELECT count(*) FROM people WHERE doc->>'secret' = '********' AND essay = '********' "
                              "AND code IS NULL") == group.target_scalar("SELECT count(*) FROM people"));
}

const std::map<std::string, std::string> secret{{"PGSLUICE_TEST_SECRET", "s"}};

std::map<std::string, std::string> secret_and(const std::string& failpoint) {
    auto environment = secret;
    environment["PGSLUICE_FAILPOINT"] = failpoint;
    return environment;
}

}  // namespace

TEST_CASE("rules at the source: a canary in every column with a rule is nowhere beyond the source, the rest arrives") {
    for (const bool by_root : {false, true}) {
        CAPTURE(by_root);
        RuledSource group(rules_text);
        group.on_source(source_tables);
        group.on_target(target_tables);
        group.on_source(rows(1) + "INSERT INTO gone VALUES (1)");
        Texts flags{"--copy-and-stream"};
        if (by_root) flags.emplace_back("--publish-via-partition-root");
        group.start_ruled(flags, secret);
        group.start_worker();
        group.settle();
        group.on_source(rows(11));
        for (const std::string& change : changes) group.on_source(change);
        group.on_source("CREATE TABLE late (id int PRIMARY KEY, note text); INSERT INTO late VALUES (1, 'x canary y')");
        group.settle();
        CHECK(eventually("the new table's row has come", [&] {
            return group.target_scalar("SELECT string_agg(note, ' ') FROM late") == "x********y";
        }));
        check_rows(group);
        CHECK(group.found() == Texts{});
        CHECK(contains(group.messages(), "plain11"));
        CHECK(contains(group.keys(), "source_rules="));
        CHECK_FALSE(contains(group.broker->kv_get(group.names, "tables").value().text, "ssn"));
        CHECK_FALSE(contains(group.messages(), "ssn"));
        group.stop();
    }
}

TEST_CASE("rules at the source: killed anywhere in the copy or the stream, nothing shows and nothing is missing") {
    for (const std::string place : {"copy-block:3", "copy-published:2", "copy-published:5", "before-snapshot-end",
                                    "after-snapshot-end", "before-feedback:3", "after-feedback:4"}) {
        CAPTURE(place);
        RuledSource group(rules_text);
        group.on_source(source_tables);
        group.on_target(target_tables);
        group.on_source(rows(1) + "INSERT INTO gone VALUES (1)");
        group.on_source(
            "INSERT INTO people SELECT i, 'a canary b', 'canary', '{\"secret\": \"canary\", \"n\": 1}', "
            "'canary', 'canary', 'plain' FROM generate_series(1000, 9000) i");
        group.start_ruled({"--copy-and-stream"}, secret_and(place));
        if (contains(place, "feedback")) {
            group.await_stream();
            group.on_source(rows(41));
        }
        Pipeline::must_die(group.replicator());
        CHECK(group.found() == Texts{});
        group.logs += group.replicator().err();
        group.start_ruled({"--copy-and-stream"}, secret);
        group.start_worker();
        group.settle();
        group.on_source(rows(11));
        for (const std::string& change : changes) group.on_source(change);
        group.kill_replicator();
        group.start_ruled({"--copy-and-stream"}, secret);
        group.settle();
        check_rows(group);
        CHECK(group.found() == Texts{});
        group.stop();
    }
}

TEST_CASE(
    "rules at the source: without them the same search finds the canary in the stream and in nats-server's files") {
    RuledSource group(rules_text);
    group.on_source(source_tables);
    group.on_source(rows(1));
    group.start_replicator();
    group.await_stream();
    CHECK(contains(group.messages(), canary));
    CHECK(eventually("nats-server has written it", [&] { return group.found() == Texts{"stream", "store"}; }));
    group.stop_replicator();
}
