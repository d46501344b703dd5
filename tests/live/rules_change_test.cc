// A worker started again with other files or flags: what it has delivered is not left as it is without a word.
#include <doctest/doctest.h>

#include <functional>
#include <set>

#include "stream/broker.h"
#include "tests/support/http_receiver.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"
#include "tests/support/user_stream.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

using Args = std::vector<std::string>;

constexpr const char* hides = R"(
tables:
  users:
    - {type: transform, column: email, parameters: {type: redact}}
    - {type: exclude_column, column: ssn}
)";

struct Users : Pipeline {
    Users() : rules(hides), broker(connect_broker()) {
        on_both("CREATE TABLE users (id int PRIMARY KEY, email text, ssn text)");
        on_source(
            "INSERT INTO users SELECT i, 'u' || i || '@example.com', 'ssn-' || i FROM generate_series(1, 20000) i");
    }
    // Rows of the target that show what the rules hide.
    std::string raw() { return target_scalar("SELECT count(*) FROM users WHERE email LIKE '%@%' OR ssn IS NOT NULL"); }
    std::string rows() { return target_scalar("SELECT count(*) FROM users"); }
    [[nodiscard]] Args with_rules(Args more = {}) const {
        more.insert(more.begin(), {"--rules-config", rules.path()});
        return more;
    }
    void deliver_raw(Args more = {}) {
        start_replicator();
        start_worker(std::move(more));
        settle();
        REQUIRE(raw() == "20000");
        stop_worker();
    }
    void deliver(Args more) {
        start_worker(std::move(more));
        settle();
    }
    // All has been applied, so nobody needs it: reload has nothing to load from.
    void lose_the_snapshot() {
        const Names names = names_for(group());
        broker->trim(names.stream, broker->stream_state(names.stream).value().last_seq);
    }
    void resnapshot() {
        if (has_replicator()) stop_replicator();
        start_replicator({"--copy-and-stream", "--resnapshot"});
        CHECK(eventually("the snapshot is announced", [&] {
            const auto epoch = broker->kv_get(names_for(group()), "epoch");
            return epoch && epoch->text == "2";
        }));
    }
    // A worker that was killed once it had loaded a part of the snapshot.
    void kill_in_the_snapshot(Args more = {}) {
        start_replicator();
        CHECK(eventually("the snapshot is in the stream", [&] {
            const auto last = broker->last_message(names_for(group()).stream);
            return last && last->meta.kind != MessageKind::copy && last->meta.kind != MessageKind::snapshot_begin;
        }));
        more.insert(more.end(), {"--target-copy-workers", "1"});
        start_worker(std::move(more), {{"PGSLUICE_FAILPOINT", "postgres-load-after-commit"}});
        worker().wait();
        kill_worker();
        REQUIRE(raw() != "0");
    }

    TextFile rules;
    std::unique_ptr<Broker> broker;
};

}  // namespace

#ifdef PGSLUICE_FAILPOINTS
TEST_CASE("rules that come in the middle of a snapshot hold for all of it") {
    Users users;
    users.kill_in_the_snapshot();
    users.deliver(users.with_rules());
    CHECK(contains(users.worker().err(), "public.users (column 'email', column 'ssn')"));
    CHECK(contains(users.worker().err(), "loading the snapshot of epoch 1 again from its beginning"));
    CHECK(users.raw() == "0");
    CHECK(users.rows() == "20000");
    users.stop();
}

TEST_CASE("rows that are kept cannot be taken back in the middle of a snapshot") {
    Users users;
    users.on_target("INSERT INTO users VALUES (0, 'here@before', 'x')");
    users.kill_in_the_snapshot({"--target-existing-rows", "keep"});
    const Finished refused = run(users.worker_argv("postgres", users.with_rules({"--target-existing-rows", "keep"})));
    CHECK(refused.code == 1);
    CHECK(contains(refused.err, "public.users (column 'email', column 'ssn')"));
    CHECK(contains(refused.err, "--target-existing-rows truncate"));
    users.resnapshot();
    users.deliver(users.with_rules({"--target-existing-rows", "truncate"}));
    CHECK(users.raw() == "0");
    CHECK(users.rows() == "20000");
    users.stop();
}

