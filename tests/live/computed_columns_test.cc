// Columns of the target that expressions over the source's row make: set.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>

#include "tests/live/compare_fixture.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

// A routing file that may be written again.
class Routing {
   public:
    explicit Routing(const std::string& text) { write(text); }
    void write(const std::string& text) { std::ofstream(path) << text; }
    const std::string path = temporary_directory("routing") + "/routing.yaml";
};

constexpr const char* people =
    "CREATE TABLE people (id int PRIMARY KEY, first text NOT NULL DEFAULT 'x', last varchar(40), note text, amount "
    "numeric(10,2), born date);"
    "CREATE INDEX by_first ON people (first); CREATE INDEX by_last ON people (last);"
    "ALTER TABLE people ALTER note SET STORAGE EXTERNAL;"
    "INSERT INTO people SELECT i, 'First' || i, CASE WHEN i % 5 > 0 THEN 'Läst' || i END, repeat('long ', 1000), i * "
    "1.01, date '2000-01-01' + i FROM generate_series(1, 500) i";

constexpr const char* set = R"(people:
  set:
    first: substring(first from 1 for 1) || '.'
    full_name: first || ' ' || last
    note_size: length(note)
    gross: amount * 1.19
    due: born + 30
    adult: CASE WHEN born < date '2001-01-01' THEN true ELSE false END
)";
constexpr const char* as_set =
    "(SELECT id, substring(first from 1 for 1) || '.' AS first, last, note, amount, born, first || ' ' || last AS "
    "full_name, length(note) AS note_size, amount * 1.19 AS gross, born + 30 AS due, coalesce(born < date "
    "'2001-01-01', false) AS adult "
    "FROM people)";

void write(Pipeline& pipeline) {
    pipeline.on_source("UPDATE people SET first = 'New' || id WHERE id < 50");  // unchanged TOAST
    pipeline.on_source("UPDATE people SET note = 'short', amount = NULL WHERE id < 20");
    pipeline.on_source("UPDATE people SET id = 1000 WHERE id = 60; DELETE FROM people WHERE id = 61");
    pipeline.on_source("INSERT INTO people VALUES (2000, 'Ann', 'Lee', NULL, 0.05, NULL)");
    pipeline.on_source(
        "BEGIN; INSERT INTO people VALUES (2001, 'A', 'B', 'c', 1, 'infinity'); UPDATE people SET last "
        "= 'C' WHERE id = 2001; COMMIT");
}

void check_same(Pipeline& pipeline, const Routing& file) {
    pipeline.settle();
    CHECK(pipeline.target_sum("people") == pipeline.source_sum(as_set));
    const Finished compared = run_compare(pipeline, {"--routing-config", file.path});
    CHECK_MESSAGE(compared.code == 0, compared.out << compared.err);
}

std::string columns(Pipeline& pipeline) {
    return pipeline.target_scalar(
        "SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute "
        "WHERE attrelid = 'people'::regclass AND attnum > 0 AND NOT attisdropped");
}

std::string stopped(Pipeline& pipeline) {
    CHECK(pipeline.worker().wait(std::chrono::seconds(60)) != 0);
    return pipeline.worker().err();
}

}  // namespace

TEST_CASE("computed columns are made, copied and followed as PostgreSQL computes them, and compare equal") {
    Pipeline pipeline;
    Routing file(set);
    pipeline.on_source(people);
    pipeline.start_replicator({"--copy-and-stream", "--track-ddl"});
    const std::vector<std::string> flags{"--target-sync-schema", "--routing-config", file.path, "--source-url",
                                         pipeline.source_url()};
    pipeline.start_worker(flags);
    check_same(pipeline, file);
    CHECK(columns(pipeline) ==
          "id integer, first text, last character varying(40), note text, amount numeric(10,2), born date, full_name "
          "text, note_size integer, gross numeric, due date, adult boolean");
    // An index on what the expression replaces is not of the same values.
    CHECK(pipeline.target_scalar("SELECT string_agg(indexrelid::regclass::text, ' ' ORDER BY "
                                 "indexrelid::regclass::text) FROM pg_index WHERE indrelid = 'people'::regclass") ==
          "by_last people_pkey");
    write(pipeline);
    check_same(pipeline, file);

    // compare sees a value that is not as the expression makes it.
    pipeline.on_target("UPDATE people SET full_name = 'other' WHERE id = 70");
    CHECK(run_compare(pipeline, {"--routing-config", file.path}).code != 0);
    pipeline.on_source("UPDATE people SET last = last WHERE id = 70");
    check_same(pipeline, file);

    pipeline.on_source("ALTER TABLE people REPLICA IDENTITY FULL");
    pipeline.on_source("UPDATE people SET born = born + 1 WHERE id < 30; DELETE FROM people WHERE id = 31");
    check_same(pipeline, file);
    pipeline.stop();
}

