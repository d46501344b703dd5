// What pgsluice cutover finds before it does anything; each hint is followed, and it then says that the group is ready.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/live/cutover_fixture.h"
#include "tests/support/hint.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

using Texts = std::vector<std::string>;

struct Group : Pipeline {
    Group() {
        on_both("CREATE TABLE t (id int PRIMARY KEY, v text)");
        on_source("INSERT INTO t VALUES (1, 'one')");
    }
    void begin(const Texts& worker_flags = {}, const Texts& replicator_flags = {"--copy-and-stream"}) {
        start_replicator(replicator_flags);
        start_worker(worker_flags);
        settle();
        await_streaming_worker(*this);
    }
    // Without --yes: nothing is done.
    std::string refused(const std::string& hint, const Texts& more = {}) {
        return refusal(cutover_argv(*this, more), hint);
    }
    void is_ready(const Texts& more = {}) {
        eventually("the group is ready", [&] {
            const Finished done = cut_over(*this, more);
            return done.code == 0 && contains(done.out, "is ready: 2 tables would move");
        });
    }
    void is_ready_as(const std::string& flag, const std::string& url) {
        Texts argv = cutover_argv(*this, {});
        *(std::ranges::find(argv, flag) + 1) = url;
        CHECK(run(argv).code == 0);
    }
};

std::string url_of(const std::string& url, const std::string& role) {
    const auto at = url.find("postgres@");
    REQUIRE(at != std::string::npos);
    return url.substr(0, at) + role + url.substr(at + std::string("postgres").size());
}

}  // namespace

TEST_CASE("cutover: a group whose processes do not run") {
    Group group;
    const Texts strict{"--on-conflict", "error"};
    group.begin(strict);
    group.stop_worker();
    group.refused("Start it, and wait until pgsluice status shows that it is streaming.");
    group.start_worker(strict);
    group.is_ready();
    group.refused("Give its --worker-name. See the group's workers with pgsluice status.", {"--worker-name", "other"});
    group.stop_replicator();
    group.refused("Start the group's replicator.");
    group.start_replicator();
    group.is_ready();
    group.on_target("INSERT INTO t VALUES (2, 'in the way')");
    group.on_source("INSERT INTO t VALUES (2, 'two')");
    CHECK(group.worker().wait() == 1);
    group.refused("See pgsluice status, and run it again once that is mended.");
    group.on_target("DELETE FROM t WHERE id = 2");
    group.start_worker(strict);
    group.is_ready();
    group.stop();
}

TEST_CASE("cutover: roles without the rights that it needs") {
    Group group;
    group.begin();
    PostgresServer& source = shared_servers().source;
    PostgresServer& target = shared_servers().target;
    group.on_source(
        "DROP ROLE IF EXISTS cutover_reader; CREATE ROLE cutover_reader LOGIN REPLICATION; GRANT SELECT ON t, settled "
        "TO cutover_reader");
    if (&source != &target) group.on_target("DROP ROLE IF EXISTS cutover_reader; CREATE ROLE cutover_reader LOGIN");
    group.on_target("GRANT SELECT ON t, settled TO cutover_reader");
    const std::string as_reader = url_of(source.url(group.source_db()), "cutover_reader");
    const std::string elsewhere = url_of(target.url(group.target_db()), "cutover_reader");
    const auto with = [&](const std::string& flag, const std::string& url, const Texts& more = {}) {
        Texts argv = cutover_argv(group, more);
        *(std::ranges::find(argv, flag) + 1) = url;
        return argv;
    };
    refusal(with("--source-url", as_reader), "Give a --source-url of a superuser, or of the tables' owner");
    const Finished without = run(with("--source-url", as_reader, {"--stop-writes", "none"}));
    INFO(without.err);
    CHECK(without.code == 0);
    group.on_source("GRANT CREATE ON DATABASE \"" + group.source_db() + "\" TO cutover_reader");
    refusal(with("--source-url", as_reader), "Give a --source-url of a superuser, or of the tables' owner");
    group.on_source("ALTER TABLE t OWNER TO cutover_reader; ALTER TABLE settled OWNER TO cutover_reader");
    const Finished owner = run(with("--source-url", as_reader));
    INFO(owner.err);
    CHECK(owner.code == 0);
    refusal(with("--target-url", elsewhere), "Give a --target-url of a superuser, or of a role");
    group.is_ready();
    group.stop();
    group.on_source("DROP OWNED BY cutover_reader");
    group.on_target("DROP OWNED BY cutover_reader");
}