TEST_CASE("truncate holds for a snapshot that is still loading and began without it") {
    constexpr const char* foreign_row = "INSERT INTO users VALUES (0, 'not the source''s', NULL)";
    Users users;
    SUBCASE("with keep") {
        users.on_target(foreign_row);
        users.kill_in_the_snapshot({"--target-existing-rows", "keep"});
    }
    SUBCASE("with nothing") {
        users.kill_in_the_snapshot();
        users.on_target(foreign_row);
    }
    users.deliver({"--target-existing-rows", "truncate"});
    CHECK(users.rows() == "20000");
    users.stop();
}
#endif

TEST_CASE("rules that come after the snapshot stop the worker, and each way out works") {
    Users users;
    users.deliver_raw();
    const Finished refused = run(users.worker_argv("postgres", users.with_rules()));
    CHECK(refused.code == 1);
    CHECK(contains(refused.err,
                   "the rules changed after rows were delivered: public.users (column 'email', column 'ssn')"));
    CHECK(users.raw() == "20000");
    SUBCASE("continue leaves the rows as they are, and is asked for once") {
        CHECK(contains(refused.err, "--on-rules-change continue"));
        users.on_source("UPDATE users SET email = 'new@example.com' WHERE id = 1");
        users.deliver(users.with_rules({"--on-rules-change", "continue"}));
        CHECK(contains(users.worker().err(), "they stay as they are"));
        CHECK(users.target_scalar("SELECT email FROM users WHERE id = 1") == "********");
        CHECK(users.target_scalar("SELECT ssn FROM users WHERE id = 1") == "ssn-1");
        users.stop_worker();
        users.deliver(users.with_rules());
        users.stop_worker();
        CHECK(run(users.worker_argv("postgres", {})).code == 1);  // back: other rules again
    }
    SUBCASE("reload loads the snapshot that the stream still holds") {
        CHECK(contains(refused.err, "--on-rules-change reload"));
        users.on_source("DELETE FROM users WHERE id = 2; INSERT INTO users VALUES (30000, 'late@example.com', 'late')");
        users.deliver(users.with_rules({"--on-rules-change", "reload"}));
        CHECK(users.raw() == "0");
        CHECK(users.rows() == "20000");
        CHECK(users.target_scalar("SELECT count(*) FROM users WHERE id IN (2, 30000)") == "1");
        users.stop_worker();
        users.deliver(users.with_rules());  // nothing more to say
    }
    SUBCASE("without the snapshot the replicator makes one") {
        users.stop_replicator();  // so that nothing comes after what the worker has
        users.lose_the_snapshot();
        for (const char* flag : {"stop", "reload"}) {
            const Finished again = run(users.worker_argv("postgres", users.with_rules({"--on-rules-change", flag})));
            CHECK(again.code == 1);
            CHECK(contains(again.err,
                           "--copy-and-stream --resnapshot. Once it is copying, start this worker again with "
                           "--target-existing-rows truncate"));
        }
        users.resnapshot();
        users.deliver(users.with_rules({"--target-existing-rows", "truncate"}));
        CHECK(contains(users.worker().err(), "the snapshot of epoch 2 will replace them"));
        CHECK(users.raw() == "0");
        CHECK(users.rows() == "20000");
        users.stop_worker();
        users.deliver(users.with_rules());
    }
    SUBCASE("a snapshot does not help where the target's rows are kept") {
        users.resnapshot();
        const Finished kept = run(users.worker_argv("postgres", users.with_rules({"--target-existing-rows", "keep"})));
        CHECK(kept.code == 1);
        CHECK(contains(kept.err, "column 'ssn'"));
        users.deliver(users.with_rules({"--target-existing-rows", "truncate"}));
        CHECK(users.raw() == "0");
    }
    users.stop();
}