TEST_CASE("captured DDL: other columns come and go, and what an expression uses stops the worker") {
    Pipeline pipeline;
    Routing file("people: {set: {full_name: \"first || ' ' || last\"}}");
    pipeline.on_source(
        "CREATE TABLE people (id int PRIMARY KEY, first text, last text, more int);"
        "INSERT INTO people VALUES (1, 'Ann', 'Lee', 7)");
    pipeline.start_replicator({"--copy-and-stream", "--track-ddl"});
    std::vector<std::string> flags{"--target-sync-schema", "--routing-config", file.path, "--source-url",
                                   pipeline.source_url()};
    pipeline.start_worker(flags);
    pipeline.settle();
    pipeline.on_source("ALTER TABLE people DROP more, ADD level int DEFAULT 3");
    pipeline.on_source("INSERT INTO people VALUES (2, 'Bob', 'Ray', 4)");
    pipeline.settle();
    CHECK(columns(pipeline) == "id integer, first text, last text, full_name text, level integer");
    CHECK(pipeline.target_rows("people") ==
          std::vector<std::string>{"(1,Ann,Lee,\"Ann Lee\",3)", "(2,Bob,Ray,\"Bob Ray\",4)"});

    pipeline.on_source("ALTER TABLE people RENAME first TO given; INSERT INTO people VALUES (3, 'Cyd', 'Fox', 5)");
    const std::string error = stopped(pipeline);
    CHECK_MESSAGE(contains(error, "its column 'first' is now named 'given'"), error);
    // The hint, and the expression.
    Routing rules("tables: {people: [{type: keep, column: given, was: first}]}");
    file.write("people: {set: {full_name: \"given || ' ' || last\"}}");
    flags.insert(flags.end(), {"--rules-config", rules.path, "--on-rules-change", "continue"});
    pipeline.start_worker(flags);
    pipeline.settle();
    CHECK(pipeline.target_rows("people") == std::vector<std::string>{"(1,Ann,Lee,\"Ann Lee\",3)",
                                                                     "(2,Bob,Ray,\"Bob Ray\",4)",
                                                                     "(3,Cyd,Fox,\"Cyd Fox\",5)"});
    pipeline.on_source("ALTER TABLE people DROP last; INSERT INTO people VALUES (4, 'Dan', 6)");
    const std::string dropped = stopped(pipeline);
    CHECK_MESSAGE(contains(dropped, "has no column 'last'"), dropped);
    CHECK(pipeline.target_scalar("SELECT count(*) FROM people") == "3");
    pipeline.stop_replicator();
}

TEST_CASE("a type that the target's column does not have is refused at start, and a missing column is named") {
    Pipeline pipeline;
    Routing file("people:\n  set:\n    full_name: first || ' ' || last\n    n: id * 1.5\n");
    pipeline.on_source(
        "CREATE TABLE people (id int PRIMARY KEY, first text, last text);"
        "INSERT INTO people VALUES (1, 'Ann', 'Lee')");
    pipeline.on_target("CREATE TABLE people (id int PRIMARY KEY, first text, last text, n int)");
    pipeline.start_replicator();
    pipeline.start_worker({"--routing-config", file.path});
    const std::string typed = stopped(pipeline);
    CHECK_MESSAGE(contains(typed, fmt::format("table 'people', column 'n' ({}:4): the expression is numeric, and "
                                              "column 'n' of the target's table 'public.people' is integer",
                                              file.path)),
                  typed);
    file.write("people:\n  set:\n    full_name: first || ' ' || last\n    n: (id * 1.5)::integer\n");
    pipeline.start_worker({"--routing-config", file.path});
    const std::string missing = stopped(pipeline);
    CHECK_MESSAGE(contains(missing, "has no column 'full_name', which the routing file computes"), missing);
    pipeline.on_target("ALTER TABLE \"public\".\"people\" ADD COLUMN full_name text");
    pipeline.start_worker({"--routing-config", file.path});
    pipeline.settle();
    CHECK(pipeline.target_rows("people") == std::vector<std::string>{"(1,Ann,Lee,2,\"Ann Lee\")"});
    pipeline.stop();
}

