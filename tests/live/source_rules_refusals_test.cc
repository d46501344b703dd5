// Rules at the replicator that would leak, or that do not fit what was published before, stop it, and the hints help.
#include <doctest/doctest.h>

#include "tests/live/source_rules_fixture.h"
#include "tests/support/hint.h"

using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

using Texts = std::vector<std::string>;

constexpr const char* mask_rules = "tables: {users: [{type: transform, column: email, parameters: {type: mask}}]}";
constexpr const char* redact_rules = "tables: {users: [{type: transform, column: email, parameters: {type: redact}}]}";

struct Users : RuledSource {
    explicit Users(const std::string& rules = mask_rules) : RuledSource(rules) {
        on_both("CREATE TABLE users (id int PRIMARY KEY, email text, age int)");
        on_source("INSERT INTO users VALUES (1, 'a canary b', 1)");
    }
    void insert(int id) { on_source("INSERT INTO users VALUES (" + std::to_string(id) + ", 'a canary b', 1)"); }
    // Neither changes the other's rows.
    void run_with(const Texts& flags, int id, bool with_worker = true) {
        start_replicator(flags);
        await_stream();
        insert(id);
        if (with_worker) {
            start_worker();
            settle();
            stop_worker();
        }
        stop_replicator();
    }
    // By someone who may do everything.
    Texts compare(const Texts& more) {
        Texts words{"compare", "--source-url", source_url(), "--target-url", target_url()};
        words.insert(words.end(), more.begin(), more.end());
        return command_argv("operator", words);
    }
    std::string emails() { return target_scalar("SELECT string_agg(email, ' | ' ORDER BY id) FROM users"); }
};

}  // namespace

TEST_CASE("source rules: a group that was published without them stops, and continue applies them from then on") {
    Users group;
    group.run_with({"--copy-and-stream"}, 2);
    refusal(group.replicator_argv(group.with_rules({})), "start the replicator once with --on-rules-change continue.");
    group.run_with(group.with_rules({"--on-rules-change", "continue"}), 3);
    group.run_with(group.with_rules({}), 4);
    CHECK(group.emails() == "a canary b | a canary b | a********b | a********b");
}

TEST_CASE("source rules: a group that was published with them stops without, whatever else it is told") {
    Users group;
    group.run_with(group.with_rules({"--copy-and-stream"}), 2);
    for (const Texts& flags : {Texts{}, Texts{"--copy-and-stream", "--resnapshot"}}) {
        refusal(group.replicator_argv(flags), "Give the replicator its --rules-config again.");
        CHECK(group.found() == Texts{});
    }
    group.run_with(group.with_rules({}), 3);
    CHECK(group.found() == Texts{});
    group.run_with({"--on-rules-change", "continue"}, 4);
    group.run_with({}, 5);
    CHECK(group.emails() == "a********b | a********b | a********b | a canary b | a canary b");
    CHECK_FALSE(contains(group.keys(), "source_rules"));
    CHECK_FALSE(contains(group.keys(), "_of_source"));
}

TEST_CASE("source rules: other ones stop, and another snapshot publishes the rows by them") {
    Users group;
    group.run_with(group.with_rules({"--copy-and-stream"}), 2);
    const TextFile other(redact_rules);
    const std::string hint =
        refusal(group.replicator_argv({"--rules-config", other.path()}), "to publish the rows again");
    CHECK(contains(hint, "--copy-and-stream --resnapshot"));
    group.start_replicator({"--rules-config", other.path(), "--copy-and-stream", "--resnapshot"});
    group.await_stream();
    group.start_worker({"--target-existing-rows", "truncate"});
    group.settle();
    CHECK(group.emails() == "******** | ********");
    group.stop();
    CHECK(group.found() == Texts{});
}

TEST_CASE("source rules: other ones, and rows that were published stay as they are") {
    Users group;
    group.run_with(group.with_rules({"--copy-and-stream"}), 2);
    const TextFile other(redact_rules);
    group.run_with({"--rules-config", other.path(), "--on-rules-change", "continue"}, 3);
    group.run_with({"--rules-config", other.path()}, 4);
    CHECK(group.emails() == "a********b | a********b | ******** | ********");
}