TEST_CASE("the same rules in another file are no change, and rules for another table none of this one") {
    Users users;
    users.start_replicator();
    users.deliver(users.with_rules());
    users.stop_worker();
    const TextFile other(R"(
# the same
tables:
  "public.users":
    - {type: exclude_column, columns: [ssn]}
    - {type: keep, column: id}
    - type: transform
      column: email
      parameters: {type: redact, length: 8, mask_char: "*"}
  elsewhere: [{type: exclude_column, column: email}]
)");
    users.on_source("INSERT INTO users VALUES (30000, 'late@example.com', 'late')");
    users.deliver({"--rules-config", other.path()});
    CHECK(users.raw() == "0");
    users.stop();
}

TEST_CASE("a column that is added later may have a rule from its first row on") {
    Users users;
    users.deliver_raw();
    users.on_both("ALTER TABLE users ADD COLUMN phone text");
    users.on_source("INSERT INTO users VALUES (30000, 'late@example.com', 'late', '0123')");
    const TextFile more("tables: {users: [{type: transform, column: phone, parameters: {type: redact}}]}");
    users.deliver({"--rules-config", more.path()});
    CHECK(users.target_scalar("SELECT phone FROM users WHERE id = 30000") == "********");
    users.stop_worker();
    const Finished refused = run(users.worker_argv("postgres", {}));
    CHECK(refused.code == 1);
    CHECK(contains(refused.err, "public.users (column 'phone')"));
    users.stop_replicator();
}

TEST_CASE("routes are compared, too") {
    Users users;
    users.deliver_raw();
    users.on_target("CREATE TABLE people (id int PRIMARY KEY, email text, ssn text)");
    const TextFile away("users: {destination_table: people}", "routing.yaml");
    const TextFile none("users: {replicate: false}", "routing.yaml");
    for (const TextFile* routes : {&away, &none}) {
        const Finished refused = run(users.worker_argv("postgres", {"--routing-config", routes->path()}));
        CHECK(refused.code == 1);
        CHECK(contains(refused.err, "public.users (the target)"));
    }
    users.deliver({"--routing-config", away.path(), "--on-rules-change", "reload"});
    CHECK(users.target_scalar("SELECT count(*) FROM people") == "20000");
    users.stop();
}

TEST_CASE("--target-existing-rows truncate is not ignored after a snapshot that kept rows") {
    Users users;
    users.on_target("INSERT INTO users VALUES (0, 'not the source''s', NULL)");
    users.start_replicator();
    users.deliver({"--target-existing-rows", "keep"});
    users.stop_worker();
    REQUIRE(users.rows() == "20001");
    const Args truncate{"--target-existing-rows", "truncate"};
    const Finished refused = run(users.worker_argv("postgres", truncate));
    CHECK(refused.code == 1);
    CHECK(contains(refused.err, "its last snapshot began without it"));
    SUBCASE("a new snapshot empties the tables") {
        users.resnapshot();
        users.deliver(truncate);
        CHECK(users.rows() == "20000");
        users.stop_worker();
        users.deliver(truncate);  // now it holds
    }
    SUBCASE("without the flag the rows stay") {
        users.deliver({});
        CHECK(users.rows() == "20001");
    }
    users.stop();
}

TEST_CASE("a target of an earlier build has no notes: the rules are noted, and the worker says so") {
    Users users;
    users.deliver_raw();
    users.on_target("DROP TABLE pgsluice.rules; ALTER TABLE pgsluice.progress DROP COLUMN existing_rows");
    users.deliver(users.with_rules());
    CHECK(contains(users.worker().err(), "delivered rows without noting by which rules"));
    users.stop_worker();
    users.deliver(users.with_rules());
    CHECK_FALSE(contains(users.worker().err(), "without noting"));
    users.stop_worker();
    CHECK(run(users.worker_argv("postgres", {})).code == 1);
    users.stop_replicator();
}