TEST_CASE("an update without a TOASTed value that the expression needs stops the worker, and never writes another") {
    Pipeline pipeline;
    Routing file("docs: {set: {all_of_it: \"title || body\", size: length(body)}}");
    pipeline.on_source(
        "CREATE TABLE docs (id int PRIMARY KEY, title text, body text);"
        "ALTER TABLE docs ALTER body SET STORAGE EXTERNAL;"
        "INSERT INTO docs VALUES (1, 'a', repeat('long ', 1000)), (2, 'b', 'short')");
    pipeline.start_replicator();
    pipeline.start_worker(
        {"--target-sync-schema", "--routing-config", file.path, "--source-url", pipeline.source_url()});
    constexpr const char* as_computed = "(SELECT *, title || body AS all_of_it, length(body) AS size FROM docs)";
    pipeline.settle();
    CHECK(pipeline.target_sum("docs") == pipeline.source_sum(as_computed));
    pipeline.on_source("ALTER TABLE docs REPLICA IDENTITY FULL");
    pipeline.on_source("UPDATE docs SET title = 'c'");
    pipeline.settle();
    CHECK(pipeline.target_sum("docs") == pipeline.source_sum(as_computed));
    pipeline.on_source("ALTER TABLE docs REPLICA IDENTITY DEFAULT");
    pipeline.on_source("UPDATE docs SET title = 'd' WHERE id = 2");
    pipeline.settle();
    CHECK(pipeline.target_sum("docs") == pipeline.source_sum(as_computed));
    pipeline.on_source("UPDATE docs SET title = 'e' WHERE id = 1");
    const std::string error = stopped(pipeline);
    CHECK_MESSAGE(contains(error, "table 'docs', column 'all_of_it'"), error);
    CHECK(contains(error, "the update of public.docs did not touch column 'body'"));
    CHECK(contains(error, "ALTER TABLE \"public\".\"docs\" REPLICA IDENTITY FULL"));
    CHECK(pipeline.target_scalar("SELECT title FROM docs WHERE id = 1") == "c");
    pipeline.stop_replicator();
}

TEST_CASE("history, append, line sinks and dead letters have the computed columns") {
    Pipeline pipeline;
    Routing file(
        "tables:\n"
        "  people: {mode: history, set: {full_name: \"first || ' ' || last\", size: length(note)}}\n"
        "  notes: {mode: append, columns: {sid: 7}, set: {size: length(body)}}\n");
    pipeline.on_source(
        "CREATE TABLE people (id int PRIMARY KEY, first text, last text, note text);"
        "ALTER TABLE people ALTER note SET STORAGE EXTERNAL;"
        "CREATE TABLE notes (id int PRIMARY KEY, body text);"
        "INSERT INTO people VALUES (1, 'Ann', 'Lee', repeat('long ', 1000)); INSERT INTO notes VALUES (1, 'abc')");
    pipeline.start_replicator();
    const std::vector<std::string> flags{"--target-sync-schema", "--routing-config", file.path,    "--source-url",
                                         pipeline.source_url(),  "--on-error",       "dead-letter"};
    pipeline.start_worker(flags);
    pipeline.settle();
    pipeline.on_source("UPDATE people SET last = 'Ray' WHERE id = 1");
    pipeline.on_source("UPDATE notes SET body = 'abcd'; DELETE FROM notes");
    pipeline.on_target("ALTER TABLE notes ADD CHECK (size < 10)");
    pipeline.on_source("INSERT INTO notes VALUES (2, 'much too long')");
    pipeline.settle();
    CHECK(pipeline.target_scalar("SELECT string_agg(full_name || ' ' || size || CASE WHEN valid_to = 'infinity' THEN "
                                 "' now' ELSE '' END, ', ' ORDER BY valid_from) FROM people") ==
          "Ann Lee 5000, Ann Ray 5000 now");
    CHECK(pipeline.target_rows("notes") == std::vector<std::string>{"(7,1,abcd,4)"});
    pipeline.stop_worker();
    pipeline.on_target("ALTER TABLE notes DROP CONSTRAINT notes_size_check");
    const Finished replayed = run({PGSLUICE_BINARY, "dlq", "replay", "--group", pipeline.group(), "--nats-url",
                                   shared_servers().nats.url(0), "--target-url", pipeline.target_url()},
                                  {}, std::chrono::seconds(60));
    CHECK_MESSAGE(replayed.code == 0, replayed.out << replayed.err);
    CHECK(pipeline.target_scalar("SELECT size FROM notes WHERE id = 2") == "13");

    Routing lines("tables: {people: {set: {full_name: \"first || ' ' || last\"}}}");
    const Finished out = run(pipeline.worker_argv("stdout", {"--routing-config", lines.path, "--exit-at-lsn",
                                                             pipeline.source_scalar("SELECT pg_current_wal_lsn()")}));
    CHECK_MESSAGE(out.code == 0, out.err);
    CHECK(contains(out.out, "\"full_name\":\"Ann Lee\""));
    CHECK(contains(out.out, "\"full_name\":\"Ann Ray\""));
    pipeline.stop_replicator();
}

