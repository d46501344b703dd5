// Commands that a worker does not apply, for the target has what the source does not: it waits for a decision, or ends.
// None of that is lost in silence, and after `pgsluice ddl skip` what follows is applied. replicator/DDL.md lists them.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <vector>

#include "tests/support/generated_page.h"
#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

struct Stop {
    const char* form;
    const char* has;        // what the target has of its own, in words
    const char* on_target;  // and as a command
    bool waits;             // else the worker ends
    const char* says;       // part of what it says
    const char* decision = "skip";
};

// Of table t (id int PRIMARY KEY, v text), and p, partitioned by id.
constexpr Stop stops[] = {
    {"DROP TABLE t", "a column", "ALTER TABLE t ADD own int", true, "has a column 'own' of its own"},
    {"DROP TABLE t", "a view on the table", "CREATE VIEW w AS SELECT * FROM t", true, "depends on"},
    {"DROP TABLE p", "a partition", "CREATE TABLE p9 PARTITION OF p FOR VALUES FROM (90) TO (99)", true,
     "has a partition public.p9 of its own"},
    {"ALTER TABLE t DROP COLUMN v", "a view on the column", "CREATE VIEW w AS SELECT v FROM t", true, "depends on"},
    {"ALTER TABLE t DROP COLUMN v", "an index on the column", "CREATE INDEX own ON t (v)", true,
     "would go with the column: index public.own"},
    {"ALTER TABLE t DROP COLUMN v", "a constraint on the column", "ALTER TABLE t ADD CHECK (v <> 'x' AND id > 0)", true,
     "would go with the column: constraint t_check on table public.t"},
    {"ALTER TABLE t ALTER v TYPE int USING length(v)", "a column, and the rows are to be copied again",
     "ALTER TABLE t ADD own int", true, "has a column 'own' of its own", "apply"},
    {"ALTER TABLE t ALTER v TYPE varchar(90)", "a view on the column", "CREATE VIEW w AS SELECT v FROM t", false,
     "cannot alter type of a column used by a view"},
    {"ALTER TABLE t ADD n int", "a column of that name", "ALTER TABLE t ADD n text", false, "already exists"},
    {"ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0)", "a row that it forbids", "INSERT INTO t VALUES (-1)", false,
     "is violated by some row"},
    {"CREATE INDEX i ON t (v)", "an index of that name", "CREATE INDEX i ON t (id)", false, "already exists"},
    {"CREATE TABLE u (id int PRIMARY KEY)", "a table of that name", "CREATE TABLE u (own int)", false,
     "already exists"},
};

std::string page_table() {
    std::string text = "\n| command | the target has of its own | the worker |\n| --- | --- | --- |\n";
    for (const Stop& stop : stops)
        text += fmt::format("| {} | {} | {}: `... {} ...` |\n", as_code(stop.form), stop.has,
                            stop.waits ? "waits" : "ends with code 1", stop.says);
    return text + "\n";
}

class Stopping : public Pipeline {
   public:
    Stopping() {
        on_both(
            "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id); "
            "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (9)");
        on_source("INSERT INTO t VALUES (1, 'a')");
        start({"--copy-and-stream", "--track-ddl"});
        settle();
    }
    void check(const Stop& given) {
        CAPTURE(given.form);
        on_target(given.on_target);
        on_source(given.form);
        const std::string said = std::string(given.waits ? "waiting for a decision: " : "error: ") + "unable to apply ";
        CHECK(says(worker(), said));
        CHECK(contains(worker().err(), given.says));
        if (!given.waits) CHECK(worker().wait() == 1);
        decide(given);
        on_source("CREATE TABLE after (id int PRIMARY KEY); INSERT INTO after VALUES (1)");
        const bool followed = eventually("what follows is applied", [&] {
            return target_scalar("SELECT to_regclass('after') IS NOT NULL") == "t" && target_rows("after").size() == 1;
        });
        CHECK_MESSAGE(followed, worker().err());
        stop();
    }

   private:
    void decide(const Stop& given) {
        const Finished decided = run(command_argv("operator", {"ddl", given.decision, "--worker-name", "postgres"}));
        CAPTURE(decided.err);
        CHECK(contains(decided.out, std::string("decided: ") + given.decision));
        if (!given.waits) start_worker();
    }
};

}  // namespace

TEST_CASE("what the target has of its own stops a command, and nothing else") {
    for (const Stop& stop : stops) Stopping().check(stop);
    check_generated("replicator/DDL.md", "stops", page_table());
}