TEST_CASE("cutover: a target that lacks something") {
    Group group;
    group.begin({"--on-error", "dead-letter"});
    group.on_target("ALTER TABLE t DROP COLUMN v");
    group.refused("Mend that, or leave the table out of the group with --exclude-tables");
    group.on_target("ALTER TABLE t ADD COLUMN v text CHECK (v <> 'refused')");
    group.is_ready();
    group.on_source("INSERT INTO t VALUES (2, 'refused')");
    group.settle();
    const std::string hint = group.refused("See them with pgsluice dlq list; apply them with pgsluice dlq replay");
    CHECK(contains(run_said(group, said(hint, "pgsluice dlq list", ";")).out, "t_v_check"));
    CHECK(run_said(group, "pgsluice dlq discard --yes").code == 0);
    group.is_ready();
    const Texts move{"--yes", "--compare", "before"};
    const std::string differs = group.refused("pgsluice compare --repair writes them again.", move);
    CHECK(!contains(differs, "dlq"));
    group.on_target("ALTER TABLE t DROP CONSTRAINT t_v_check");
    run_said(group, said(differs, "pgsluice compare --repair", " writes"));
    const Finished done = cut_over(group, move);
    INFO(done.err);
    CHECK(done.code == 0);
    group.stop();
}

TEST_CASE("cutover: a command that waits for a decision") {
    Group group;
    group.begin({"--ddl-policy", "drop column=stop"}, {"--copy-and-stream", "--track-ddl"});
    group.on_source("ALTER TABLE t DROP COLUMN v");
    CHECK(says(group.worker(), "waiting for a decision"));
    const std::string hint =
        group.refused("See it with pgsluice ddl list, and decide with pgsluice ddl apply or skip.");
    run_said(group, said(hint, "pgsluice ddl apply", " or"));
    group.settle();
    group.is_ready();
    group.stop();
}

TEST_CASE("cutover: what rules change does not lead back") {
    Group group;
    const TextFile rules("tables: {t: [{type: transform, column: v, parameters: {type: mask}}]}");
    group.begin({"--rules-config", rules.path()});
    const Texts with_rules{"--rules-config", rules.path()};
    Texts back = with_rules;
    back.insert(back.end(), {"--reverse", "back"});
    const Finished refused = cut_over(group, back);
    CHECK(refused.code == 2);
    CHECK(contains(refused.err, "HINT: Leave out --reverse."));
    group.is_ready(with_rules);
    group.stop();
}

TEST_CASE("cutover: a difference that is found afterwards is said") {
    Group group;
    group.begin();
    group.on_target("UPDATE t SET v = 'changed'");
    const Finished done = cut_over(group, {"--yes", "--compare", "after"});
    CHECK(done.code == 1);
    CHECK(contains(done.out, "the application may write to the target now"));
    CHECK(contains(done.out, "(id)=('1'): differs in v"));
    CHECK(contains(done.err, "HINT: The rows are listed above. The application may already write to the target"));
    group.stop();
}

TEST_CASE("cutover: a sample is compared, before and after") {
    Group group;
    group.on_both("CREATE TABLE log (id int PRIMARY KEY, pad text)");
    group.on_source("INSERT INTO log SELECT i, repeat('x', 300) FROM generate_series(1, 5000) i");
    group.begin();
    CHECK(contains(cut_over(group, {"--sample-percent", "5"}).out, "- compare a sample of 5 % of source and target"));
    group.on_target("DELETE FROM log WHERE id = 5000");  // the last keys are always in it
    const Finished refused = cut_over(group, {"--yes", "--sample-percent", "5"});
    CHECK(contains(refused.out, "  (id)=('5000'): missing on the target"));
    CHECK(contains(refused.err, "unable to cut over: source and target are not equal"));
    group.on_target("INSERT INTO log VALUES (5000, repeat('x', 300)); UPDATE log SET pad = 'changed' WHERE id = 4000");
    const Finished done = cut_over(group, {"--yes", "--sample-percent", "1"});
    must_succeed(done);
    CHECK(contains(done.out, "comparing a sample of 1 % of source and target while"));
    const std::string equal = "public.log: equal, ";
    CHECK(count(done.out, equal) == 2);
    CHECK(count(done.out, " rows in the sample\n") == 2);
    group.stop();
}

TEST_CASE("cutover: only the tables that are named are compared, before and after") {
    Group group;
    group.on_both("CREATE TABLE log (id int PRIMARY KEY)");
    group.on_source("INSERT INTO log SELECT i FROM generate_series(1, 100) i");
    group.begin();
    group.on_target("DELETE FROM log WHERE id = 7");
    CHECK(contains(cut_over(group, {"--yes"}).err, "unable to cut over: source and target are not equal"));
    const Finished done = cut_over(group, {"--yes", "--compare-tables", "t,settled"});
    must_succeed(done);
    CHECK(contains(done.out, "public.t: equal"));
    CHECK_FALSE(contains(done.out, "public.log"));
    group.stop();
}
