// SIGHUP: the log level and the rules of a running worker. What it has delivered is not left as it is without a word.
#include <doctest/doctest.h>

#include <csignal>
#include <fstream>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

using Args = std::vector<std::string>;

constexpr const char* nothing_ruled = "tables: {elsewhere: [{type: exclude_column, column: email}]}";
constexpr const char* hides_email =
    "tables: {users: [{type: transform, column: email, parameters: {type: redact}}, {type: keep, column: id}]}";

struct Users : Pipeline {
    explicit Users(const std::string& text = nothing_ruled) : rules(text) {
        on_both("CREATE TABLE users (id int PRIMARY KEY, email text)");
        on_source("INSERT INTO users SELECT i, 'u' || i || '@example.com' FROM generate_series(1, 1000) i");
    }
    void write(const std::string& text) const { std::ofstream(rules.path()) << text; }
    [[nodiscard]] Args with_rules(Args more = {}) const {
        more.insert(more.begin(), {"--rules-config", rules.path()});
        return more;
    }
    void deliver(const Args& more = {}) {
        start_replicator();
        start_worker(with_rules(more));
        settle();
    }
    void reload(const std::string& answer) {
        worker().signal(SIGHUP);
        REQUIRE(says(worker(), answer));
    }
    void insert(int id) {
        on_source("INSERT INTO users VALUES (" + std::to_string(id) + ", 'new@example.com')");
        settle();
    }
    std::string email(int id) { return target_scalar("SELECT email FROM users WHERE id = " + std::to_string(id)); }
    std::string raw() { return target_scalar("SELECT count(*) FROM users WHERE email LIKE '%@%'"); }

    TextFile rules;
};

}  // namespace

TEST_CASE("reload: the log level of both, from the configuration file") {
    Users users;
    const TextFile config("log-level: warning\n", "pgsluice.yaml");
    const Args flags{"--config", config.path()};
    users.always({}, flags);
    users.start_replicator({"--copy-and-stream", "--config", config.path()});
    users.start_worker();
    users.settle();
    CHECK_FALSE(contains(users.worker().err(), "info "));
    std::ofstream(config.path()) << "log-level: debug\n";
    users.worker().signal(SIGHUP);
    users.replicator().signal(SIGHUP);
    CHECK(says(users.worker(), "SIGHUP: log level debug"));
    CHECK(says(users.replicator(), "SIGHUP: log level debug"));
    std::ofstream(config.path()) << "log-level: debug\nbatch-size: x y\n\nloglevel: info\n";
    users.worker().signal(SIGHUP);
    CHECK(says(users.worker(), config.path() + ":4: unknown key 'loglevel'"));
    users.insert(2000);
    users.stop();
}

TEST_CASE("reload: files that say the same, are not in order, or do not fit a table change nothing") {
    Users users(hides_email);
    users.deliver();
    users.reload("match what is in force");
    users.write("tables:\n  users:\n    - {type: transform, column: email, parameters: {type: redakt}}\n");
    users.reload(users.rules.path() + ":3): unknown transform");
    CHECK(says(users.worker(), "the rules in force stay"));
    users.insert(2000);
    CHECK(users.email(2000) == "********");
    users.write("tables:\n  users:\n    - {type: transform, column: e_mail, parameters: {type: redact}}\n");
    users.reload("Restarted with these files, the worker would say");
    CHECK(says(users.worker(), users.rules.path() + ":3"));
    users.insert(2001);
    CHECK(users.email(2001) == "********");
    CHECK(users.raw() == "0");
    users.stop();
}

TEST_CASE("reload: rules that mean the same for what was delivered are taken over, however they are written") {
    Users users(hides_email);
    users.deliver();
    users.write(std::string("# more to come\n") + hides_email);
    users.reload("the rules that were read again are in force");
    users.insert(2000);
    CHECK(users.email(2000) == "********");
    users.stop();
}

