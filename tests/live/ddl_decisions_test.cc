// A command that --ddl-policy stops at is decided on alone, by `pgsluice ddl`; what comes after it is applied.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

const std::vector<std::string> policy = {"--ddl-policy", "drop column=stop"};

struct Decided : Pipeline {
    Decided() {
        on_both("CREATE TABLE t (id int PRIMARY KEY, v text, w text)");
        start_replicator({"--copy-and-stream", "--track-ddl"});
        start_worker(policy);
        settle();
        on_source("ALTER TABLE t DROP COLUMN w");
        on_source("ALTER TABLE t ADD COLUMN n int DEFAULT 7");
        on_source("INSERT INTO t VALUES (1, 'one')");
        CHECK(worker().wait(std::chrono::seconds(60)) == 1);
        CHECK(contains(worker().err(), "pgsluice ddl skip --group " + group() + " --worker-name postgres"));
    }
    Finished ddl(const std::string& what) {
        return run({PGSLUICE_BINARY, "ddl", what, "--group", group(), "--worker-name", "postgres", "--nats-url",
                    shared_nats().url()});
    }
    std::string columns() {
        return target_scalar(
            "SELECT string_agg(attname, ',' ORDER BY attname) FROM pg_attribute WHERE attrelid = 't'::regclass AND "
            "attnum > 0 AND NOT attisdropped");
    }
};

}  // namespace

TEST_CASE("a command is left out, and those after it are applied") {
    Decided group;
    const Finished listed = group.ddl("list");
    INFO(listed.err);
    CHECK(contains(listed.out, "worker 'postgres': drop column on table 'public.t'"));
    CHECK(contains(listed.out, "DROP COLUMN \"w\""));
    CHECK(contains(group.ddl("skip").out, "decided: skip; start the worker again"));
    CHECK(group.ddl("list").out == "no command waits for a decision\n");
    CHECK(group.ddl("skip").code == 1);
    group.start_worker(policy);
    group.settle();
    CHECK(group.columns() == "id,n,v,w");
    CHECK(group.target_rows("(SELECT id, v, n FROM t)") == std::vector<std::string>{"(1,one,7)"});
    group.stop();
}

TEST_CASE("a command is applied after all") {
    Decided group;
    CHECK(contains(group.ddl("apply").out, "decided: apply; start the worker again"));
    group.start_worker(policy);
    group.check_equal({"t"});
    CHECK(group.columns() == "id,n,v");
    group.stop();
}
