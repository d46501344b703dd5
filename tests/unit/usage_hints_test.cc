// The hint that is given with a refused command line: each is followed to the letter, and the line is then accepted.
#include <doctest/doctest.h>

#include <sys/stat.h>

#include <fstream>

#include "cmd/cli/invocation.h"
#include "sql/error.h"
#include "stream/names.h"
#include "stream/nats/connection/server_urls.h"
#include "stream/seal/stream_keys.h"
#include "stream/table_pattern.h"
#include "tests/support/process.h"
#include "tests/support/text.h"

using namespace pgsluice;
using pgsluice::test::contains;

namespace {

using Words = std::vector<std::string>;

struct Line {
    Words words;
    Environment environment{};
};

// The hint of the Error that `call` throws; "accepted" when it throws none.
template <typename Call>
std::string hint_of(const Call& call) {
    try {
        static_cast<void>(call());
    } catch (const Error& error) {
        return error.hint();
    }
    return "accepted";
}

std::string hint_for(const Line& line) {
    return hint_of([&] { return read_invocation(line.words, line.environment); });
}

const std::string directory = test::temporary_directory("usage-hints");

std::string file_with(const std::string& text) {
    const std::string path = directory + "/" + std::to_string(std::hash<std::string>()(text)) + ".yaml";
    std::ofstream(path) << text;
    return path;
}

Words replicator(Words more) {
    Words words{"replicator", "--group", "g", "--host", "h"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
}
Words worker(const std::string& sink, Words more = {}) {
    Words words{"worker", sink, "--group", "g"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

struct Refused {
    Line refused;
    std::string hint;            // a part of it, as it is said
    std::vector<Line> followed;  // each way that it names
};

const std::vector<Refused> rows{
    {{{}}, "Give one of: replicator, worker stdout, ", {{{"version"}}, {worker("stdout")}}},
    {{{}}, "More: pgsluice --help.", {{{"--help"}}}},
    {{{"worker"}}, "Give one of: worker stdout, worker file, ", {{worker("stdout")}}},
    {{{"check", "leaks", "--host", "h", "--target-host", "t"}},
     "Give --rules-config, --routing-config or both.",
     {{{"check", "leaks", "--host", "h", "--target-host", "t", "--rules-config", "f"}}}},
    {{{"check", "leaks", "--host", "h", "--target-host", "t", "--rules-config", "f", "--stream"}},
     "Give --group, or leave --stream out.",
     {{{"check", "leaks", "--host", "h", "--target-host", "t", "--rules-config", "f", "--stream", "--group", "g"}},
      {{"check", "leaks", "--host", "h", "--target-host", "t", "--rules-config", "f"}}}},
    {{replicator({"--snapshot", "direct"})},
     "Give --copy-and-stream or --copy, too.",
     {{replicator({"--snapshot", "direct", "--copy-and-stream"})}, {replicator({"--snapshot", "direct", "--copy"})}}},
    {{replicator({"--snapshot", "direct", "--copy-and-stream", "--bootstrap", "prepare"})},
     "Give one of them.",
     {{replicator({"--snapshot", "direct", "--copy-and-stream"})}, {replicator({"--bootstrap", "prepare"})}}},
    {{replicator({"--snapshot", "direct", "--copy-and-stream", "--from-standby"})},
     "Leave one of them out.",
     {{replicator({"--snapshot", "direct", "--copy-and-stream"})},
      {replicator({"--copy-and-stream", "--from-standby"})}}},
    {{worker("postgres", {"--target-host", "t", "--source-host", "s", "--snapshot", "direct", "--share", "1/2",
                          "--share-by", "table", "--target-ddl", "ignore"})},
     "Leave --share out, or --snapshot direct.",
     {{worker("postgres", {"--target-host", "t", "--source-host", "s", "--snapshot", "direct"})},
      {worker("postgres", {"--target-host", "t", "--share", "1/2", "--share-by", "table", "--target-ddl", "ignore"})}}},
    {{worker("postgres",
             {"--target-host", "t", "--source-host", "s", "--snapshot", "direct", "--on-error", "dead-letter"})},
     "Leave --on-error dead-letter out until the snapshot is complete; or --snapshot direct.",
     {{worker("postgres", {"--target-host", "t", "--source-host", "s", "--snapshot", "direct"})},
      {worker("postgres", {"--target-host", "t", "--on-error", "dead-letter"})}}},
    {{{"check", "rules", "--suggest", "--host", "h", "--rules-config", "f"}},
     "Leave --rules-config and --routing-config out.",
     {{{"check", "rules", "--suggest", "--host", "h"}}}},
    {{{"check", "rules", "--suggest", "--coverage", "--host", "h"}},
     "Give one of them.",
     {{{"check", "rules", "--suggest", "--host", "h"}}}},
    {{{"check", "rules", "--coverage", "--host", "h"}},
     "Give --rules-config, --routing-config or both.",
     {{{"check", "rules", "--coverage", "--host", "h", "--rules-config", "f"}},
      {{"check", "rules", "--coverage", "--host", "h", "--routing-config", "f"}}}},
    {{{"nonsense"}}, "Give one of: replicator, ", {{{"version"}}}},
    {{{"replicater", "--group", "g", "--host", "h"}}, "Did you mean 'replicator'?", {{replicator({})}}},
    {{{"worker", "postgre"}}, "Did you mean 'worker postgres'?", {{worker("postgres", {"--target-host", "h"})}}},
    {{replicator({"--tabels", "a"})}, "Did you mean '--tables'?", {{replicator({"--tables", "a"})}}},
    {{replicator({"--config", file_with("tabels: a\n")})},
     "Did you mean 'tables'?",
     {{replicator({"--config", file_with("tables: a\n")})}}},
    {{replicator({"--config", directory + "/missing"})},
     "Check that the file exists, is readable and has at most 16 MiB.",
     {{replicator({"--config", file_with("schema: shop\n")})}}},
    {{worker("stdout", {"--file-output-dir", "x"})},
     "It belongs to: worker file, import file.",
     {{worker("file", {"--file-output-dir", "x"})}}},
    {{replicator({"--stream", "--copy", "--copy-and-stream"})},
     "Give at most one of --stream, --copy and --copy-and-stream.",
     {{replicator({})}, {replicator({"--stream"})}, {replicator({"--copy"})}, {replicator({"--copy-and-stream"})}}},
    {{replicator({"--stream=false"})},
     "Give --copy or --copy-and-stream.",
     {{replicator({"--copy"})}, {replicator({"--copy-and-stream"})}}},
    {{replicator({"--bootstrap-lsn", "0/16B2D50"})},
     "Give it with --bootstrap complete.",
     {{replicator({"--bootstrap-lsn", "0/16B2D50", "--bootstrap", "complete"})}}},
    {{replicator({"--bootstrap", "prepare", "--standby"})},
     "Run the replicator with --bootstrap prepare alone, until the bootstrap is complete; then start all with",
     {{replicator({"--bootstrap", "prepare"})}, {replicator({"--standby"})}}},
    {{replicator({"--copy-and-stream", "--resnapshot", "--standby"})},
     "Run the replicator with --resnapshot alone, until it streams; then start all with --standby.",
     {{replicator({"--copy-and-stream", "--resnapshot"})}, {replicator({"--copy-and-stream", "--standby"})}}},
    {{worker("postgres", {"--target-host", "h", "--share", "1/2"})},
     "Give --share-by table.",
     {{worker("postgres", {"--target-host", "h", "--share", "1/2", "--share-by", "table", "--target-ddl", "ignore"})}}},
    {{worker("postgres", {"--target-host", "h", "--share", "1/2", "--share-by", "table"})},
     "Give --target-ddl ignore, and change the target's tables yourself.",
     {{worker("postgres", {"--target-host", "h", "--share", "1/2", "--share-by", "table", "--target-ddl", "ignore"})}}},
    {{worker("postgres", {"--target-host", "h", "--share", "1/2", "--share-by", "table", "--target-ddl", "ignore",
                          "--target-sync-schema", "--source-host", "s"})},
     "Make the target's tables before, or let one worker without --share load the copy.",
     {{worker("postgres", {"--target-host", "h", "--share", "1/2", "--share-by", "table", "--target-ddl", "ignore"})},
      {worker("postgres", {"--target-host", "h", "--target-sync-schema", "--source-host", "s"})}}},
    {{worker("stdout", {"--nats-cert", "a"})},
     "Give both.",
     {{worker("stdout", {"--nats-cert", "a", "--nats-key", "b"})}}},
    {{worker("stdout", {"--nats-credentials", "a", "--nats-nkey", "b"})},
     "Give one of them.",
     {{worker("stdout", {"--nats-credentials", "a"})}, {worker("stdout", {"--nats-nkey", "b"})}}},
    {{worker("webhook",
             {"--webhook-url", "u", "--webhook-bearer-token", "a", "--webhook-bearer-token-file", "/dev/null"})},
     "Give one of them.",
     {{worker("webhook", {"--webhook-url", "u", "--webhook-bearer-token", "a"})},
      {worker("webhook", {"--webhook-url", "u", "--webhook-bearer-token-file", file_with("token")})}}},
    {{{"replicator", "--host", "h"}},
     "Give --group, the environment variable PGSLUICE_GROUP, or 'group' in the configuration file.",
     {{replicator({})},
      {{"replicator", "--host", "h"}, {{"PGSLUICE_GROUP", "g"}}},
      {{"replicator", "--host", "h", "--config", file_with("group: g\n")}}}},
    {{{"status"}}, "Give --group, or --all.", {{{"status", "--group", "g"}}, {{"status", "--all"}}}},
    {{worker("file")},
     "Give --file-output-dir, the environment variable PGSLUICE_FILE_OUTPUT_DIR, or 'file-output-dir' in the "
     "configuration file.",
     {{worker("file", {"--file-output-dir", "d"})},
      {worker("file"), {{"PGSLUICE_FILE_OUTPUT_DIR", "d"}}},
      {worker("file", {"--config", file_with("file-output-dir: d\n")})}}},
    {{{"replicator", "--group", "g"}},
     "Give --source-url, or --host, --dbname and so on, or a service of pg_service.conf (--source-url service=NAME).",
     {{{"replicator", "--group", "g", "--source-url", "postgresql://h/d"}},
      {{"replicator", "--group", "g", "--host", "h", "--dbname", "d"}},
      {{"replicator", "--group", "g", "--source-url", "service=shop"}}}},
    {{worker("postgres")},
     "Give --target-url, or --target-host, --target-dbname and so on, or a service of pg_service.conf (--target-url "
     "service=NAME).",
     {{worker("postgres", {"--target-url", "postgresql://h/d"})},
      {worker("postgres", {"--target-host", "h", "--target-dbname", "d"})},
      {worker("postgres", {"--target-url", "service=shop"})}}},
    {{worker("postgres", {"--target-host", "h", "--ddl-policy", "drop table=never"})},
     "Use apply, stop or ignore, as in 'drop table=stop, index=ignore'.",
     {{worker("postgres", {"--target-host", "h", "--ddl-policy", "drop table=stop, index=ignore"})}}},
    {{worker("postgres", {"--target-host", "h", "--ddl-policy", "tables=stop"})},
     "Use all, create, alter, drop, table, column, or one of: ",
     {{worker("postgres", {"--target-host", "h", "--ddl-policy", "table=stop"})}}},
};

}  // namespace

TEST_CASE("a command line that was refused is accepted once its hint is followed") {
    for (const Refused& row : rows) {
        const std::string hint = hint_for(row.refused);
        CAPTURE(row.hint);
        CHECK_MESSAGE(contains(hint, row.hint), hint);
        for (const Line& followed : row.followed) {
            std::string line;
            for (const auto& word : followed.words) line += word + " ";
            CHECK_MESSAGE(hint_for(followed) == "accepted", line);
        }
    }
}

TEST_CASE("a name with a dot in double quotes, as the hint says") {
    const auto hint = [](const std::string& name) { return hint_of([&] { return parse_table_name(name, "public"); }); };
    CHECK(hint("shop.") == "Put a name that has a dot in it in double quotes: shop.\"a.b\".");
    CHECK(hint("shop.\"a.b\"") == "accepted");
}

TEST_CASE("a group's name, as the hint says") {
    const auto hint = [](const std::string& name) { return hint_of([&] { return names_for(name); }); };
    for (const char* name : {"Shop", "", "a.b", "12345678901234567890123456789012345678901"})
        CHECK(hint(name) == "Choose a name of at most 40 lower-case letters, digits and '_'; '-' counts as '_'.");
    CHECK(hint("my-shop_2") == "accepted");
}

TEST_CASE("the address of NATS and its users, as the hints say") {
    const auto hint = [](const std::string& urls) { return hint_of([&] { return nats::parse_server_urls(urls); }); };
    CHECK(hint(" , ") == "Give the server's address in --nats-url.");
    CHECK(hint("nats://localhost:4222") == "accepted");
    CHECK(hint("nats://a%40:b@one:1,nats://c:d@two:2") == "Name the same user in all of them.");
    CHECK(hint("nats://a%40:b@one:1,nats://a%40:b@two:2") == "accepted");
}

TEST_CASE("a key file, made and protected as the hints say") {
    const std::string path = directory + "/stream.key";
    std::ofstream(path) << "";
    REQUIRE(chmod(path.c_str(), 0600) == 0);
    const auto hint = [&] { return hint_of([&] { return StreamKeys::load(path); }); };
    const std::string make = hint();
    const auto begin = make.find("(umask");
    const auto end = make.find(". Keep it safe");
    REQUIRE(begin != std::string::npos);
    REQUIRE(end != std::string::npos);
    const auto made = test::run({"/bin/sh", "-c", "cd " + directory + " && " + make.substr(begin, end - begin)});
    CHECK(made.code == 0);
    CHECK(hint() == "accepted");
    REQUIRE(chmod(path.c_str(), 0644) == 0);
    const std::string protect = hint();
    REQUIRE(protect == "Run chmod 600 " + path + ".");
    CHECK(test::run({"/bin/sh", "-c", "chmod 600 " + path}).code == 0);
    CHECK(hint() == "accepted");
}