TEST_CASE("reload: delivered rows that are not as the rules now say") {
    Users users;
    SUBCASE("stop refuses the rules, and nothing changes") {
        users.deliver();
        users.write(hides_email);
        users.reload("unable to apply the new rules while the worker runs; the previous ones stay in force");
        CHECK(contains(users.worker().err(),
                       "the rules changed after rows were delivered: public.users (column 'email')"));
        CHECK(contains(users.worker().err(), "--on-rules-change reload"));
        users.insert(2000);
        CHECK(users.email(2000) == "new@example.com");
        users.write(nothing_ruled);
        users.reload("match what is in force");
        users.stop_worker();
        users.write(hides_email);
        const Finished refused = run(users.worker_argv("postgres", users.with_rules()));
        CHECK(refused.code == 1);
    }
    SUBCASE("continue leaves the rows, and says so") {
        users.deliver({"--on-rules-change", "continue"});
        users.write(hides_email);
        users.reload("they stay as they are");
        REQUIRE(says(users.worker(), "the rules that were read again are in force"));
        users.insert(2000);
        CHECK(users.email(2000) == "********");
        CHECK(users.raw() == "1000");
    }
    SUBCASE("reload delivers all again") {
        users.deliver({"--on-rules-change", "reload"});
        users.write(hides_email);
        users.reload("loading the snapshot of epoch 1 again from its beginning");
        users.insert(2000);
        CHECK(users.raw() == "0");
        CHECK(users.target_scalar("SELECT count(*) FROM users") == "1001");
    }
    users.kill_worker();
    users.stop_replicator();
}

#ifdef PGSLUICE_FAILPOINTS
TEST_CASE("reload: rules that come in the middle of a snapshot hold for all of it") {
    Users users;
    users.start_replicator({"--copy-and-stream"}, {{"PGSLUICE_FAILPOINT", "before-snapshot-end"}});
    users.start_worker(users.with_rules());
    REQUIRE(eventually("a part of the snapshot is there, raw", [&] { return users.raw() == "1000"; }));
    Pipeline::must_die(users.replicator());
    users.kill_replicator();
    users.write(hides_email);
    users.reload("loading the snapshot of epoch 1 again from its beginning");
    CHECK(eventually("none is left raw", [&] { return users.raw() == "0"; }));
    users.start_replicator();
    users.settle();
    CHECK(users.raw() == "0");
    CHECK(users.target_scalar("SELECT count(*) FROM users") == "1000");
    users.stop();
}
#endif

TEST_CASE("reload: each transaction is delivered by one set of rules, under load") {
    Users users;
    users.on_both("CREATE TABLE pairs (id int PRIMARY KEY, batch int, email text)");
    users.deliver({"--on-rules-change", "continue", "--batch-size", "10"});
    sql::Connection writer(shared_postgres().connect(users.source_db()));
    for (int i = 0; i < 30; ++i) {
        writer.exec("INSERT INTO public.pairs SELECT " + std::to_string(i) + " * 1000 + n, " + std::to_string(i) +
                    ", 'a@example.com' FROM generate_series(1, 200) n");
        if (i % 10 != 5) continue;
        users.write(i % 20 == 5 ? "tables: {pairs: [{type: transform, column: email, parameters: {type: redact}}]}"
                                : nothing_ruled);
        users.worker().signal(SIGHUP);
    }
    users.settle();
    CHECK(users.target_scalar("SELECT count(*) FROM pairs") == "6000");
    CHECK(users.target_scalar("SELECT count(*) FROM (SELECT FROM pairs GROUP BY batch HAVING count(DISTINCT email) > "
                              "1) mixed") == "0");
    CHECK(count(users.worker().err(), "are in force, for all that comes after") >= 1);
    users.stop();
}

TEST_CASE("reload: rules that were refused do not come with the next lost connection") {
    Users users;
    users.deliver();
    users.write(hides_email);
    users.reload("the previous ones stay in force");
    users.on_target(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'pgsluice "
        "worker " +
        users.group() + "%'");
    users.insert(2000);
    CHECK(users.email(2000) == "new@example.com");
    CHECK(says(users.worker(), "running again after"));
    users.stop();
}
