// A group's whole life with everything that keeps others out, at once (support/hardening.h): client certificates on all
// three links, least rights, sealed streams.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

struct Hardened {
    PostgresServer postgres{{.hardened = true}};
    NatsServer nats{{.hardened = true}};
    Pipeline pipeline{{postgres, postgres, nats}};

    // With the NATS user, and, where it needs databases, as the roles of replicator and worker.
    Finished command(const std::string& user, const std::vector<std::string>& words) const {
        return run(pipeline.command_argv(user, words));
    }
    [[nodiscard]] std::vector<std::string> with_databases(std::vector<std::string> words) const {
        words.insert(words.end(), {"--source-url", pipeline.source_url(), "--target-url", pipeline.target_url()});
        return words;
    }
};

const std::vector<std::string> parks{"--on-error", "dead-letter"};

}  // namespace

TEST_CASE("snapshot, stream, trimming, dead letters, restarts, resnapshot, compare and teardown, all hardened") {
    Hardened hardened;
    Pipeline& pipeline = hardened.pipeline;
    pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY, v int, s serial)");
    pipeline.on_target("ALTER TABLE t ADD CHECK (v <> 13)");
    pipeline.on_source("INSERT INTO t SELECT i, 1 FROM generate_series(1, 1000) i");
    const std::vector<std::string> trims{"--copy-and-stream", "--stream-retain", "0s"};
    pipeline.start_replicator(trims);
    pipeline.start_worker(parks);
    pipeline.check_equal({"t"});
    CHECK(pipeline.source_scalar("SELECT string_agg(DISTINCT usename, ',') FROM pg_stat_ssl s JOIN pg_stat_activity a "
                                 "USING (pid) WHERE ssl AND client_dn IS NOT NULL") == "reader,writer");

    pipeline.on_source(
        "UPDATE t SET v = 2 WHERE id < 500; DELETE FROM t WHERE id > 900; INSERT INTO t VALUES (2000, 13)");
    pipeline.settle();
    const Finished letters = hardened.command("viewer", {"dlq", "list"});
    must_succeed(letters);
    CHECK(contains(letters.out, "insert of 'public.t'"));
    pipeline.stop();
    pipeline.on_target("ALTER TABLE t DROP CONSTRAINT t_v_check");
    must_succeed(hardened.command("operator", {"dlq", "replay", "--target-url", pipeline.target_url()}));

    pipeline.start_replicator(trims);
    pipeline.start_worker(parks);
    pipeline.check_equal({"t"});
    eventually("the stream is trimmed", [&] {
        const Finished status = hardened.command("viewer", {"status", "--raw"});
        return status.code == 0 && !contains(status.out, "(1 to ");
    });
    must_succeed(hardened.command("viewer", {"tables"}));
    must_succeed(hardened.command("operator", hardened.with_databases({"compare"})));
    must_succeed(hardened.command("operator", {"resnapshot", "--tables", "t"}));
    pipeline.on_source("INSERT INTO t VALUES (3000, 3)");
    // The replicator takes the request up within four seconds, and the copy begins with an empty table.
    eventually("the table is copied again",
               [&] { return contains(pipeline.worker().err(), "snapshot complete: epoch 2"); });
    pipeline.check_equal({"t"});
    must_succeed(hardened.command("operator", {"repair", "--yes"}));
    pipeline.stop();
    must_succeed(hardened.command("operator", hardened.with_databases({"teardown", "--yes"})));
    CHECK_FALSE(contains(hardened.nats.log(), "Violation"));
}

TEST_CASE("who has no certificate, or another's, does not come in") {
    Hardened hardened;
    const Pipeline& pipeline = hardened.pipeline;
    const std::string url = pipeline.target_url();
    const auto refused = [&](const std::string& target) {
        auto argv = pipeline.command_argv("worker", {"worker", "postgres", "--retry-max-attempts", "0"});
        argv.insert(argv.end(), {"--target-url", target});
        const Finished finished = run(argv);
        CAPTURE(finished.err);
        CHECK(finished.code == 1);
        return finished.err;
    };
    CHECK(contains(refused(url.substr(0, url.find("&sslcert"))), "requires a valid client certificate"));
    std::string other = url;
    other.replace(other.find("writer@"), 7, "reader@");
    CHECK(contains(refused(other), "certificate authentication failed"));
}