TEST_CASE("source rules: a file that does not fit is refused before anything is made, and a renamed column stops") {
    Users group;
    const TextFile wrong("tables: {users: [{type: exclude_column, column: e_mail}]}");
    const Finished refused = run(group.replicator_argv({"--copy-and-stream", "--rules-config", wrong.path()}));
    CHECK(refused.code == 2);
    CHECK(contains(refused.err, "has no column 'e_mail'"));
    CHECK(group.source_scalar("SELECT count(*) FROM pg_replication_slots WHERE database = current_database()") == "0");

    group.start_ruled();
    group.await_stream();
    group.on_source(
        "BEGIN; INSERT INTO users VALUES (2, 'a canary b', 2); ALTER TABLE users RENAME email TO mail; "
        "ALTER TABLE users ADD email text; INSERT INTO users VALUES (3, 'a canary b', 3); COMMIT");
    CHECK(group.replicator().wait() == 1);
    CHECK(contains(group.replicator().err(), "its column 'email' is now named 'mail'"));
    for (int again = 0; again < 2; ++again)
        CHECK(contains(run(group.replicator_argv(group.with_rules({}))).err, "its column 'email' is now named 'mail'"));
    CHECK(group.found() == Texts{});
    const TextFile both("tables: {users: [{type: transform, columns: [email, mail], parameters: {type: mask}}]}");
    group.on_target("ALTER TABLE users ADD mail text");
    group.start_replicator({"--rules-config", both.path()});
    group.start_worker();
    group.settle();
    CHECK(group.target_rows("users") == Texts{"(1,a********b,1,)", "(2,a********b,2,)", "(3,,3,a********b)"});
    group.stop();
    CHECK(group.found() == Texts{});
}

TEST_CASE("source rules: a filter that updates do not tell enough for is refused, and works as the hint says") {
    Users group("tables: {users: [{type: filter, column: age, parameters: {operator: gte, value: 2}}]}");
    refusal(group.replicator_argv(group.with_rules({"--copy-and-stream"})), "REPLICA IDENTITY FULL");
    group.on_source("ALTER TABLE users REPLICA IDENTITY FULL");
    group.start_ruled();
    group.start_worker();
    group.settle();
    group.on_source("INSERT INTO users VALUES (2, 'b', 2); UPDATE users SET age = age + 1");
    group.settle();
    CHECK(group.target_rows("users") == Texts{"(1,\"a canary b\",2)", "(2,b,3)"});
    group.on_source("UPDATE users SET age = age - 2");
    group.settle();
    CHECK(group.target_rows("users") == Texts{});
    group.stop();
}

TEST_CASE("source rules: no dump, no tables made from the source's definitions, no compare without the file") {
    Users group;
    const Finished dump = run(group.replicator_argv(group.with_rules({"--bootstrap", "prepare"})));
    CHECK(dump.code == 2);
    CHECK(contains(dump.err, "HINT: Copy the tables with --copy-and-stream, which applies the rules."));
    const Finished reload = run(group.replicator_argv(group.with_rules({"--on-rules-change", "reload"})));
    CHECK(reload.code == 2);
    CHECK(contains(reload.err, "HINT: Run it once with --copy-and-stream --resnapshot"));
    group.start_ruled();
    group.await_stream();
    refusal(group.worker_argv("postgres", {"--target-sync-schema", "--source-url", group.source_url()}),
            "without --target-sync-schema");
    group.start_worker();
    group.settle();
    CHECK(contains(group.worker().err(), "the group's replicator applies rules"));

    const Finished status = run(group.command_argv("viewer", {"status"}));
    CHECK(contains(status.out, "rules        applied before anything is published"));
    refusal(group.compare({"--repair"}), "Give --rules-config the file");
    const TextFile other(redact_rules);
    refusal(group.compare({"--rules-config", other.path()}), "Give --rules-config the file");
    group.on_target("DELETE FROM users");
    const Finished repaired = run(group.compare(group.with_rules({"--repair"})));
    INFO(repaired.err);
    CHECK(repaired.code == 0);
    CHECK(group.emails() == "a********b");

    group.stop_worker();
    group.start_worker({"--rules-config", other.path(), "--on-rules-change", "continue"});
    group.settle();
    refusal(group.compare(group.with_rules({"--repair"})),
            "Give all rules to the replicator, and its file to compare.");
    CHECK(group.emails() == "a********b");
    group.stop_worker();
    group.start_worker({"--on-rules-change", "continue"});
    group.settle();
    CHECK(run(group.compare(group.with_rules({}))).code == 0);
    group.stop();
}
