// A permission that the NATS user does not have is named, with its subject, by the operation that needs it.
#include <doctest/doctest.h>

#include "sql/error.h"
#include "tests/support/process.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

constexpr const char* group = "perm";

// User `all` may do everything, user `some` may not publish to what `denied` lists, nor subscribe to `deaf`.
struct Server {
    explicit Server(const std::string& denied, const std::string& deaf = "none")
        : nats({.extra_config = R"(authorization { users = [ { user: all, password: p },
            { user: some, password: p, permissions: { publish: { deny: [)" +
                                denied + R"(] }, subscribe: { deny: [")" + deaf + R"("] } } } ] })"}) {
        connect("all")->ensure_stream(names, {});
    }
    [[nodiscard]] std::unique_ptr<Broker> connect(const std::string& user) const {
        BrokerOptions options;
        options.url = "nats://" + user + ":p@127.0.0.1:" + std::to_string(nats.port());
        options.request_timeout_ms = 1000;
        return Broker::connect(options, no_log(), {});
    }
    Names names = names_for(group);
    NatsServer nats;
};

// That `operation` fails, for good, and says what is missing.
void refuses(const std::function<void()>& operation, const std::string& doing, const std::string& missing,
             const std::string& hint) {
    try {
        operation();
        FAIL_CHECK("nothing was thrown");
    } catch (const Error& error) {
        CAPTURE(std::string(error.what()));
        CAPTURE(error.hint());
        CHECK(error.action() == Action::stop);
        CHECK(contains(error.what(), "unable to " + doing));
        CHECK(contains(error.what(), missing));
        CHECK(contains(error.hint(), hint));
    }
}

void refuses_publish(const std::function<void()>& operation, const std::string& doing, const std::string& subject) {
    refuses(operation, doing, "may not publish to '" + subject + "'",
            "Add '" + subject + "' to the publish permissions");
}

}  // namespace

TEST_CASE("calls of JetStream's API") {
    const Server server(
        R"("$JS.API.STREAM.INFO.pgsluice_perm", "$JS.API.STREAM.MSG.GET.>", "$JS.API.STREAM.CREATE.pgsluice-dlq_perm",
        "$JS.API.STREAM.DELETE.>", "$JS.API.STREAM.PURGE.KV_pgsluice_perm")");
    const auto broker = server.connect("some");
    refuses_publish([&] { broker->stream_state("pgsluice_perm"); }, "read the state of stream 'pgsluice_perm'",
                    "$JS.API.STREAM.INFO.pgsluice_perm");
    refuses_publish([&] { broker->message_at("pgsluice_perm", {1}); }, "read message 1",
                    "$JS.API.STREAM.MSG.GET.pgsluice_perm");
    refuses_publish([&] { broker->delete_stream("pgsluice_perm"); }, "delete stream 'pgsluice_perm'",
                    "$JS.API.STREAM.DELETE.pgsluice_perm");
    refuses_publish([&] { broker->kv_delete(server.names, "k"); }, "delete key 'k'",
                    "$JS.API.STREAM.PURGE.KV_pgsluice_perm");
}

TEST_CASE("JetStream at all") {
    const Server server(R"("$JS.API.INFO")");
    refuses_publish([&] { static_cast<void>(server.connect("some")); }, "ask NATS", "$JS.API.INFO");
}

TEST_CASE("answers") {
    const Server server(R"("none")", "_INBOX.>");
    refuses([&] { static_cast<void>(server.connect("some")); }, "ask NATS", "may not subscribe to '_INBOX.>'",
            "Add '_INBOX.>' to the subscribe permissions");
}

TEST_CASE("keys of the KV bucket") {
    const Server server(
        R"("$KV.pgsluice_perm.secret", "$JS.API.DIRECT.GET.KV_pgsluice_perm.$KV.pgsluice_perm.hidden")");
    const auto broker = server.connect("some");
    broker->kv_put(server.names, "open", "1");
    CHECK(broker->kv_get(server.names, "open")->text == "1");
    refuses_publish([&] { broker->kv_put(server.names, "secret", "1"); }, "write key 'secret'",
                    "$KV.pgsluice_perm.secret");
    refuses_publish([&] { broker->kv_update(server.names, "secret", "1", 0); }, "write key 'secret'",
                    "$KV.pgsluice_perm.secret");
    refuses_publish([&] { broker->kv_get(server.names, "hidden"); }, "read key 'hidden'",
                    "$JS.API.DIRECT.GET.KV_pgsluice_perm.$KV.pgsluice_perm.hidden");
}

TEST_CASE("writing to the stream") {
    const Server server(R"("pgsluice.perm.>")");
    const auto broker = server.connect("some");
    const auto publisher = broker->publisher(server.names, {0}, {});
    refuses_publish(
        [&] {
            publisher->publish(at(1), "body", nullptr);
            publisher->await_acks(10000);
        },
        "write to stream 'pgsluice_perm'", "pgsluice.perm.changes");
}

TEST_CASE("reading the stream: the consumer, and its flow control") {
    const Server no_consumer(R"("$JS.API.CONSUMER.CREATE.>", "$JS.API.CONSUMER.DURABLE.CREATE.>")");
    const auto broker = no_consumer.connect("some");
    refuses_publish([&] { broker->consumer(no_consumer.names, {1}); }, "read stream 'pgsluice_perm'",
                    "$JS.API.CONSUMER.CREATE.pgsluice_perm");

    const Server no_flow_control(R"("$JS.FC.>")");
    const auto writer = no_flow_control.connect("all");
    const auto publisher = writer->publisher(no_flow_control.names, {0}, {});
    for (int i = 1; i <= 200; ++i) {
        REQUIRE(publisher->wait_for_room(10000));
        publisher->publish(at(static_cast<std::uint64_t>(i)), std::string(500'000, 'x'), nullptr);
    }
    REQUIRE(publisher->await_acks(30000));
    const auto reader = no_flow_control.connect("some");
    const auto consumer = reader->consumer(no_flow_control.names, {1});
    refuses(
        [&] {
            for (int i = 0; i < 200; ++i) consumer->next(1000);
        },
        "read stream 'pgsluice_perm'", "may not publish to '$JS.FC.pgsluice_perm.>'", "Add '$JS.FC.pgsluice_perm.>'");
}

TEST_CASE("publishing changes elsewhere, and dead letters") {
    const Server server(R"("cdc.public.secrets.insert", "pgsluice-dlq.perm")");
    const auto broker = server.connect("some");
    const auto publisher = broker->subject_publisher();
    refuses_publish(
        [&] {
            REQUIRE(publisher->wait_for_room(4, 1000));
            publisher->publish("cdc.public.secrets.insert", "body", "1");
            while (!publisher->await_acks(1000)) continue;
        },
        "publish changes to NATS", "cdc.public.secrets.insert");
    broker->ensure_dead_letters(server.names);
    refuses_publish([&] { broker->publish_one("pgsluice-dlq.perm", "body", {}); }, "publish to subject",
                    "pgsluice-dlq.perm");
}
