// --target-sync-schema, and tables that join a running group and are dropped before the worker comes to their copy.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

struct Joined : Pipeline {
    std::vector<std::string> words{"--target-sync-schema", "--source-url", shared_postgres().url(source_db())};

    Joined() {
        on_source("CREATE TABLE kept (id int PRIMARY KEY); INSERT INTO kept VALUES (1)");
        start_replicator({"--schemas", "public", "--copy-and-stream"});
        start_worker(words);
        settle();
        kill_worker();
        on_source("CREATE TABLE brief (id int PRIMARY KEY, v text); INSERT INTO brief VALUES (1, 'a')");
        await_log("copied 1 rows");
        on_source("INSERT INTO brief VALUES (2, 'b')");
    }

    void await_log(const std::string& text) {
        REQUIRE(eventually(text, [&] { return contains(replicator().err(), text); }));
    }

    void drop() {
        on_source("DROP TABLE brief");
        await_log("'public.brief' is no longer replicated: it was dropped");
    }
};

}  // namespace

TEST_CASE("a table that joined and is gone is made as its rows come, and the others go on") {
    Joined pipeline;
    pipeline.drop();
    pipeline.on_source("INSERT INTO kept VALUES (2)");
    pipeline.start_worker(pipeline.words);
    pipeline.check_equal({"kept"});
    INFO(pipeline.worker().err());
    CHECK(pipeline.target_scalar("SELECT string_agg(v, ' ' ORDER BY id) FROM brief") == "a b");
    CHECK(contains(pipeline.worker().err(), "the source no longer has table 'public.brief'"));
}

TEST_CASE("one that was made again with the same columns gets the definition of the new one") {
    Joined pipeline;
    pipeline.drop();
    pipeline.on_source("CREATE TABLE brief (id int PRIMARY KEY, v text); CREATE INDEX later ON brief (v)");
    pipeline.on_source("INSERT INTO brief VALUES (3, 'c')");
    pipeline.start_worker(pipeline.words);
    CHECK(eventually("the new table has been copied", [&] {
        return pipeline.target_scalar("SELECT to_regclass('brief') IS NOT NULL") == "t" &&
               pipeline.target_scalar("SELECT string_agg(v, ' ') FROM brief") == "c";
    }));
    pipeline.check_equal({"kept", "brief"});
    INFO(pipeline.worker().err());
    CHECK(pipeline.target_scalar("SELECT to_regclass('later') IS NOT NULL") == "t");
}
