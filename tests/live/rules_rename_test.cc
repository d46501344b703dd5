// Columns with rules that are renamed: the worker stops, and so does every later one, until the files say what they
// are.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

using Texts = std::vector<std::string>;

const std::string mask_rule = "parameters: {type: mask}";
const std::string email_rule = "{type: transform, column: email, " + mask_rule + "}";

// A source with a table users, and workers that read up to what it has now.
class Users {
   public:
    explicit Users(const std::string& mode = "--copy-and-stream") {
        pipeline.on_source("CREATE TABLE users (id int PRIMARY KEY, email text, age int)");
        pipeline.on_target("CREATE TABLE users (id int PRIMARY KEY, email text, age int, email_old text)");
        pipeline.start_replicator({mode});
        pipeline.await_stream();
    }
    ~Users() { pipeline.stop_replicator(); }

    // What the worker says on stderr.
    std::string worker(const std::string& sink, const std::string& rules, int expected_code,
                       std::vector<std::string> more = {}) {
        const TextFile file("tables: {users: [" + rules + "]}");
        more.insert(more.end(), {"--rules-config", file.path(), "--exit-at-lsn",
                                 pipeline.source_scalar("SELECT pg_current_wal_lsn()")});
        if (sink == "file") more.insert(more.end(), {"--file-output-dir", directory});
        const Finished finished = run(pipeline.worker_argv(sink, std::move(more)));
        INFO(finished.err);
        CHECK(finished.code == expected_code);
        CHECK_FALSE(contains(finished.out + finished.err, "canary"));
        return finished.err;
    }
    void check_nothing_shows() {
        CHECK_FALSE(contains(all_files(directory), "canary"));
        CHECK_FALSE(contains(pipeline.target_scalar("SELECT string_agg(u::text, ' ') FROM users u"), "canary"));
    }

    Pipeline pipeline;
    const std::string directory = temporary_directory("rename");
};

// The row before the rename is in the transaction of those behind it, so it comes again, too.
constexpr const char* rename_rule = R"(
    BEGIN;
    INSERT INTO users VALUES (2, 'canary', 2);
    ALTER TABLE users RENAME email TO email_old;
    ALTER TABLE users ADD email text;
    INSERT INTO users VALUES (3, 'canary', 3, 'canary');
    COMMIT;
)";

}  // namespace

TEST_CASE("a renamed column with a rule stops every session until the rules name it, and then nothing is missing") {
    Users users;
    const Texts sinks{"postgres", "file"};
    users.pipeline.on_source("INSERT INTO users VALUES (1, 'canary', 1)");
    for (const auto& sink : sinks) users.worker(sink, email_rule, 0);
    users.pipeline.on_source(rename_rule);
    for (int session = 0; session < 3; ++session) {
        for (const auto& sink : sinks)
            CHECK(contains(users.worker(sink, email_rule, 1), "its column 'email' is now named 'email_old'"));
        users.check_nothing_shows();
    }
    const std::string both = email_rule + ", {type: transform, column: email_old, " + mask_rule + "}";
    for (int session = 0; session < 2; ++session)
        for (const auto& sink : sinks) users.worker(sink, both, 0);
    users.check_nothing_shows();
    CHECK(users.pipeline.target_rows("users") == Texts{"(1,c****y,1,)", "(2,c****y,2,)", "(3,c****y,3,c****y)"});
    CHECK(count(all_files(users.directory), "c****y") == 4);
}

TEST_CASE("a rename is noticed after a replicator that comes late, too") {
    Users users;
    users.pipeline.on_source("INSERT INTO users VALUES (1, 'canary', 1)");
    users.worker("postgres", email_rule, 0);
    users.pipeline.stop_replicator();
    users.pipeline.on_source(rename_rule);
    users.pipeline.start_replicator();
    users.pipeline.await_stream();
    for (int session = 0; session < 2; ++session)
        CHECK(contains(users.worker("postgres", email_rule, 1), "'email_old', which"));
    users.check_nothing_shows();
    users.worker("postgres", email_rule + ", {type: transform, column: email_old, " + mask_rule + "}", 0);
    CHECK(users.pipeline.target_rows("users") == Texts{"(1,c****y,1,)", "(2,c****y,2,)", "(3,c****y,3,c****y)"});
}

TEST_CASE("a rename before the table's first row is noticed") {
    Users users("--stream");
    users.worker("postgres", email_rule, 0);
    users.pipeline.on_source("ALTER TABLE users RENAME email TO email_old; ALTER TABLE users ADD email text");
    users.pipeline.on_source("INSERT INTO users VALUES (3, 'canary', 3, 'canary')");
    for (int session = 0; session < 2; ++session)
        CHECK(contains(users.worker("postgres", email_rule, 1), "its column 'email' is now named 'email_old'"));
    users.check_nothing_shows();
    users.worker("postgres", email_rule + ", {type: transform, column: email_old, " + mask_rule + "}", 0);
    CHECK(users.pipeline.target_rows("users") == Texts{"(3,c****y,3,c****y)"});
}

TEST_CASE("columns with rules that swap their names stop every session until the rules say was") {
    const std::string rules = email_rule + ", {type: keep, column: email_old}, {type: keep, column: age}";
    Users users;
    users.pipeline.on_source("ALTER TABLE users ADD email_old text");
    users.pipeline.on_source("INSERT INTO users VALUES (1, 'canary', 1, 'x')");
    users.worker("postgres", rules, 0);
    users.pipeline.on_source(R"(
        BEGIN;
        INSERT INTO users VALUES (2, 'canary', 2, 'x');
        ALTER TABLE users RENAME email TO e;
        ALTER TABLE users RENAME email_old TO email;
        ALTER TABLE users RENAME e TO email_old;
        INSERT INTO users VALUES (3, 'canary', 3, 'x');
        COMMIT;
    )");
    for (int session = 0; session < 2; ++session)
        CHECK(contains(users.worker("postgres", rules, 1), "add was: email to it"));
    users.check_nothing_shows();
    users.worker("postgres",
                 "{type: transform, column: email_old, was: email, " + mask_rule +
                     "}, {type: keep, column: email, was: email_old}",
                 0);
    CHECK(users.pipeline.target_rows("users") == Texts{"(1,c****y,1,x)", "(2,c****y,2,x)", "(3,x,3,c****y)"});
}

TEST_CASE("a forgotten worker's tables are forgotten") {
    Users users;
    users.pipeline.on_source("INSERT INTO users VALUES (1, 'canary', 1)");
    users.worker("stdout", email_rule, 0);
    const auto names = pgsluice::names_for(users.pipeline.group());
    const auto seen = [&] {
        const auto keys = connect_broker()->kv_keys(names);
        return std::count_if(keys.begin(), keys.end(), [](const auto& key) { return key.starts_with("seen.stdout."); });
    };
    CHECK(seen() == 1);
    CHECK(run({PGSLUICE_BINARY, "forget", "--group", users.pipeline.group(), "--nats-url", shared_nats().url(),
               "--worker-name", "stdout"})
              .code == 0);
    CHECK(seen() == 0);
}
