// The hints about receivers of changes, HTTP's and NATS's: each is followed to the letter, and the change then arrives.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "sinks/nats/sink.h"
#include "sinks/nats/subject_template.h"
#include "sinks/webhook/sink.h"
#include "sql/error.h"
#include "stream/seal/signed_value.h"
#include "tests/live/postgres_sink_fixture.h"
#include "tests/support/http_receiver.h"
#include "tests/support/nats_server.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"
#include "tests/support/user_stream.h"
#include "worker/dead_letters/stream.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

const Log quiet_log = [](LogLevel, std::string_view) {};

const RelationPtr& items() {
    static const RelationPtr relation = make_relation("public", "items", {"id integer*", "n text"});
    return relation;
}

template <typename Call>
std::string hint_of(const Call& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.hint();
    }
    return "arrives";
}

std::string posting(const WebhookSinkOptions& options, DeadLetters* dead_letters = nullptr) {
    return hint_of([&] {
        const auto sink = make_webhook_sink(options, quiet_log, {}, dead_letters);
        sink->open();
        SinkFeed feed;
        sink->apply(feed.insert(items(), {text("1"), text("x")}).complete());
        sink->flush();
    });
}

// One row, as the sink makes it, of so many bytes.
std::string storing(const NatsServer& server, std::size_t bytes) {
    NatsSinkOptions options;
    options.group = "shop";
    options.subject = "cdc.{schema}.{table}.{op}";
    BrokerOptions broker;
    broker.url = server.url();
    return hint_of([&] {
        const auto sink = make_nats_sink(options, broker, quiet_log, {});
        sink->open();
        SinkFeed feed;
        sink->apply(feed.insert(items(), {text("1"), text(std::string(bytes, 'x'))}).complete());
        sink->flush();
    });
}

}  // namespace

TEST_CASE("headers that pgsluice sets itself") {
    HttpReceiver receiver([](const HttpRequest&) { return HttpReply{}; });
    WebhookSinkOptions plain;
    plain.url = receiver.url();
    WebhookSinkOptions options = plain;
    SUBCASE("the key") {
        options.headers = {"Idempotency-Key: 1"};
        CHECK(posting(options) == "Leave it out.");
        options.headers.clear();
        CHECK(posting(options) == "arrives");
    }
    SUBCASE("the bearer token") {
        options.headers = {"Authorization: Basic x"};
        options.bearer_token = "token";
        CHECK(posting(options) == "Leave it out, or the bearer token.");
        options.bearer_token.clear();
        CHECK(posting(options) == "arrives");
        options = plain;
        options.bearer_token = "token";
        CHECK(posting(options) == "arrives");
    }
    SUBCASE("the signature") {
        options.headers = {"X-Pgsluice-Signature: x"};
        options.hmac_secret = "secret";
        CHECK(posting(options) == "Leave it out, or the secret.");
        options.hmac_secret.clear();
        CHECK(posting(options) == "arrives");
        options = plain;
        options.hmac_secret = "secret";
        CHECK(posting(options) == "arrives");
    }
}

TEST_CASE("a receiver that refuses a change") {
    bool repaired = false;
    HttpReceiver receiver([&](const HttpRequest&) { return HttpReply{repaired ? 200 : 422, {}}; });
    WebhookSinkOptions options;
    options.url = receiver.url();
    CHECK(posting(options) ==
          "Repair the receiver, or start the worker with --on-error dead-letter, which parks such changes.");
    Parked parked;
    SUBCASE("repaired") { repaired = true; }
    SUBCASE("parked") { options.on_error = OnError::dead_letter; }
    CHECK(posting(options, &parked) == "arrives");
    CHECK(parked.lines.size() == (repaired ? 0 : 1));
}

TEST_CASE("a subject's template") {
    const auto hint = [](const std::string& text) { return hint_of([&] { SubjectTemplate read(text, "g"); }); };
    CHECK(hint("cdc.{column}") == "Use a template such as 'cdc.{schema}.{table}.{op}'.");
    CHECK(hint("cdc.{schema}.{table}.{op}") == "arrives");
}

