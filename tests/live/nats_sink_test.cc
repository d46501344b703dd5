#include "sinks/nats/sink.h"

#include <doctest/doctest.h>

#include "tests/support/nats_server.h"
#include "tests/support/sink_feed.h"
#include "tests/support/tcp_proxy.h"
#include "tests/support/user_stream.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

const Log quiet_log = [](LogLevel, std::string_view) {};

const RelationPtr& items() {
    static const RelationPtr relation = make_relation("public", "items", {"id integer*", "n integer"});
    return relation;
}

std::unique_ptr<Sink> sink_to(const NatsServer& server, const std::string& subject = "cdc.{schema}.{table}.{op}",
                              int port = 0, std::stop_token stop = {}) {
    NatsSinkOptions options;
    options.group = "shop";
    options.subject = subject;
    BrokerOptions broker;
    broker.url = server.url(port);
    return make_nats_sink(options, broker, quiet_log, std::move(stop));
}

}  // namespace

TEST_CASE("each change is a message on its table's subject, with an id of its own") {
    NatsServer server;
    const UserStream stream(server.url(), "CDC", "cdc.>");
    const auto other = make_relation("my schema", "a.b", {"id integer*"});
    const auto sink = sink_to(server);
    CHECK_FALSE(sink->keeps_state());
    CHECK_FALSE(sink->open());
    SinkFeed feed;
    feed.insert(items(), {text("1"), text("x")});
    feed.update(items(), {text("1"), text("y")});
    feed.remove(other, OldRow::key, {text("7")});
    feed.truncate({items(), other});
    const Batch& batch = feed.complete();
    sink->apply(batch);
    sink->flush();
    CHECK(sink->durable() == batch.upto);

    const auto messages = stream.read();
    REQUIRE(messages.size() == 5);
    const std::vector<std::string> subjects = {"cdc.public.items.insert", "cdc.public.items.update",
                                               "cdc.my_schema.a_b.delete", "cdc.public.items.truncate",
                                               "cdc.my_schema.a_b.truncate"};
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        CHECK(messages[i].subject == subjects[i]);
        std::string key = to_string(batch.changes[std::min<std::size_t>(i, 3)].position);
        if (i == 4) key += ".1";
        CHECK(messages[i].id == "shop:" + key + ":" + subjects[i]);
        CHECK(messages[i].body.starts_with("{\"Type\":"));
        CHECK(messages[i].body.ends_with("}"));
    }
    CHECK(messages[0].body.find(R"("NewTuple":{"id":"1","n":"x"})") != std::string::npos);
}

TEST_CASE("what is published again is stored once, and order is kept") {
    NatsServer server;
    const UserStream stream(server.url(), "CDC", "cdc.>");
    SinkFeed feed;
    for (int n = 1; n <= 20000; ++n) feed.insert(items(), {text(std::to_string(n)), text("v")});
    const Batch& batch = feed.complete();
    for (int life = 0; life < 2; ++life) {
        const auto sink = sink_to(server);
        sink->open();
        sink->apply(batch);
        sink->close();
        CHECK(sink->durable() == batch.upto);
    }
    const auto messages = stream.read();
    REQUIRE(messages.size() == 20000);
    for (std::size_t i = 0; i < messages.size(); ++i) {
        CHECK(messages[i].body.find("{\"id\":\"" + std::to_string(i + 1) + "\",") != std::string::npos);
    }
}

TEST_CASE("what was stored while an earlier change was refused is stored again after that one") {
    NatsServer server;
    const UserStream stream(server.url(), "CDC", "cdc.>", {.bytes = 60000});
    SinkFeed feed;
    feed.update(items(), {text("1"), text(std::string(90000, 'x'))});
    feed.update(items(), {text("1"), text("new")});
    feed.update(items(), {text("1"), text("newest")});
    const Batch& batch = feed.complete();
    const auto life = [&] {
        const auto sink = sink_to(server);
        sink->open();
        sink->apply(batch);
        sink->flush();
        return sink->durable();
    };
    for (int n = 0; n < 2; ++n) {
        try {
            life();
            FAIL("stored");
        } catch (const Error& error) {
            CHECK(error.action() == Action::retry);
            CHECK(std::string(error.what()).find("maximum bytes exceeded") != std::string::npos);
        }
    }
    CHECK(stream.read().size() == 2);
    stream.limit({});
    CHECK(life() == batch.upto);
    const auto messages = stream.read();
    REQUIRE(messages.size() == 5);
    CHECK(messages[2].body.size() > 90000);
    CHECK(messages[3].body.find("\"new\"") != std::string::npos);
    CHECK(messages[3].id == messages[0].id + "#1");
    CHECK(messages[4].body.find("\"newest\"") != std::string::npos);
    life();  // as after a crash: all is there in order, under whatever ids
    const auto again = stream.read();
    REQUIRE(again.size() >= 5);
    CHECK(again.back().body.find("\"newest\"") != std::string::npos);
}