TEST_CASE("a command that rewrites rows with another type of what an expression uses stops a target") {
    Pipeline pipeline;
    Routing file("people: {set: {next: id + 1}}");
    pipeline.on_source("CREATE TABLE people (id int PRIMARY KEY, v varchar(5)); INSERT INTO people VALUES (1, 'a')");
    pipeline.start_replicator({"--copy-and-stream", "--track-ddl"});
    pipeline.start_worker(
        {"--target-sync-schema", "--routing-config", file.path, "--source-url", pipeline.source_url()});
    pipeline.settle();
    pipeline.on_source("ALTER TABLE people ALTER v TYPE varchar(9); INSERT INTO people VALUES (2, 'b')");
    pipeline.settle();
    CHECK(columns(pipeline) == "id integer, v character varying(9), next integer");
    pipeline.on_source("ALTER TABLE people ALTER id TYPE bigint; INSERT INTO people VALUES (3, 'c')");
    CHECK(says(pipeline.worker(), "the type of column 'id' changes, and 'next' is computed from it"));
    CHECK(pipeline.target_scalar("SELECT count(*) FROM people") == "2");
    pipeline.kill_worker();
    pipeline.stop_replicator();
}

TEST_CASE("tables without a key, and partitions, have computed columns") {
    Pipeline pipeline;
    Routing file("lines: {set: {first: 'left(v, 1)', v: v || '!'}}\nev: {set: {twice: n * 2}}\n");
    pipeline.on_source(
        "CREATE TABLE lines (v text, n int); ALTER TABLE lines REPLICA IDENTITY FULL;"
        "INSERT INTO lines SELECT 'v' || i % 3, i FROM generate_series(1, 30) i; INSERT INTO lines VALUES (NULL, NULL);"
        "CREATE TABLE ev (id int, n int, PRIMARY KEY (id)) PARTITION BY RANGE (id);"
        "CREATE TABLE ev1 PARTITION OF ev FOR VALUES FROM (0) TO (100);"
        "CREATE TABLE ev2 PARTITION OF ev FOR VALUES FROM (100) TO (200);"
        "INSERT INTO ev SELECT i, i FROM generate_series(1, 150) i");
    pipeline.start_replicator();
    pipeline.start_worker(
        {"--target-sync-schema", "--routing-config", file.path, "--source-url", pipeline.source_url()});
    const auto check = [&] {
        pipeline.settle();
        CHECK(pipeline.target_sum("lines") ==
              pipeline.source_sum("(SELECT v || '!' AS v, n, left(v, 1) AS first FROM lines)"));
        CHECK(pipeline.target_sum("ev") == pipeline.source_sum("(SELECT *, n * 2 AS twice FROM ev)"));
        const Finished compared = run_compare(pipeline, {"--routing-config", file.path});
        CHECK_MESSAGE(compared.code == 0, compared.out << compared.err);
    };
    check();
    pipeline.on_source("UPDATE lines SET n = n + 1 WHERE v = 'v1'; DELETE FROM lines WHERE v = 'v2' AND n < 10");
    pipeline.on_source("UPDATE lines SET v = 'x' WHERE v IS NULL");
    pipeline.on_source(
        "UPDATE ev SET n = n + 1; UPDATE ev SET id = id + 100 WHERE id BETWEEN 51 AND 59; DELETE FROM ev WHERE id = "
        "60");
    check();
    pipeline.stop();
}

