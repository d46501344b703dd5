// Letters that a webhook worker parked before --on-rules-change reload hold what later rules may hide.
#include <doctest/doctest.h>

#include <atomic>
#include <set>

#include "tests/support/http_receiver.h"
#include "tests/support/pipeline.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

using Args = std::vector<std::string>;

// One row in the copy and one change of it, which the receiver refuses.
struct Refused : Pipeline {
    Refused() {
        on_source(
            "CREATE TABLE users (id int PRIMARY KEY, email text); INSERT INTO users VALUES (1, 'old@example.com'), "
            "(2, 'two@example.com')");
        start_replicator();
        await_stream();
        on_source("UPDATE users SET email = 'new@example.com' WHERE id = 1");
        lsn = source_scalar("SELECT pg_current_wal_lsn()");
    }
    Finished deliver(Args more) {
        more.insert(more.end(), {"--webhook-url", receiver.url(), "--on-error", "dead-letter", "--exit-at-lsn", lsn});
        return run(worker_argv("webhook", std::move(more)));
    }
    Finished command(Args words) {
        words.insert(words.begin(), PGSLUICE_BINARY);
        words.insert(words.end(), {"--group", group(), "--nats-url", shared_nats().url()});
        return run(words);
    }
    // What a replay posts.
    std::vector<HttpRequest> replay(const std::string& says) {
        const std::size_t before = receiver.requests().size();
        refuses = false;
        const Finished done = command({"dlq", "replay", "--webhook-url", receiver.url()});
        CHECK_MESSAGE(done.out == says, done.out << done.err);
        auto requests = receiver.requests();
        requests.erase(requests.begin(), requests.begin() + static_cast<std::ptrdiff_t>(before));
        CHECK(contains(command({"dlq", "list"}).out, "there are no dead letters"));
        return requests;
    }

    TextFile rules{"tables: {users: [{type: transform, column: email, parameters: {type: redact}}]}"};
    std::atomic<bool> refuses{true};
    HttpReceiver receiver{[this](const HttpRequest& request) -> HttpReply {
        const bool bad = contains(request.body, R"("id":1,)") || contains(request.body, "TRUNCATE");
        return {refuses && bad ? 422 : 200, {}, HttpReply::Manner::whole, ""};
    }};
    std::string lsn;
};

}  // namespace

TEST_CASE("a change that was refused before and after a reload is replayed as the later rules left it") {
    Refused group;
    must_succeed(group.deliver({}));
    must_succeed(group.deliver({"--rules-config", group.rules.path(), "--on-rules-change", "reload"}));
    const auto posted = group.replay(
        "replayed 2 dead letters of worker 'webhook'\n"
        "dropped 2 as earlier rules had left them: the reload delivered their changes again\n");
    REQUIRE(posted.size() == 2);
    for (const HttpRequest& request : posted) {
        CHECK_FALSE(contains(request.body, "@example.com"));
        CHECK(request.headers.at("idempotency-key").ends_with("~1"));
    }
    group.stop_replicator();
}

TEST_CASE("a change that a reload has delivered is not replayed as earlier rules left it") {
    Refused group;
    must_succeed(group.deliver({}));
    group.refuses = false;
    must_succeed(group.deliver({"--rules-config", group.rules.path(), "--on-rules-change", "reload"}));
    CHECK(group
              .replay("replayed 0 dead letters of worker 'webhook'\n"
                      "dropped 2 as earlier rules had left them: the reload delivered their changes again\n")
              .empty());
    group.stop_replicator();
}

TEST_CASE("what a webhook refused before a new copy is void, and is not posted after it") {
    Refused group;
    must_succeed(group.deliver({}));
    group.stop_replicator();
    group.on_source("UPDATE users SET email = 'newest@example.com' WHERE id = 1");
    group.start_replicator({"--copy-and-stream", "--resnapshot"});
    group.await_stream();
    group.on_source("DELETE FROM users WHERE id = 2");
    group.lsn = group.source_scalar("SELECT pg_current_wal_lsn()");
    group.refuses = false;
    must_succeed(group.deliver({}));
    CHECK(group
              .replay("replayed 0 dead letters of worker 'webhook'\n"
                      "dropped 2 from before a new copy of their table\n")
              .empty());
    group.stop_replicator();
}

