// What is refused before anything is touched, and in which words.
#include <doctest/doctest.h>

#include <fstream>

#include "cmd/cli/invocation.h"
#include "sql/error.h"
#include "tests/support/process.h"

using namespace pgsluice;

namespace {

using Words = std::vector<std::string>;

std::string refusal(const Words& words, const Environment& environment = {}) {
    try {
        read_invocation(words, environment);
    } catch (const Error& error) {
        CHECK(error.action() == Action::usage);
        return error.hint().empty() ? error.what() : std::string(error.what()) + " | " + error.hint();
    }
    return "accepted";
}

std::string replicator(const Words& more, const Environment& environment = {}) {
    Words words{"replicator", "--group", "g", "--host", "h"};
    words.insert(words.end(), more.begin(), more.end());
    return refusal(words, environment);
}

std::string worker(const std::string& sink, const Words& more = {}) {
    Words words{"worker", sink, "--group", "g"};
    words.insert(words.end(), more.begin(), more.end());
    return refusal(words);
}

}  // namespace

TEST_CASE("commands") {
    CHECK(refusal({}).rfind("no command given | Give one of: replicator, worker stdout, ", 0) == 0);
    CHECK(refusal({"replicater"}) == "unknown command 'replicater' | Did you mean 'replicator'?");
    CHECK(refusal({"worker"}).rfind("'worker' alone is not a command | Give one of: worker stdout, worker file, ", 0) ==
          0);
    CHECK(refusal({"worker", "postgre"}) == "unknown command 'worker postgre' | Did you mean 'worker postgres'?");
    CHECK(worker("stdout", {"extra"}) == "unexpected argument 'extra' after 'worker stdout'");
    CHECK(replicator({"--copy", "maybe"}) == "unexpected argument 'maybe' after 'replicator'");
}

TEST_CASE("flags") {
    CHECK(replicator({"--tabels", "a"}) == "unknown flag '--tabels' | Did you mean '--tables'?");
    CHECK(replicator({"--tabels=a"}) == "unknown flag '--tabels' | Did you mean '--tables'?");
    CHECK(replicator({"-x"}) == "unknown flag '-x'");
    CHECK(worker("stdout", {"--file-output-dir", "x"}) ==
          "--file-output-dir is not a flag of 'worker stdout' | It belongs to: worker file, import file.");
    CHECK(refusal({"replicator", "--group"}) == "--group needs a value");
}

TEST_CASE("what is missing") {
    CHECK(refusal({"replicator", "--host", "h"}) ==
          "--group is required | Give --group, the environment variable PGSLUICE_GROUP, or 'group' in the "
          "configuration file.");
    CHECK(refusal({"replicator", "--group", "g"}) ==
          "no source database given | Give --source-url, or --host, --dbname and so on, or a service of "
          "pg_service.conf (--source-url service=NAME).");
    CHECK(worker("postgres") ==
          "no target database given | Give --target-url, or --target-host, --target-dbname and so on, or a "
          "service of pg_service.conf (--target-url service=NAME).");
    CHECK(worker("postgres", {"--target-host", "h", "--target-sync-schema"}) ==
          "no source database given | Give --source-url, or --source-host, --source-dbname and so on, or a "
          "service of pg_service.conf (--source-url service=NAME).");
    CHECK(refusal({"forget", "--group", "g"}).rfind("--worker-name is required | ", 0) == 0);
    CHECK(refusal({"teardown", "--group", "g"}) ==
          "no source database given | Give --source-url, or --host, --dbname and so on, or a service of "
          "pg_service.conf (--source-url service=NAME).");
    CHECK(refusal({"status", "--group", "g"}) == "accepted");
    CHECK(refusal({"check", "rules", "--rules-config", "r.yaml"}) == "accepted");
    CHECK(worker("file").rfind("--file-output-dir is required | ", 0) == 0);
    CHECK(worker("webhook").rfind("--webhook-url is required | ", 0) == 0);
}