TEST_CASE("rows that another expression made are noticed, and copied again") {
    Pipeline pipeline;
    Routing file("people: {set: {full_name: \"first || ' ' || last\"}}");
    pipeline.on_source(
        "CREATE TABLE people (id int PRIMARY KEY, first text, last text);"
        "INSERT INTO people VALUES (1, 'Ann', 'Lee')");
    pipeline.start_replicator();
    std::vector<std::string> flags{"--target-sync-schema", "--routing-config", file.path, "--source-url",
                                   pipeline.source_url()};
    pipeline.start_worker(flags);
    pipeline.settle();
    pipeline.stop_worker();
    file.write("people: {set: {full_name: \"last || ', ' || first\"}}");
    pipeline.start_worker(flags);
    const std::string error = stopped(pipeline);
    CHECK_MESSAGE(contains(error, "--on-rules-change reload"), error);
    CHECK(pipeline.target_scalar("SELECT full_name FROM people") == "Ann Lee");
    flags.insert(flags.end(), {"--on-rules-change", "reload", "--target-existing-rows", "truncate"});
    pipeline.start_worker(flags);
    pipeline.on_source("INSERT INTO people VALUES (2, 'Bob', 'Ray')");
    pipeline.settle();
    CHECK(pipeline.target_rows("people") ==
          std::vector<std::string>{"(1,Ann,Lee,\"Lee, Ann\")", "(2,Bob,Ray,\"Ray, Bob\")"});
    // And after a copy of the source again.
    pipeline.stop_replicator();
    pipeline.on_target("UPDATE people SET full_name = 'other'");
    pipeline.start_replicator({"--copy-and-stream", "--resnapshot"});
    pipeline.settle();
    CHECK(pipeline.target_rows("people") ==
          std::vector<std::string>{"(1,Ann,Lee,\"Lee, Ann\")", "(2,Bob,Ray,\"Ray, Bob\")"});
    pipeline.stop();
}

TEST_CASE("pgsluice check names a column whose type does not fit, and shares of the rows are computed, too") {
    Pipeline pipeline;
    Routing file("people:\n  set: {n: id * 1.5}\n");
    pipeline.on_source("CREATE TABLE people (id int PRIMARY KEY); INSERT INTO people SELECT generate_series(1, 20)");
    pipeline.on_target("CREATE TABLE people (id int PRIMARY KEY, n int)");
    const Finished checked = run(
        {PGSLUICE_BINARY, "check", "--group", pipeline.group(), "--nats-url", shared_servers().nats.url(0),
         "--source-url", pipeline.source_url(), "--target-url", pipeline.target_url(), "--routing-config", file.path},
        {}, std::chrono::seconds(60));
    CHECK_MESSAGE(contains(checked.out, "column 'n' of the target's table 'public.people' is integer"), checked.out);
    pipeline.start_replicator();
    pipeline.await_stream();
    std::size_t rows = 0;
    for (const std::string share : {"1/2", "2/2"}) {
        const std::string directory = temporary_directory("computed");
        const Finished out = run(pipeline.worker_argv(
            "file", {"--routing-config", file.path, "--share", share, "--file-output-dir", directory, "--exit-at-lsn",
                     pipeline.source_scalar("SELECT pg_current_wal_lsn()")}));
        CHECK_MESSAGE(out.code == 0, out.err);
        rows += static_cast<std::size_t>(count(all_files(directory), "\"n\":"));
    }
    CHECK(rows == 20);
    pipeline.stop_replicator();
}
