// What is left of a set of shares when another takes over: killed in the middle of that, dead letters of shares that
// are no longer there, and commands that need one worker for all rows.
#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <memory>
#include <set>

#include "tests/live/cutover_fixture.h"
#include "tests/live/shares_fixture.h"
#include "tests/support/hint.h"
#include "tests/support/http_receiver.h"
#include "tests/support/text.h"
#include "tests/support/writers.h"
#include "tests/unit/rules_fixture.h"
#include "worker/share/filter.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

struct Posts : Pipeline {
    std::atomic<bool> refuses{false};
    HttpReceiver receiver{[this](const HttpRequest& request) -> HttpReply {
        return {refuses && contains(request.body, R"("n":13,)") ? 422 : 200, {}, HttpReply::Manner::whole, ""};
    }};
    std::atomic<int> written = 0;
    std::optional<Writers> writers;
    std::vector<Process> workers;

    Posts() {
        on_source(
            "CREATE SEQUENCE tick; CREATE TABLE t (id int PRIMARY KEY, n bigint NOT NULL DEFAULT "
            "nextval('public.tick'), pad text); INSERT INTO t SELECT i FROM generate_series(1, 60) i");
        start_replicator();
        await_stream();
    }
    [[nodiscard]] std::vector<std::string> argv(int number, int count, std::vector<std::string> more = {}) const {
        more.insert(more.end(),
                    {"--webhook-url", receiver.url(), "--share", std::to_string(number) + "/" + std::to_string(count)});
        return worker_argv("webhook", more);
    }
    void start_all(int count, const std::vector<std::string>& more = {}) {
        for (int number = 1; number <= count; ++number) workers.emplace_back(ProcessOptions{argv(number, count, more)});
    }
    void await_reading() {
        for (Process& worker : workers) says(worker, "reads stream");
    }
    void await_all() {
        for (Process& worker : workers) must_end(worker);
        workers.clear();
    }
    void stop_all() {
        for (Process& worker : workers) worker.signal(SIGTERM);
        await_all();
    }
    // Each change of a key has a greater n than the one before; one session, so they grow in the order of commits.
    void write() {
        writers.emplace(
            shared_servers().source.connect(source_db()),
            [this](int) {
                const std::string id = std::to_string(100 + ++written);
                return "UPDATE public.t SET n = nextval('public.tick') WHERE id = " + std::to_string(written % 60 + 1) +
                       "; INSERT INTO public.t VALUES (" + id + ")" +
                       (written % 9 == 0 ? "; UPDATE public.t SET id = -id, n = nextval('public.tick') WHERE id = " + id
                                         : "");
            },
            1);
    }
    // All that was written is there, and what is there again has the key that it had.
    void check_delivered() {
        std::set<std::string> seen;
        std::set<std::int64_t> ticks;
        std::map<std::string, std::int64_t> last;
        for (const HttpRequest& request : receiver.requests()) {
            if (!seen.insert(request.headers.at("idempotency-key")).second) continue;
            const Line line = read(request.body);
            if (line.type == "DELETE") continue;
            ticks.insert(line.n);
            std::int64_t& before = last[line.key];
            CHECK(before < line.n);
            before = line.n;
        }
        const auto all = std::stoull(source_scalar("SELECT last_value FROM tick"));
        CHECK(all > 300);
        CHECK(ticks.size() == all);
    }
};

std::string share_that_parked(const Finished& list) { return after(list.out, "parked by worker '", "'"); }

}  // namespace

#ifdef PGSLUICE_FAILPOINTS
TEST_CASE("a takeover of webhooks' shares that is killed anywhere is ended by the next start: nothing is lost") {
    const std::vector<std::string> places{"share-retired", "share-retired:2", "share-prepared", "share-prepared:3",
                                          "share-removed"};
    std::vector<std::unique_ptr<Posts>> groups;
    for (const std::string& place : places) {
        CAPTURE(place);
        Posts& group = *groups.emplace_back(std::make_unique<Posts>());
        group.start_all(2);
        group.await_reading();
        group.write();
        group.writers->await(80);
        group.stop_all();
        group.writers->await(20);
        group.writers->stop();
        Process dying({.argv = group.argv(1, 3), .environment = {{"PGSLUICE_FAILPOINT", place}}});
        Pipeline::must_die(dying);
        CHECK_FALSE(contains(dying.err(), "reads stream"));
    }
    for (const auto& group : groups) group->start_all(3);  // they wait a moment whether the one that died goes on
    for (std::size_t i = 0; i < groups.size(); ++i) {
        CAPTURE(places[i]);
        Posts& group = *groups[i];
        group.await_reading();
        group.write();
        group.writers->await(80);
        group.writers->stop();
        group.stop_all();
        group.start_all(3, {"--exit-at-lsn", next_lsn(group)});
        group.await_all();
        group.check_delivered();
        group.stop_replicator();
    }
}
#endif

