// Command lines and what the option structs then hold.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "cmd/cli/invocation.h"
#include "cmd/cli/value.h"
#include "sql/error.h"
#include "tests/support/process.h"

using namespace pgsluice;

namespace {

using Words = std::vector<std::string>;

Settings settings(const Words& words, const Environment& environment = {}) {
    return read_invocation(words, environment).settings;
}

Words replicator(const Words& more = {}) {
    Words words{"replicator", "--group", "g", "--host", "h"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

Words worker(const std::string& sink, const Words& more = {}) {
    Words words{"worker", sink, "--group", "g"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

// A home directory with a ~/.pgsluice.yaml.
struct Home {
    explicit Home(const std::string& text) : directory(test::temporary_directory("home")) {
        std::ofstream(path()) << text;
    }
    [[nodiscard]] std::string path() const { return directory + "/.pgsluice.yaml"; }
    [[nodiscard]] Environment environment() const { return {{"HOME", directory}}; }

    std::string directory;
};

}  // namespace

TEST_CASE("a configuration file with a secret that others can read is warned of") {
    using std::filesystem::perms;
    const auto warnings_with = [](const std::string& text, perms mode) {
        const Home home(text);
        std::filesystem::permissions(home.path(), mode);
        return read_invocation(replicator(), home.environment()).warnings;
    };
    constexpr perms private_file = perms::owner_read | perms::owner_write;
    for (const char* text : {"password: hidden", "source-url: postgresql://u:hidden@h/d", "nats-url: nats://u:hidden@h",
                             "nats-url: nats://hidden@h", "nats-url: h1,hidden@h2", "nats-target-url: nats://hidden@h",
                             "webhook-header: 'Authorization: Basic hidden'", "source-url: host=h password=hidden"}) {
        CAPTURE(text);
        CHECK(warnings_with(text, private_file).empty());
        for (const perms more : {perms::group_read, perms::others_read}) {
            const Words warnings = warnings_with(text, private_file | more);
            REQUIRE(warnings.size() == 1);
            CHECK(warnings[0].find("holds a secret and others than its owner can read it") != std::string::npos);
            CHECK(warnings[0].find("hidden") == std::string::npos);
        }
    }
    for (const char* text :
         {"source-url: postgresql://u@h/d\nport: 5", "nats-url: nats://h", "webhook-header: 'X-From: here'"}) {
        CAPTURE(text);
        CHECK(warnings_with(text, private_file | perms::others_read).empty());
    }
}

TEST_CASE("PGSERVICE names the database of a command that has one, unless something else does") {
    const auto given = [](Words words, Environment environment) {
        environment["PGSERVICE"] = "it's";
        return read_invocation(words, environment).settings;
    };
    CHECK(given({"replicator", "--group", "g"}, {}).replicator.source.url == "service='it\\'s'");
    CHECK(given({"replicator", "--group", "g", "--host", "h"}, {}).replicator.source.url.empty());
    CHECK(given({"replicator", "--group", "g", "--source-url", "host=h"}, {}).replicator.source.url == "host=h");
    CHECK(given(worker("postgres"), {}).postgres.target.url == "service='it\\'s'");
    CHECK(given(worker("postgres"), {{"PGSLUICE_TARGET_DBNAME", "d"}}).postgres.target.url.empty());
    CHECK_FALSE(is_given(given({"status", "--group", "g", "--host", "h"}, {}).postgres.target));
    CHECK_THROWS_AS(given({"teardown", "--group", "g"}, {}), Error);
    CHECK_THROWS_AS(given({"compare", "--group", "g", "--host", "h"}, {}), Error);
}

TEST_CASE("several hosts with a port for each") {
    const Settings s = settings(replicator({"--host", "a,b", "--port", "1,65535"}));
    CHECK(s.replicator.source.host == "a,b");
    CHECK(s.replicator.source.port == "1,65535");
    for (const char* port : {"1,", ",", "1,x", "0", "1,65536", ""}) {
        CAPTURE(port);
        CHECK_THROWS_AS(settings(replicator({"--port", port})), Error);
    }
}

TEST_CASE("the replicator's defaults are the documented ones") {
    const Settings s = settings(replicator());
    CHECK(s.replicator.mode == ReplicatorMode::stream);
    CHECK(s.replicator.schema == "public");
    CHECK(s.replicator.tables.empty());
    CHECK(s.replicator.nats.url == "nats://localhost:4222");
    CHECK(s.replicator.max_copy_workers_per_table == 4);
    CHECK(s.replicator.max_copy_workers == 0);
    CHECK(s.replicator.stream.max_bytes == -1);
    CHECK(s.replicator.stream_retain_ms == 3600000);
    CHECK(s.replicator.stream_zstd_level == 0);
    CHECK(s.replicator.source.role == "source");
    CHECK(s.retry.max_attempts == 3);
    CHECK(s.retry.initial_wait_ms == 1000);
    CHECK(s.retry.max_wait_ms == 8000);
}

TEST_CASE("everything a replicator can be told arrives") {
    const Settings s = settings({"replicator",
                                 "--host=h",
                                 "--port",
                                 "5433",
                                 "--dbname",
                                 "d",
                                 "--user",
                                 "u",
                                 "--password=-x",
                                 "--group",
                                 "a-b",
                                 "--schema",
                                 "shop",
                                 "--tables",
                                 "a,b",
                                 "--tables",
                                 "c.d",
                                 "--nats-url",
                                 "nats://n",
                                 "--copy-and-stream",
                                 "--max-copy-workers-per-table",
                                 "2",
                                 "--max-copy-workers",
                                 "7",
                                 "--publish-via-partition-root",
                                 "--resnapshot",
                                 "--stream-max-bytes",
                                 "64MB",
                                 "--stream-replicas",
                                 "3",
                                 "--nats-credentials",
                                 "c",
                                 "--nats-ca",
                                 "ca",
                                 "--nats-cert",
                                 "cert",
                                 "--nats-key=key",
                                 "--nats-tls-first",
                                 "--nats-js-domain",
                                 "hub",
                                 "--nats-inbox-prefix",
                                 "_INBOX.shop",
                                 "--retry-max-attempts",
                                 "9",
                                 "--retry-initial-wait",
                                 "500ms",
                                 "--retry-max-wait",
                                 "1m",
                                 "--log-level",
                                 "debug",
                                 "--log-format",
                                 "json"});
    CHECK(s.replicator.source.host == "h");
    CHECK(s.replicator.source.port == "5433");
    CHECK(s.replicator.source.dbname == "d");
    CHECK(s.replicator.source.user == "u");
    CHECK(s.replicator.source.password == "-x");
    CHECK(s.group == "a-b");
    CHECK(s.replicator.schema == "shop");
    CHECK(s.replicator.tables == Words{"a", "b", "c.d"});
    CHECK(s.replicator.nats.url == "nats://n");
    CHECK(s.replicator.nats.credentials_file == "c");
    CHECK(s.replicator.nats.tls_ca_file == "ca");
    CHECK(s.replicator.nats.tls_cert_file == "cert");
    CHECK(s.replicator.nats.tls_key_file == "key");
    CHECK(s.replicator.nats.tls_first);
    CHECK(s.replicator.nats.js_domain == "hub");
    CHECK(s.replicator.nats.inbox_prefix == "_INBOX.shop");
    CHECK(s.replicator.mode == ReplicatorMode::copy_and_stream);
    CHECK(s.replicator.max_copy_workers_per_table == 2);
    CHECK(s.replicator.max_copy_workers == 7);
    CHECK(s.replicator.publish_via_partition_root);
    CHECK(s.replicator.resnapshot);
    CHECK(s.replicator.stream.max_bytes == 64LL << 20);
    CHECK(s.replicator.stream.replicas == 3);
    CHECK(s.retry.max_attempts == 9);
    CHECK(s.retry.initial_wait_ms == 500);
    CHECK(s.retry.max_wait_ms == 60000);
    CHECK(s.log.level == LogLevel::debug);
    CHECK(s.log.format == LogFormat::json);
}

TEST_CASE("further settings arrive") {
    Settings s;
    const auto set = [&](const char* flag, const char* value) { find_flag(flag)->set(s, value); };
    set("stream-retain", "2h");
    set("confirm", "applied");
    set("assume-sync-always", "true");
    set("target-sync-schema", "true");
    CHECK(s.replicator.stream_retain_ms == 7200000);
    CHECK(s.replicator.confirm == ConfirmMode::applied);
    CHECK(s.replicator.assume_sync_always);
    CHECK(s.postgres.sync_schema);
}

TEST_CASE("how the stream is compressed: none, zstd, or zstd with a level") {
    Settings s;
    const auto level = [&](const char* how) {
        find_flag("stream-compression")->set(s, how);
        return s.replicator.stream_zstd_level;
    };
    CHECK(level("zstd") == 1);
    CHECK(level("zstd:19") == 19);
    CHECK(level("zstd:1") == 1);
    CHECK(level("none") == 0);
    for (const char* bad : {"", "lz4", "ZSTD", "zstd:", "zstd:0", "zstd:20", "zstd:-1", "zstd:3x", "none:1", "zstd 3"})
        CHECK_THROWS_AS(level(bad), BadValue);
}

TEST_CASE("a worker's flags stand before or after the sink's name, whatever the values look like") {
    for (const Words& words : {Words{"worker", "--group", "g", "--exit-after-snapshot", "postgres", "--target-dbname",
                                     "postgres", "--source-dbname", "file"},
                               Words{"worker", "postgres", "--exit-after-snapshot", "true", "--group", "g",
                                     "--target-dbname", "postgres", "--source-dbname", "file"},
                               Words{"--exit-after-snapshot=on", "--group", "g", "worker", "--target-dbname=postgres",
                                     "--source-dbname", "file", "postgres"}}) {
        const Settings s = settings(words);
        CHECK(s.worker.exit_after_snapshot);
        CHECK(s.postgres.target.dbname == "postgres");
        CHECK(s.postgres.source.dbname == "file");
        CHECK(s.worker.sink == "postgres");
        CHECK(s.worker.worker == "postgres");
    }
}

TEST_CASE("the last of a repeated flag counts, as with pg_flo") {
    CHECK(settings(replicator({"--schema", "a", "--schema", "b"})).replicator.schema == "b");
}

TEST_CASE("the file sink's flags arrive") {
    const Settings s = settings(worker("file", {"--file-output-dir",
                                                "/x",
                                                "--file-max-size",
                                                "1GiB",
                                                "--file-max-age",
                                                "1h30m",
                                                "--file-compression",
                                                "zstd",
                                                "--format",
                                                "debezium",
                                                "--batch-size",
                                                "5",
                                                "--worker-name",
                                                "w",
                                                "--exit-after-snapshot",
                                                "--exit-at-lsn",
                                                "0/16B2D50",
                                                "--rules-config",
                                                "r",
                                                "--routing-config",
                                                "o"}));
    CHECK(s.file.output_dir == "/x");
    CHECK(s.file.max_size_bytes == 1ULL << 30);
    CHECK(s.file.max_age_ms == 5400000);
    CHECK(s.file.zstd);
    CHECK(s.file.format == LineFormat::debezium);
    CHECK(s.worker.batch_size == 5);
    CHECK(s.worker.worker == "w");
    CHECK(s.worker.exit_after_snapshot);
    CHECK(s.worker.exit_at_lsn == Lsn{0x16B2D50});
    CHECK(s.worker.rules.rules_file == "r");
    CHECK(s.worker.rules.routing_file == "o");
}

TEST_CASE("the other sinks' flags arrive") {
    const Settings webhook =
        settings(worker("webhook", {"--webhook-url", "http://x", "--webhook-header", "A: b, c", "--webhook-header",
                                    "D: e", "--webhook-timeout", "5s", "--on-error", "dead-letter",
                                    "--webhook-batch-size", "100", "--webhook-concurrency", "8"}));
    CHECK(webhook.webhook.url == "http://x");
    CHECK(webhook.webhook.headers == Words{"A: b, c", "D: e"});
    CHECK(webhook.webhook.timeout_ms == 5000);
    CHECK(webhook.webhook.on_error == OnError::dead_letter);
    CHECK(webhook.webhook.batch_size == 100);
    CHECK(webhook.webhook.concurrency == 8);

    const Settings target =
        settings(worker("postgres", {"--target-url", "postgres://x/y", "--on-conflict", "ignore",
                                     "--target-existing-rows", "keep", "--target-copy-workers", "3"}));
    CHECK(target.postgres.target.url == "postgres://x/y");
    CHECK(target.postgres.target.role == "target");
    CHECK(target.postgres.on_conflict.otherwise == OnConflict::ignore);
    CHECK(target.postgres.existing_rows == ExistingRows::keep);
    CHECK(target.postgres.copy_workers == 3);

    const Settings by_table =
        settings(worker("postgres", {"--target-host", "h", "--on-conflict", "error,django_*=ignore", "--on-conflict",
                                     "s.\"a=b\"=upsert", "--ddl-policy", "drop=stop,column on s.*=ignore"}));
    const ConflictPolicy& conflicts = by_table.postgres.on_conflict;
    CHECK(conflicts.of("public", "t") == OnConflict::error);
    CHECK(conflicts.of("public", "django_x") == OnConflict::ignore);
    CHECK(conflicts.of("s", "a=b") == OnConflict::upsert);
    const DdlPolicy& policy = by_table.postgres.ddl_policy;
    CHECK(policy.of(DdlKind::drop_column, {{"public", "t"}}) == DdlAction::stop);
    CHECK(policy.of(DdlKind::drop_column, {{"s", "t"}}) == DdlAction::ignore);
    CHECK(policy.of(DdlKind::drop_table, {{"s", "t"}, {"s", "u"}}) == DdlAction::stop);
    CHECK(policy.of(DdlKind::drop_column, {{"s", "t"}, {"public", "t"}}) == DdlAction::stop);
    CHECK(policy.of(DdlKind::add_column, {{"s", "t"}}) == DdlAction::ignore);
    CHECK_FALSE(policy.of(DdlKind::add_column, {{"public", "t"}}).has_value());
    CHECK(policy.of(DdlKind::drop_schema, {}) == DdlAction::stop);

    CHECK(settings(worker("nats", {"--nats-subject", "a.{table}"})).nats_sink.subject == "a.{table}");
    CHECK(settings(worker("stdout", {"--checkpoint-file", "c"})).standard_output.checkpoint_file == "c");
}

TEST_CASE("flag wins over environment over file over default") {
    const Home home("group: from-file\nhost: h\nschema: from-file\nport: 1111\n");
    Environment environment = home.environment();
    environment.insert({{"PG_FLO_SCHEMA", "from-environment"}, {"PGSLUICE_PORT", "2222"}});
    const Settings s = settings({"replicator", "--port", "3333"}, environment);
    CHECK(s.group == "from-file");
    CHECK(s.replicator.schema == "from-environment");
    CHECK(s.replicator.source.port == "3333");
    CHECK(settings({"replicator"}, environment).replicator.source.port == "2222");
    CHECK(settings({"replicator", "--config", home.path()}).replicator.source.port == "1111");
    CHECK(settings({"replicator"}, {{"PGSLUICE_CONFIG", home.path()}}).replicator.source.port == "1111");
}

TEST_CASE("one file may serve both sides") {
    const Home home("group: g\nhost: h\ncopy: true\ntarget-host: t\nfile-output-dir: /x\n");
    CHECK(settings({"replicator"}, home.environment()).replicator.mode == ReplicatorMode::copy);
    CHECK(settings({"worker", "postgres"}, home.environment()).postgres.target.host == "t");
    CHECK(settings({"worker", "file"}, home.environment()).file.output_dir == "/x");
}

TEST_CASE("a mode given where precedence is higher replaces the other") {
    const Home home("group: g\nhost: h\ncopy: true\n");
    const Environment environment = home.environment();
    CHECK(settings({"replicator"}, environment).replicator.mode == ReplicatorMode::copy);
    CHECK(settings({"replicator", "--stream"}, environment).replicator.mode == ReplicatorMode::stream);
    CHECK(settings({"replicator", "--copy", "false"}, environment).replicator.mode == ReplicatorMode::stream);
}

TEST_CASE("a URL given where precedence is higher replaces the parts below it") {
    const Environment environment{{"PGSLUICE_HOST", "old"}, {"PGSLUICE_PASSWORD", "p"}};
    const Words url{"replicator", "--group", "g", "--source-url", "postgres://new/d"};
    CHECK(settings(url, environment).replicator.source.host.empty());
    CHECK(settings(url, environment).replicator.source.password == "p");
    const Words with_password{"replicator", "--group", "g", "--source-url", "postgres://u:q@new/d"};
    CHECK(settings(with_password, environment).replicator.source.password.empty());
    const Words both{"replicator", "--group", "g", "--source-url", "postgres://new/d", "--host", "h"};
    CHECK(settings(both).replicator.source.host == "h");
}

TEST_CASE("version and help need nothing else") {
    const Home broken("nonsense: [\n");
    CHECK(read_invocation({"version"}, broken.environment()).command->command == command_version);
    CHECK(read_invocation({"--version"}, {}).command->command == command_version);
    CHECK(read_invocation({"--help"}, {}).command == nullptr);
    CHECK(read_invocation({"worker", "--help"}, {}).command == nullptr);
    CHECK(read_invocation({"worker", "postgres", "-h"}, {}).command->command == command_worker_postgres);
}

TEST_CASE("each secret may be read from a file, which ranks where it is given") {
    const std::string directory = test::temporary_directory("secrets");
    const auto file = [&](const std::string& name, const std::string& text) {
        std::ofstream(directory + "/" + name) << text << "\n";
        return directory + "/" + name;
    };
    const std::string password = file("password", "s3cret");
    const std::string url = file("url", "postgres://u:s3cret@db/shop");
    CHECK(settings(replicator({"--password-file", password})).replicator.source.password == "s3cret");
    CHECK(settings({"replicator", "--group", "g"}, {{"PGSLUICE_SOURCE_URL_FILE", url}}).replicator.source.url ==
          "postgres://u:s3cret@db/shop");
    const Settings target =
        settings(worker("postgres", {"--target-url-file", url, "--target-password-file", password}));
    CHECK(target.postgres.target.url == "postgres://u:s3cret@db/shop");
    CHECK(target.postgres.target.password == "s3cret");
    CHECK(settings(worker("postgres", {"--target-host", "h", "--source-password-file", password}))
              .postgres.source.password == "s3cret");
    CHECK(settings(replicator({"--nats-url-file", file("nats", "nats://u:p@n")})).nats.url == "nats://u:p@n");
    // A password of the environment that the URL's outranks, as without files.
    CHECK(settings({"replicator", "--group", "g", "--source-url", "postgres://u:p@h/d"},
                   {{"PGSLUICE_PASSWORD_FILE", password}})
              .replicator.source.password.empty());
    // Of another command's file nothing is read.
    CHECK_NOTHROW(settings(replicator(), {{"PGSLUICE_TARGET_PASSWORD_FILE", "/nowhere"}}));
}

TEST_CASE("a reference that cannot be followed stops the commands that need it, and no other") {
    const Home home("group: g\nhost: h\ntarget-host: h\ntarget-password: ${NOT_SET}\n");
    CHECK_NOTHROW(settings({"replicator"}, home.environment()));
    try {
        settings({"worker", "postgres"}, home.environment());
        FAIL("accepted");
    } catch (const Error& error) {
        CHECK(std::string(error.what()) ==
              "bad value of 'target-password' (" + home.path() + ":4): the environment variable 'NOT_SET' is not set");
    }
    CHECK(read_invocation({"config"}, home.environment()).text.find("group: g  # 'group'") != std::string::npos);
}