TEST_CASE("a worker whose state is in KV compares its rules, too") {
    Users users;
    users.start_replicator();
    const auto lines = [&](Args more) {
        more.emplace_back("--exit-after-snapshot");
        return run(users.worker_argv("stdout", std::move(more)));
    };
    REQUIRE(lines({}).code == 0);
    const Finished refused = lines(users.with_rules());
    CHECK(refused.code == 1);
    CHECK(contains(refused.err, "public.users (column 'email', column 'ssn')"));
    CHECK_FALSE(contains(refused.err, "--target-existing-rows"));
    SUBCASE("continue") { CHECK(lines(users.with_rules({"--on-rules-change", "continue"})).code == 0); }
    SUBCASE("reload") {
        const Finished again = lines(users.with_rules({"--on-rules-change", "reload"}));
        CHECK(again.code == 0);
        CHECK(count(again.out, R"("email":"********")") == 20000);
        CHECK_FALSE(contains(again.out, "@example.com"));
    }
    CHECK(lines(users.with_rules()).code == 0);
    users.stop_replicator();
}

TEST_CASE("what is delivered again by other rules is another event to who knows events by an id") {
    Users users;
    users.on_source("DELETE FROM users WHERE id > 20");
    users.start_replicator();
    users.await_stream();
    users.on_source("UPDATE users SET email = 'new@example.com' WHERE id = 1; DELETE FROM users WHERE id = 2");
    const std::string lsn = users.source_scalar("SELECT pg_current_wal_lsn()");
    HttpReceiver receiver([](const HttpRequest&) { return HttpReply{}; });
    const UserStream stream(shared_servers().nats.url(), "again_" + users.group(), users.group() + ".again.>");
    std::string sink;
    Args flags;
    std::function<std::vector<test::StoredMessage>()> events;
    SUBCASE("nats") {
        sink = "nats";
        flags = {"--nats-subject", users.group() + ".again.{table}.{op}"};
        events = [&] { return stream.read(); };
    }
    SUBCASE("webhook") {
        sink = "webhook";
        flags = {"--webhook-url", receiver.url()};
        events = [&] {
            std::vector<test::StoredMessage> known;  // a receiver that drops repeats
            std::set<std::string> ids;
            for (const HttpRequest& request : receiver.requests())
                if (const auto& id = request.headers.at("idempotency-key"); ids.insert(id).second)
                    known.push_back({"", id, request.body});
            return known;
        };
    }
    const auto deliver = [&](Args more, const std::map<std::string, std::string>& environment = {}) {
        more.insert(more.end(), flags.begin(), flags.end());
        more.insert(more.end(), {"--exit-at-lsn", lsn});
        return run(users.worker_argv(sink, std::move(more)), environment);
    };
    must_succeed(deliver({}));
    REQUIRE(events().size() == 22);
    for (const test::StoredMessage& event : events()) CHECK_FALSE(contains(event.id, "~"));
#ifdef PGSLUICE_FAILPOINTS
    CHECK(deliver(users.with_rules({"--on-rules-change", "reload"}), {{"PGSLUICE_FAILPOINT", "after-apply"}}).code !=
          0);
    must_succeed(deliver(users.with_rules()));
#else
    must_succeed(deliver(users.with_rules({"--on-rules-change", "reload"})));
#endif
    const auto all = events();
    REQUIRE(all.size() == 44);
    for (std::size_t i = 22; i < all.size(); ++i) {
        CHECK(contains(all[i].id, "~1"));
        CHECK_FALSE(contains(all[i].body, "@example.com"));
    }
    must_succeed(deliver({"--on-rules-change", "reload"}));
    CHECK(events().size() == 66);
    CHECK(contains(events().back().id, "~2"));
    const Finished repair =
        run({PGSLUICE_BINARY, "repair", "--group", users.group(), "--nats-url", shared_servers().nats.url()});
    CHECK(contains(repair.out, "holds nothing foreign"));
    users.stop_replicator();
}