TEST_CASE("of a truncate of several tables, what was not copied again since is posted, under its own key") {
    Refused group;
    group.on_source("CREATE TABLE others (id int PRIMARY KEY); INSERT INTO others VALUES (7)");
    group.stop_replicator();
    group.start_replicator();
    group.await_stream();
    group.on_source("TRUNCATE users, others");
    group.lsn = group.source_scalar("SELECT pg_current_wal_lsn()");
    must_succeed(group.deliver({}));
    std::set<std::string> refused;
    for (const HttpRequest& request : group.receiver.requests())
        if (contains(request.body, "TRUNCATE")) refused.insert(request.headers.at("idempotency-key"));
    REQUIRE(refused.size() == 2);
    group.stop_replicator();
    must_succeed(group.command({"resnapshot", "--tables", "users"}));
    group.start_replicator();
    group.await_stream();
    group.on_source("INSERT INTO users VALUES (5, 'five@example.com')");
    group.lsn = group.source_scalar("SELECT pg_current_wal_lsn()");
    group.refuses = false;
    must_succeed(group.deliver({}));
    eventually("the record says so", [&] {
        return contains(group.command({"tables", "--json"}).out, R"("table":"users","state":"copied")");
    });
    const auto posted = group.replay(
        "replayed 1 dead letters of worker 'webhook'\n"
        "dropped 2 from before a new copy of their table\n");
    REQUIRE(posted.size() == 1);
    CHECK(contains(posted[0].body, R"("Type":"TRUNCATE","Schema":"public","Table":"others")"));
    CHECK(posted[0].headers.at("idempotency-key").ends_with(".1"));
    CHECK(refused.contains(posted[0].headers.at("idempotency-key")));
    group.stop_replicator();
}

TEST_CASE("letters of a worker that was forgotten after a reload have the keys that were refused") {
    Refused group;
    must_succeed(group.deliver({}));
    must_succeed(group.deliver({"--rules-config", group.rules.path(), "--on-rules-change", "reload"}));
    std::set<std::string> refused;
    for (const HttpRequest& request : group.receiver.requests()) refused.insert(request.headers.at("idempotency-key"));
    must_succeed(group.command({"forget", "--worker-name", "webhook"}));
    const auto posted = group.replay(
        "replayed 2 dead letters of worker 'webhook'\n"
        "dropped 2 as earlier rules had left them: the reload delivered their changes again\n");
    REQUIRE(posted.size() == 2);
    for (const HttpRequest& request : posted) {
        CHECK(refused.contains(request.headers.at("idempotency-key")));
        CHECK_FALSE(contains(request.body, "@example.com"));
    }
    group.stop_replicator();
}

TEST_CASE("what a forgotten worker's successor delivers is another event, at every start") {
    Refused group;
    group.refuses = false;
    must_succeed(group.deliver({}));
    must_succeed(group.command({"forget", "--worker-name", "webhook"}));
    must_succeed(group.deliver({"--rules-config", group.rules.path()}));
    group.on_source("INSERT INTO users VALUES (3, 'three@example.com')");
    group.lsn = group.source_scalar("SELECT pg_current_wal_lsn()");
    must_succeed(group.deliver({"--rules-config", group.rules.path()}));
    const auto requests = group.receiver.requests();
    REQUIRE(requests.size() == 3 + 3 + 1);
    for (std::size_t i = 3; i < requests.size(); ++i) CHECK(requests[i].headers.at("idempotency-key").ends_with("~1"));
    CHECK(group.command({"repair"}).out == "group '" + group.group() + "' holds nothing foreign\n");
    group.stop_replicator();
}