TEST_CASE("bad values, wherever they are given") {
    CHECK(replicator({"--port", "99999"}) == "bad value '99999' of --port: expected a whole number from 1 to 65535");
    CHECK(replicator({"--copy=maybe"}) == "bad value 'maybe' of --copy: expected true or false");
    CHECK(replicator({"--confirm", "x"}) == "bad value 'x' of --confirm: expected stream or applied");
    CHECK(replicator({"--retry-max-wait", "8"}) ==
          "bad value '8' of --retry-max-wait: expected a duration such as 500ms, 8s, 5m, 1h or 1h30m");
    CHECK(replicator({}, {{"PGSLUICE_STREAM_MAX_BYTES", "lots"}}) ==
          "bad value 'lots' of PGSLUICE_STREAM_MAX_BYTES: expected a size such as 65536, 64MB or 1GiB");
    CHECK(replicator({"--tables", "a,,b"}) == "bad value of --tables: expected a list without empty items");
    CHECK(replicator({}, {{"PG_FLO_TABLES", "a,,b"}}) ==
          "bad value of PG_FLO_TABLES: expected a list without empty items");
    CHECK(worker("stdout", {"--exit-at-lsn", "16B2D50"}) ==
          "bad value '16B2D50' of --exit-at-lsn: expected an LSN such as 0/16B2D50");
    CHECK(worker("webhook", {"--webhook-url", "u", "--webhook-hmac-secret-file", "/nonexistent"}) ==
          "bad value '/nonexistent' of --webhook-hmac-secret-file: unable to read the file '/nonexistent'");
}

TEST_CASE("a bad value in a file is named with file and line") {
    const std::string path = test::temporary_directory("usage") + "/a.yaml";
    std::ofstream(path) << "group: g\nhost: h\nport: many\n";
    CHECK(refusal({"replicator", "--config", path}) ==
          "bad value 'many' of 'port' (" + path + ":3): expected a whole number from 1 to 65535");
    CHECK(replicator({"--config", "/nonexistent"}) ==
          "unable to read the configuration file '/nonexistent' | Check that the file exists, is readable and has at "
          "most "
          "16 MiB.");
}

TEST_CASE("flags that contradict each other") {
    CHECK(replicator({"--copy", "--stream"}) ==
          "--stream and --copy contradict each other | Give at most one of --stream, --copy and --copy-and-stream.");
    CHECK(replicator({}, {{"PGSLUICE_COPY", "true"}, {"PGSLUICE_COPY_AND_STREAM", "true"}}) ==
          "PGSLUICE_COPY and PGSLUICE_COPY_AND_STREAM contradict each other | Give at most one of --stream, --copy and "
          "--copy-and-stream.");
    CHECK(replicator({"--stream=false"}) == "--stream leaves nothing to do | Give --copy or --copy-and-stream.");
    CHECK(replicator({"--retry-initial-wait", "9s"}) == "--retry-initial-wait is longer than --retry-max-wait");
    CHECK(
        worker("webhook", {"--webhook-url", "u", "--webhook-bearer-token", "a", "--webhook-bearer-token-file", "b"}) ==
        "--webhook-bearer-token and --webhook-bearer-token-file contradict each other | Give one of them.");
    CHECK(worker("stdout", {"--nats-cert", "a"}) == "--nats-cert and --nats-key are of no use alone | Give both.");
    CHECK(worker("stdout", {"--nats-credentials", "a", "--nats-nkey", "b"}) ==
          "--nats-credentials and --nats-nkey contradict each other | Give one of them.");
    for (const std::string other : {"--json", "--all", "--watch"})
        CHECK(refusal({"status", "--raw", other, "--group", "g"}) ==
              "--raw and " + other + " contradict each other | Give one of them.");
}

TEST_CASE("NATS names that are none") {
    for (const char* prefix : {"a.", ".a", "a..b", "a.>", "*", "a b"}) {
        CAPTURE(prefix);
        CHECK(worker("stdout", {"--nats-inbox-prefix", prefix}) ==
              std::string("bad value '") + prefix + "' of --nats-inbox-prefix: expected a subject such as _INBOX_shop");
    }
    CHECK(worker("stdout", {"--nats-js-domain", "a.b"}) ==
          "bad value 'a.b' of --nats-js-domain: expected a name such as hub");
}

TEST_CASE("no secret gets into a message") {
    CHECK(worker("webhook", {"--webhook-url", "u", "--webhook-header", "s3cret"}) ==
          "bad value of --webhook-header: expected 'Name: value'");
    CHECK(worker("postgres", {"--target-url", ""}) == "bad value of --target-url: expected a value");
}
