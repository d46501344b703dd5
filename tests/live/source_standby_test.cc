// A group that reads a standby: what that needs, what is refused with the way out, and a promotion under way. Reading
// takes PostgreSQL 16 (tests/README.md).
#include <doctest/doctest.h>

#include "tests/support/hint.h"
#include "tests/support/pipeline.h"
#include "tests/support/text.h"
#include "tests/support/writers.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

// The pipeline's source is the primary, which writes; the replicator reads the standby.
struct FromStandby {
    PostgresServer primary;
    std::unique_ptr<PostgresServer> standby = PostgresServer::standby_of(primary);
    Pipeline pipeline{{primary, shared_postgres(), shared_nats()}};

    FromStandby() {
        pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY, v text)");
        pipeline.on_source("INSERT INTO t SELECT g, 'before' FROM generate_series(1, 1000) g");
        standby->catch_up_with(primary);
        pipeline.always({"--source-url", standby->url(pipeline.source_db())}, {});
    }

    bool can_read() { return primary.version() >= 160000; }

    Finished refused(std::vector<std::string> more) {
        more.insert(more.end(), {"--copy-and-stream", "--retry-max-attempts", "0"});
        return run(pipeline.replicator_argv(more));
    }
    void make_publication() {
        pipeline.on_source("CREATE PUBLICATION pgsluice_" + pipeline.group() +
                           " FOR TABLE ONLY public.settled, ONLY public.t WITH (publish = 'insert, update, delete, "
                           "truncate', publish_via_partition_root = false)");
        standby->catch_up_with(primary);
    }
    // An idle primary says which transactions are running only when it is asked to.
    void start() {
        pipeline.start_replicator({"--copy-and-stream", "--from-standby"});
        CHECK(says(pipeline.replicator(), "Run on the primary, as a superuser: SELECT pg_log_standby_snapshot()"));
        pipeline.on_source("SELECT pg_log_standby_snapshot()");
        pipeline.start_worker();
    }
};

}  // namespace

TEST_CASE("a standby is refused, with the way out") {
    FromStandby group;
    const auto asked_for = group.refused({"--from-standby"});
    const auto by_mistake = group.refused({});
    CAPTURE(asked_for.err);
    CAPTURE(by_mistake.err);
    CHECK(asked_for.code != 0);
    CHECK(by_mistake.code != 0);
    CHECK(contains(by_mistake.err, "it is a standby"));
    if (!group.can_read()) {
        CHECK(contains(asked_for.err, "unable to read from standby '"));
        CHECK(contains(asked_for.err, "HINT: Connect to the primary: standbys can be read from version 16 on."));
        CHECK(contains(by_mistake.err, "HINT: Connect to the primary: publications and slots are made there."));
        return;
    }
    CHECK(contains(by_mistake.err, "or read from the standby with --from-standby."));
    CHECK(contains(asked_for.err,
                   "unable to create publication 'pgsluice_" + group.pipeline.group() + "': the source is a standby"));
    const std::string hint = "HINT: Run on its primary, in database '" + group.pipeline.source_db() + "': ";
    const auto at = asked_for.err.find(hint);
    REQUIRE(at != std::string::npos);
    group.pipeline.on_source(asked_for.err.substr(at + hint.size()));  // as the hint says
    group.standby->catch_up_with(group.primary);

    const auto ddl = group.refused({"--from-standby", "--track-ddl"});
    CAPTURE(ddl.err);
    CHECK(contains(ddl.err, "unable to capture DDL: the source is a standby"));
    CHECK(contains(ddl.err, "HINT: Connect to the primary, or leave out --track-ddl."));
    group.start();
    group.pipeline.check_equal({"t"});
    group.pipeline.stop();
}

TEST_CASE("a group copies and follows a standby, while its primary is written to") {
    FromStandby group;
    if (!group.can_read()) return;
    group.make_publication();
    group.start();
    Writers writers(group.primary.connect(group.pipeline.source_db()), [](int number) {
        return "INSERT INTO public.t VALUES (" + std::to_string(1000 + number) + ", 'written') ON CONFLICT DO NOTHING";
    });
    writers.await(50);
    group.pipeline.settle();
    group.pipeline.stop_replicator();
    writers.await(50);
    group.pipeline.start_replicator({"--copy-and-stream", "--from-standby"});
    group.pipeline.end(writers, {"t"});
}

TEST_CASE("a standby that is promoted while it is read is read on, and after a restart, too") {
    FromStandby group;
    if (!group.can_read()) return;
    group.make_publication();
    group.start();
    group.pipeline.settle();
    group.standby->catch_up_with(group.primary);
    group.primary.stop_immediate();
    group.primary.fail_over_to(*group.standby);
    CHECK(says(group.pipeline.replicator(), "the source has come from timeline 1 to 2 while it is read"));
    group.pipeline.on_source("INSERT INTO t SELECT g, 'after' FROM generate_series(10001, 11000) g");
    group.pipeline.check_equal({"t"});
    group.pipeline.stop_replicator();
    group.pipeline.start_replicator({"--copy-and-stream", "--from-standby"});
    group.pipeline.on_source("DELETE FROM t WHERE id > 10500");
    group.pipeline.check_equal({"t"});
    group.pipeline.stop();
}