TEST_CASE("a table whose subject would be one of pgsluice's own") {
    NatsServer server;
    const UserStream stream(server.url(), "CDC", "cdc.>");
    NatsSinkOptions options;
    options.group = "shop";
    BrokerOptions broker;
    broker.url = server.url();
    const auto copying = [&](const std::string& subject, const std::string& schema) {
        options.subject = subject;
        return hint_of([&] {
            const auto sink = make_nats_sink(options, broker, quiet_log, {});
            sink->open();
            sink->begin_snapshot({}, {nullptr, make_relation(schema, "shop", {"id integer*"})}, {});
        });
    };
    CHECK(copying("{schema}.{table}", "pgsluice") ==
          "Begin --nats-subject with a word, such as 'cdc.{schema}.{table}.{op}', or give the table another name there "
          "with a route (--routing-config).");
    CHECK(copying("cdc.{schema}.{table}.{op}", "pgsluice") == "arrives");
    CHECK(copying("{schema}.{table}", "cdc") == "arrives");  // by a route
}

TEST_CASE("a change that is larger than its stream takes") {
    NatsServer server;
    const UserStream stream(server.url(), "CDC", "cdc.>", {.message_bytes = 5000});
    CHECK(storing(server, 6000) ==
          "Raise max_msg_size of the stream that has the subjects of --nats-subject, or exclude the column with a "
          "rule.");
    SUBCASE("raised") { stream.limit({.message_bytes = 10000}); }
    CHECK(storing(server, 10) == "arrives");  // as without the column
}

TEST_CASE("a change that is larger than the server takes") {
    NatsServer server({.extra_config = "max_payload: 65536"});
    const UserStream stream(server.url(), "CDC", "cdc.>");
    CHECK(storing(server, 70000) ==
          "Raise max_payload in nats-server's configuration, or exclude the column with a rule.");
    CHECK(storing(server, 10) == "arrives");  // as without the column
}

TEST_CASE("a server whose max_payload was raised takes the change") {
    NatsServer server({.extra_config = "max_payload: 65536"});
    CHECK(contains(storing(server, 70000), "Raise max_payload in nats-server's configuration"));
    server.restart_with("max_payload: 1MB");
    const UserStream stream(server.url(), "CDC", "cdc.>");
    CHECK(storing(server, 70000) == "arrives");
}

TEST_CASE("no stream has the subjects, or it is full") {
    NatsServer server;
    const std::string hint =
        "Create a stream that has the subjects of --nats-subject (`nats stream add`), or raise the limits of the one "
        "that has them.";
    SUBCASE("none") {
        CHECK(storing(server, 10) == hint);
        const UserStream stream(server.url(), "CDC", "cdc.>");
        CHECK(storing(server, 10) == "arrives");
    }
    SUBCASE("full") {
        const UserStream stream(server.url(), "CDC", "cdc.>", {.bytes = 1000});
        CHECK(storing(server, 5000) == hint);
        stream.limit({.bytes = 100000});
        CHECK(storing(server, 5000) == "arrives");
    }
}

TEST_CASE("a dead letter that no message holds") {
    NatsServer nats({.extra_config = "max_payload: 65536"});
    BrokerOptions options;
    options.url = nats.url();
    const std::string content(70000, 'x');
    const auto park = [&] {
        return hint_of([&] {
            DeadLetterStream letters(options, names_for("large"), "postgres", quiet_log, {});
            Change change;
            change.op = Op::message;
            change.position = {Lsn{0x100}, 0};
            change.prefix = "note";
            change.content = content;
            letters.park(change, "too much", 0);
        });
    };
    const std::string hint = park();
    const std::string begin = "Set max_payload in nats-server's configuration above ";
    REQUIRE(hint.starts_with(begin));
    nats.restart_with(fmt::format("max_payload: {}", std::stoul(hint.substr(begin.size())) + 1));
    CHECK(park() == "arrives");
}

TEST_CASE("a key of a group that is not sealed looks sealed") {
    const StreamGroup group;
    const Names& names = group.names;
    const StreamKey key{"k1", {}};
    group.broker->kv_put(names, "lsn", sign_value(key, {names.bucket, "lsn"}, "0/1"));
    const auto read = [&] { return hint_of([&] { static_cast<void>(group.broker->kv_get(names, "lsn")); }); };
    CHECK(contains(read(), fmt::format("If the group is not sealed, another program wrote the key: remove it with "
                                       "`nats kv del {} lsn -f`.",
                                       names.bucket)));
    group.broker->kv_delete(names, "lsn");  // as that command does
    CHECK(read() == "arrives");
}

TEST_CASE("a message to a subject that no stream has") {
    const StreamGroup group;
    const std::string subject = "of_nobody." + group.names.group;
    const auto publish = [&] { return hint_of([&] { group.broker->publish_one(subject, "hello", {}); }); };
    CHECK(publish() == "Create one with `nats stream add`.");
    const UserStream stream(shared_nats().url(), "NOBODY_" + group.names.group, subject);
    CHECK(publish() == "arrives");
}