TEST_CASE("dead letters of a webhook's share that is no longer there are posted by its name") {
    Posts group;
    group.refuses = true;
    group.start_all(2, {"--on-error", "dead-letter", "--exit-at-lsn", next_lsn(group)});
    group.await_all();
    group.start_all(3, {"--on-error", "dead-letter", "--exit-at-lsn", next_lsn(group)});
    group.await_all();
    const Finished list = run(group.command_argv("reader", {"dlq", "list"}));
    const std::string parked_by = share_that_parked(list);
    REQUIRE(contains(parked_by, "of2"));
    const std::string number = after(parked_by, "webhook-", "o");
    const auto replay = [&](const std::string& share) {
        return run(
            group.command_argv("reader", {"dlq", "replay", "--share", share, "--webhook-url", group.receiver.url()}));
    };
    group.refuses = false;
    const std::size_t posted = group.receiver.requests().size();
    CHECK(contains(replay(number + "/3").out, "replayed 0 dead letters of worker 'webhook-" + number + "of3'"));
    CHECK(contains(replay(number + "/2").out, "replayed 1 dead letters of worker '" + parked_by + "'"));
    const auto requests = group.receiver.requests();
    REQUIRE(requests.size() == posted + 1);
    CHECK(contains(requests.back().body, R"("n":13,)"));
    CHECK(contains(run(group.command_argv("reader", {"dlq", "list"})).out, "there are no dead letters"));
    group.stop_replicator();
}

namespace {

// Shares by table of a target that refuses one row.
struct ByTable : Pipeline {
    explicit ByTable(const std::vector<std::string>& mode = {"--copy-and-stream"},
                     const std::map<std::string, std::string>& environment = {}) {
        on_both("CREATE TABLE t (id int PRIMARY KEY, v int)");
        on_source("INSERT INTO t VALUES (1, 1)");
        start_replicator(mode, environment);
        await_stream();
    }
    [[nodiscard]] std::vector<std::string> argv(int number, int count, std::vector<std::string> more = {}) const {
        more.insert(more.end(), {"--target-ddl", "ignore", "--on-error", "dead-letter", "--share-by", "table",
                                 "--share", std::to_string(number) + "/" + std::to_string(count)});
        return worker_argv("postgres", more);
    }
    void run_all(int count, std::vector<std::string> more = {}) {
        more.insert(more.end(), {"--exit-at-lsn", next()});
        for (int number = 1; number <= count; ++number) must_succeed(run(argv(number, count, more)));
    }
    // A change after it, so that a worker that is up to date sees that it is.
    std::string next() {
        on_source("UPDATE t SET v = v WHERE id = 1");
        return source_scalar("SELECT pg_current_wal_lsn()");
    }
    Finished replay(const std::string& share) {
        return run(command_argv(
            "reader", {"dlq", "replay", "--share-by", "table", "--share", share, "--target-url", target_url()}));
    }
};

}  // namespace

TEST_CASE("dead letters of a table's share that is no longer there are applied, unless a copy has brought the row") {
    ByTable group;
    group.on_target("ALTER TABLE t ADD CHECK (v <> 13)");
    group.run_all(2);
    group.on_source("INSERT INTO t VALUES (2, 13)");
    group.run_all(2);
    const std::string parked_by = share_that_parked(run(group.command_argv("reader", {"dlq", "list"})));
    REQUIRE(contains(parked_by, "of2-table"));
    const std::string share = after(parked_by, "postgres-", "o") + "/2";
    CHECK(group.replay(share).code == 1);
    group.run_all(3);
    SUBCASE("applied") {
        group.on_target("ALTER TABLE t DROP CONSTRAINT t_v_check");
        CHECK(contains(group.replay(share).out, "replayed 1 dead letters of worker '" + parked_by + "'"));
    }
    SUBCASE("the copy has brought it") {
        group.on_source("UPDATE t SET v = 14 WHERE id = 2");
        group.stop_replicator();
        group.start_replicator({"--copy-and-stream", "--resnapshot"});
        group.await_stream();
        group.run_all(3, {"--target-existing-rows", "truncate"});
        group.on_target("ALTER TABLE t DROP CONSTRAINT t_v_check");
        const Finished replayed = group.replay(share);
        CHECK(contains(replayed.out, "replayed 0 dead letters of worker '" + parked_by + "'"));
        CHECK(contains(replayed.out, "dropped 1 whose changes had already been applied"));
    }
    CHECK(group.target_rows("t") == group.source_rows("t"));
    CHECK(contains(run(group.command_argv("reader", {"dlq", "list"})).out, "there are no dead letters"));
    group.stop_replicator();
}