TEST_CASE("a change larger than its stream takes stops the worker and says so") {
    NatsServer server;
    const UserStream stream(server.url(), "CDC", "cdc.>", {.message_bytes = 5000});
    const auto sink = sink_to(server);
    sink->open();
    SinkFeed feed;
    sink->apply(feed.insert(items(), {text("1"), text(std::string(6000, 'x'))}).complete());
    try {
        sink->flush();
        FAIL("stored");
    } catch (const Error& error) {
        CHECK(error.action() == Action::stop);
        CHECK(error.hint().find("max_msg_size") != std::string::npos);
    }
}

TEST_CASE("when no stream takes the subject, nothing counts, and the worker may try again") {
    NatsServer server;
    const auto sink = sink_to(server);
    sink->open();
    SinkFeed feed;
    sink->apply(feed.insert(items(), {text("1"), text("x")}).complete());
    try {
        sink->flush();
        FAIL("stored");
    } catch (const Error& error) {
        CHECK(error.action() == Action::retry);
        CHECK(std::string(error.what()).find("no stream has its subject") != std::string::npos);
    }
    CHECK(sink->durable() == Checkpoint{});
}

TEST_CASE("a lost connection is a retry error, and the next life stores the rest") {
    NatsServer server;
    SinkFeed feed;
    {
        const auto sink = sink_to(server);
        sink->open();
        server.kill();
        CHECK_THROWS_AS(
            {
                for (int n = 0; n < 1000; ++n) {
                    sink->apply(feed.insert(items(), {text("1"), text("x")}).complete());
                    sink->flush();
                }
            },
            Error);
        CHECK(sink->durable() == Checkpoint{});
    }
    server.start();
    const UserStream stream(server.url(), "CDC", "cdc.>");
    const auto sink = sink_to(server);
    sink->open();
    sink->apply(feed.insert(items(), {text("2"), text("x")}).complete());
    sink->flush();
    CHECK(stream.read().size() == 1);
}

TEST_CASE("a change larger than the server takes stops the worker and says so") {
    NatsServer server({.extra_config = "max_payload: 65536"});
    const UserStream stream(server.url(), "CDC", "cdc.>");
    const auto sink = sink_to(server);
    sink->open();
    SinkFeed feed;
    const std::string large(70000, 'x');
    try {
        sink->apply(feed.insert(items(), {text("1"), text(large)}).complete());
        FAIL("published");
    } catch (const Error& error) {
        CHECK(error.action() == Action::stop);
        CHECK(std::string(error.what()).find("cdc.public.items.insert") != std::string::npos);
        CHECK(error.hint().find("max_payload") != std::string::npos);
    }
}

TEST_CASE("a copy that starts over is marked, one that continues is not") {
    NatsServer server;
    const UserStream stream(server.url(), "CDC", "cdc.>");
    SnapshotBegin begin;
    begin.epoch = 2;
    begin.consistent_point = Lsn{0x200};
    const Checkpoint marker{StreamSeq{9}, {begin.consistent_point, 0}};
    {
        const auto sink = sink_to(server);
        sink->open();
        sink->resume({marker, 2, StreamSeq{9}});
        CHECK(sink->durable() == marker);
        sink->begin_snapshot(begin, {items()}, marker);
    }
    CHECK(stream.read().empty());
    const auto sink = sink_to(server);
    sink->open();
    sink->begin_snapshot(begin, {items()}, marker);
    const auto messages = stream.read();
    REQUIRE(messages.size() == 1);
    CHECK(messages[0].subject == "cdc._._.snapshot");
    CHECK(messages[0].id == "shop:snapshot-0/200:0:cdc._._.snapshot");
}

TEST_CASE("apply() that waits for acknowledgements says so, and a stop ends it") {
    NatsServer server;
    const UserStream stream(server.url(), "CDC", "cdc.>");
    TcpProxy proxy(server.port());
    std::stop_source stop;
    const auto sink = sink_to(server, "cdc.{schema}.{table}.{op}", proxy.port(), stop.get_token());
    sink->open();
    SinkFeed feed;
    for (int n = 1; n <= 5000; ++n) feed.insert(items(), {text(std::to_string(n)), text("v")});
    const Batch& batch = feed.complete();
    proxy.hold(false, true);
    int told = 0;
    sink->while_waiting([&] {
        ++told;
        stop.request_stop();
    });
    CHECK_THROWS_AS(sink->apply(batch), Interrupted);
    CHECK(told > 0);
}