TEST_CASE("what shares delivered by different rules is mixed for those that take over") {
    const rules_test::TextFile rules("tables: {t: [{type: transform, column: pad, parameters: {type: redact}}]}");
    const std::vector<std::string> masked{"--rules-config", rules.path()};
    const auto end = [](std::vector<std::string> more, const std::string& lsn) {
        more.insert(more.end(), {"--exit-at-lsn", lsn});
        return more;
    };
    const auto refuses = [](const Finished& finished, const std::string& difference) {
        CHECK(finished.code == 1);
        CHECK(contains(finished.err, "public.t (" + difference + ")"));
    };
    const std::string mixed = "rows from before and after an earlier change";
    SUBCASE("noted in the group's bucket") {
        Posts group;
        const std::string lsn = next_lsn(group);
        must_succeed(run(group.argv(1, 2, end({}, lsn))));
        must_succeed(run(group.argv(2, 2, end(masked, lsn))));
        refuses(run(group.argv(1, 1, end(masked, lsn))), mixed);
        refuses(run(group.argv(1, 1, end({}, lsn))), mixed);
        must_succeed(
            run(group.argv(1, 1, end({"--rules-config", rules.path(), "--on-rules-change", "continue"}, lsn))));
        must_succeed(run(group.argv(1, 1, end(masked, lsn))));
        group.stop_replicator();
    }
    SUBCASE("noted on the target, where a table is in one share") {
        ByTable group;
        group.on_both("ALTER TABLE t ADD pad text");
        const std::string lsn = group.next();
        const int owner = static_cast<int>(share_number({.schema = "public", .table = "t"}, {1, 2, ShareBy::table}));
        must_succeed(run(group.argv(3 - owner, 2, end(masked, lsn))));
        must_succeed(run(group.argv(owner, 2, end({}, lsn))));
        refuses(
            run(group.worker_argv("postgres", end({"--target-ddl", "ignore", "--rules-config", rules.path()}, lsn))),
            "column 'pad'");
        group.stop_replicator();
    }
}

TEST_CASE("those that take over write the rows that a route's constants tell from others'") {
    ByTable group;
    group.on_target("DROP TABLE t; CREATE TABLE t (sid int, id int, v int, PRIMARY KEY (sid, id))");
    const rules_test::TextFile routes("tables: {t: {columns: {sid: 7}}}");
    for (const int count : {2, 3, 2}) {
        group.on_source("UPDATE t SET v = v + 1");
        group.run_all(count, {"--routing-config", routes.path()});
    }
    CHECK(group.target_rows("t") == std::vector<std::string>{"(7,1,4)"});
    group.stop_replicator();
}

// What a copy is to write over is noted on the target, by the worker that was told so.
TEST_CASE("rows that the operator kept are kept by those that take over, until the copy has come") {
    const std::vector<std::string> tracked{"--copy-and-stream", "--track-ddl"};
    ByTable group(tracked, {{"PGSLUICE_FAILPOINT", "before-added-copy"}});
    group.start_worker({"--ddl-policy", "recopy=ignore"});
    group.settle();
    group.on_target("ALTER TABLE t ADD own int; UPDATE t SET own = 10");
    group.on_source("ALTER TABLE t ADD n bigserial");
    Pipeline::must_die(group.replicator());
    const auto kept_by = [&] {
        return group.target_scalar(
            "SELECT coalesce(string_agg(worker, ' ' ORDER BY worker), '') FROM pgsluice.unchecked WHERE class = "
            "'kept'");
    };
    CHECK(eventually("the worker has met the command", [&] { return kept_by() == "postgres"; }));
    group.stop_worker();
    std::vector<Process> shares;
    for (int number = 1; number <= 2; ++number) shares.emplace_back(ProcessOptions{group.argv(number, 2)});
    for (Process& share : shares) says(share, "reads stream");
    group.start_replicator(tracked);
    for (Process& share : shares) says(share, "snapshot complete: epoch ");
    CHECK(group.target_rows("(SELECT id, n, own FROM t)") == std::vector<std::string>{"(1,1,10)"});
    for (Process& share : shares) {
        share.signal(SIGTERM);
        must_end(share);
    }
    group.start_worker({"--ddl-policy", "recopy=ignore"});
    group.settle();
    CHECK_FALSE(contains(" " + kept_by() + " ", " postgres "));  // the next copy empties the table
    group.stop();
}

TEST_CASE("what a set of shares of which one was forgotten delivered by other rules is not taken for the new set's") {
    const rules_test::TextFile rules("tables: {t: [{type: transform, column: pad, parameters: {type: redact}}]}");
    Posts group;
    const std::string lsn = next_lsn(group);
    for (const int number : {1, 2}) must_succeed(run(group.argv(number, 2, {"--exit-at-lsn", lsn})));
    must_succeed(run({PGSLUICE_BINARY, "forget", "--group", group.group(), "--nats-url", shared_nats().url(),
                      "--worker-name", "webhook", "--share", "1/2"}));
    const std::size_t before = group.receiver.requests().size();
    const auto masked = [&](const std::string& on_change) {
        return run(
            group.argv(1, 1, {"--rules-config", rules.path(), "--on-rules-change", on_change, "--exit-at-lsn", lsn}));
    };
    const Finished refused = masked("stop");
    CHECK(refused.code == 1);
    CHECK(contains(refused.err, "public.t (column 'pad')"));
    CHECK(contains(refused.err, "start the worker once with --on-rules-change reload"));
    CHECK(group.receiver.requests().size() == before);
    must_succeed(masked("reload"));
    const auto requests = group.receiver.requests();
    std::set<std::string> keys;
    for (std::size_t i = before; i < requests.size(); ++i) keys.insert(read(requests[i].body).key);
    CHECK(std::to_string(keys.size()) == group.source_scalar("SELECT count(*) FROM t"));
    group.stop_replicator();
}

TEST_CASE("all rows of a new set are delivered again by other rules, also those that an old share was ahead with") {
    const rules_test::TextFile rules("tables: {t: [{type: transform, column: pad, parameters: {type: redact}}]}");
    Posts group;
    const auto until = [&](const std::string& lsn, std::vector<std::string> more = {}) {
        more.insert(more.end(), {"--exit-at-lsn", lsn});
        return more;
    };
    must_succeed(run(group.argv(1, 2, until(next_lsn(group)))));
    const std::string lsn = next_lsn(group);
    must_succeed(run(group.argv(2, 2, until(lsn))));
    const std::size_t before = group.receiver.requests().size();
    must_succeed(run(group.argv(1, 1, until(lsn, {"--rules-config", rules.path(), "--on-rules-change", "reload"}))));
    std::set<std::string> keys;
    const auto requests = group.receiver.requests();
    for (std::size_t i = before; i < requests.size(); ++i) keys.insert(read(requests[i].body).key);
    CHECK(std::to_string(keys.size()) == group.source_scalar("SELECT count(*) FROM t"));
    group.stop_replicator();
}

TEST_CASE("compare and cutover refuse a worker whose rows are shared, until one takes over") {
    ByTable group;
    std::vector<Process> shares;
    for (int number = 1; number <= 2; ++number)
        shares.emplace_back(ProcessOptions{group.argv(number, 2, {"--worker-name", "w"})});
    for (Process& share : shares) says(share, "reads stream");
    const std::string hint = "Stop all of them, and start one worker of that name without --share, which takes over.";
    const Finished refused = run_compare(group, {"--worker-name", "w"});
    CHECK(refused.code == 1);
    CHECK(contains(refused.err, "the rows of worker 'w' are shared by several, one of them 'w-1of2-table'"));
    CHECK(hint_in(refused.err) == hint);
    refusal(cutover_argv(group, {"--worker-name", "w"}), hint);
    for (Process& share : shares) {
        share.signal(SIGTERM);
        must_end(share);
    }
    refusal(cutover_argv(group, {"--worker-name", "w"}), hint);
    Process one({.argv = group.worker_argv("postgres", {"--worker-name", "w"})});
    says(one, "reads stream");
    must_succeed(run_compare(group, {"--worker-name", "w"}));
    must_succeed(cut_over(group, {"--worker-name", "w"}));  // says what it would do
    one.signal(SIGTERM);
    must_end(one);
    group.stop_replicator();
}
