// The publisher and the broker's streams on a real nats-server.
#include <doctest/doctest.h>

#include <mutex>
#include <string>

#include "sql/outage.h"
#include "stream/broker.h"
#include "stream/format/markers.h"
#include "tests/support/nats_server.h"
#include "tests/support/process.h"
#include "tests/support/stream_group.h"

using namespace pgsluice;
using test::at;
using test::StreamGroup;

TEST_CASE("without a server, connecting is tried again; without JetStream it is not") {
    BrokerOptions options;
    options.url = "nats://user:secret@127.0.0.1:" + std::to_string(test::free_port());
    try {
        Broker::connect(options, test::no_log(), {});
        FAIL("connected");
    } catch (const Error& error) {
        CHECK(error.action() == Action::retry);
        CHECK(std::string(error.what()).find("127.0.0.1") != std::string::npos);
        CHECK(std::string(error.what()).find("secret") == std::string::npos);
        CHECK(error.hint().find("--nats-url") != std::string::npos);
    }
    test::NatsServer plain({.jetstream = false});
    options.url = plain.url();
    try {
        Broker::connect(options, test::no_log(), {});
        FAIL("connected");
    } catch (const Error& error) {
        CHECK(error.action() == Action::stop);
        CHECK(error.hint().find("nats-server -js") != std::string::npos);
    }
}

TEST_CASE("a wrong password ends a start") {
    test::NatsServer server({.extra_config = "authorization { user: app, password: right }"});
    BrokerOptions options;
    options.url = server.url();
    try {
        Broker::connect(options, test::no_log(), {});
        FAIL("connected");
    } catch (const Error& error) {
        CHECK(refuses_start(error));
    }
    options.url = "nats://app:right@127.0.0.1:" + std::to_string(server.port());
    CHECK(Broker::connect(options, test::no_log(), {})->connected());
}

TEST_CASE("the server reports its version") {
    StreamGroup group;
    CHECK(group.broker->server_version().find('.') != std::string::npos);
}

TEST_CASE("a stream made as it must be, and each wrong setting refused") {
    StreamGroup group;
    auto& broker = *group.broker;
    CHECK_FALSE(broker.last_message(group.names.stream));
    auto state = broker.stream_state(group.names.stream);
    REQUIRE(state);
    CHECK(state->first_seq.value == 1);
    CHECK(state->last_seq.value == 0);
    CHECK(state->max_bytes == -1);
    CHECK(state->max_age_ns == 0);
    CHECK(state->discard_new);
    CHECK(state->file_storage);
    CHECK_NOTHROW(broker.ensure_stream(group.names, {}));
    broker.ensure_stream(group.names, {.max_bytes = 1 << 20});
    CHECK(broker.stream_state(group.names.stream)->max_bytes == 1 << 20);
    CHECK_THROWS_AS(broker.ensure_stream(names_for("replicated"), {.replicas = 3}), Error);
    for (const char* wrong :
         {R"("max_age":1000000000000,"discard":"new","storage":"file")",
          R"("max_age":0,"discard":"old","storage":"file")", R"("max_age":0,"discard":"new","storage":"memory")",
          R"("max_age":0,"discard":"new","storage":"file","max_msgs":5)"}) {
        CAPTURE(wrong);
        broker.delete_stream(group.names.stream);
        group.create_by_hand(wrong);
        try {
            broker.ensure_stream(group.names, {});
            FAIL_CHECK("was accepted");
        } catch (const Error& error) {
            CHECK(error.action() == Action::stop);
            CHECK_FALSE(error.hint().empty());
        }
    }
    broker.delete_stream(group.names.stream);
    CHECK_NOTHROW(broker.delete_stream(group.names.stream));
    CHECK_FALSE(broker.stream_state(group.names.stream));
}

TEST_CASE("messages are confirmed in order and the last one is found again") {
    StreamGroup group;
    auto publisher = group.publisher({0});
    CHECK_FALSE(publisher->confirmed());
    for (std::uint64_t i = 1; i <= 1000; ++i) publisher->publish(at(i), "body");
    CHECK(publisher->await_acks(10000));
    CHECK(publisher->confirmed() == Lsn{1000});
    CHECK(publisher->in_flight() == 0);
    const auto last = group.broker->last_message(group.names.stream);
    REQUIRE(last);
    CHECK(last->seq.value == 1000);
    CHECK(last->meta == at(1000));
    CHECK(last->body.empty());
    auto next = group.publisher(last->seq);
    next->publish({MessageKind::progress, {Lsn{1000}, 1}, Lsn{1001}}, encode(Progress{Lsn{1001}, 5}));
    CHECK(next->await_acks(10000));
    CHECK(decode_progress(group.broker->last_message(group.names.stream)->body).lsn == Lsn{1001});
}

TEST_CASE("of two publishers one breaks, and nothing is interleaved") {
    StreamGroup group;
    auto first = group.publisher({0});
    auto second = group.publisher({0});
    first->publish(at(1), "one");
    CHECK(first->await_acks(10000));
    const auto publish_and_wait = [&] {  // a refusal that is quick shows while publishing
        second->publish(at(2), "two");
        second->await_acks(10000);
    };
    CHECK_THROWS_AS(publish_and_wait(), Error);
    CHECK_THROWS_AS(static_cast<void>(second->has_room()), Error);
    CHECK_THROWS_AS(second->publish(at(3), "three"), Error);
    CHECK_FALSE(second->confirmed());
    first->publish(at(2), "two of the first");
    CHECK(first->await_acks(10000));
    CHECK(group.broker->stream_state(group.names.stream)->last_seq.value == 2);
    CHECK(group.read_all() == "one,two of the first,");
}

TEST_CASE("a publisher with a wrong idea of the last sequence breaks") {
    StreamGroup group;
    auto first = group.publisher({0});
    first->publish(at(1), "one");
    first->publish(at(2), "two");
    CHECK(first->await_acks(10000));
    auto behind = group.publisher({1});
    const auto publish_and_wait = [&] {  // a refusal that is quick shows while publishing
        behind->publish(at(2), "again");
        behind->await_acks(10000);
    };
    CHECK_THROWS_AS(publish_and_wait(), Error);
    CHECK_THROWS_AS(group.publisher({3}), Error);
}

TEST_CASE("a full stream holds the publisher up and loses nothing") {
    StreamGroup group;
    group.broker->ensure_stream(group.names, {.max_bytes = 100 * 1024});
    auto publisher = group.publisher({0});
    const std::string body(10 * 1024, 'x');
    std::uint64_t sent = 0;
    while (sent < 40) publisher->publish(at(++sent), body);
    CHECK(test::eventually("the stream is full", [&] {
        static_cast<void>(publisher->has_room());
        return !publisher->full().empty();
    }));
    CHECK_FALSE(publisher->wait_for_room(300));
    CHECK_FALSE(publisher->await_acks(600));
    auto stored = group.broker->stream_state(group.names.stream)->last_seq.value;
    CHECK(stored < 40);
    CHECK(publisher->confirmed() == Lsn{stored});
    CHECK(publisher->in_flight() == 40 - stored);
    CHECK(test::eventually("all is stored as the stream is trimmed", [&] {
        group.broker->trim(group.names.stream, group.broker->stream_state(group.names.stream)->last_seq);
        return publisher->await_acks(300);
    }));
    CHECK(publisher->full().empty());
    CHECK(publisher->has_room());
    CHECK(publisher->confirmed() == Lsn{40});
    const auto state = group.broker->stream_state(group.names.stream);
    CHECK(state->last_seq.value == 40);
    CHECK(state->messages == state->last_seq.value - state->first_seq.value + 1);
}

TEST_CASE("an account that may store little is refused by an old server unless the stream is limited, too") {
    test::NatsServer server(
        {.extra_config = "accounts { A { jetstream { max_file: 200K }, users: [ { user: a, password: a } ] } }\n"
                         "no_auth_user: a"});
    BrokerOptions options;
    options.url = server.url();
    const auto broker = Broker::connect(options, test::no_log(), {});
    const auto names = names_for("crowded");
    CHECK_NOTHROW(broker->ensure_stream(names, {.max_bytes = 100'000}));
    if (broker->server_version() > "2.10") return;  // it refuses a message before it stores it
    CHECK_THROWS_WITH_AS(broker->ensure_stream(names, {}), doctest::Contains("may store 200000 bytes"), Error);
}

TEST_CASE("a server without room is not taken for a full stream, and is waited for") {
    test::NatsServer server({.jetstream_config = "max_file_store: 200K"});
    std::mutex mutex;
    std::string said;
    BrokerOptions options;
    options.url = server.url();
    const auto broker = Broker::connect(options,
                                        [&](LogLevel, std::string_view text) {
                                            const std::lock_guard lock(mutex);
                                            said.append(text) += '\n';
                                        },
                                        {});
    const auto names = names_for("crowded");
    broker->ensure_stream(names, {});
    auto publisher = broker->publisher(names, {0}, {});
    const std::string body(10 * 1024, 'x');
    for (std::uint64_t i = 1; i <= 40; ++i) publisher->publish(at(i), body);
    CHECK(test::eventually("there is no room", [&] {
        static_cast<void>(publisher->has_room());
        return !publisher->full().empty();
    }));
    CHECK_FALSE(publisher->await_acks(300));
    {
        const std::lock_guard lock(mutex);
        CAPTURE(said);
        CHECK(said.find("not the stream's own limit") != std::string::npos);
        CHECK(said.find("is full") == std::string::npos);
    }
    CHECK(test::eventually("all is stored as the stream is trimmed", [&] {
        broker->trim(names.stream, broker->stream_state(names.stream)->last_seq);
        return publisher->await_acks(300);
    }));
    CHECK(publisher->confirmed() == Lsn{40});
}

TEST_CASE("a disconnect breaks the generation, a new one continues exactly") {
    test::NatsServer server;
    StreamGroup group(server);
    std::uint64_t acked = 0;
    std::uint64_t sent = 0;
    {
        auto publisher = group.publisher({0});
        try {
            while (sent < 1'000'000) {
                if (!publisher->wait_for_room(1000)) continue;
                publisher->publish(at(sent + 1), std::to_string(sent + 1));
                if (++sent == 2000) server.kill();
            }
            FAIL("the publisher did not notice");
        } catch (const Error& error) {
            CHECK(error.action() == Action::retry);
        }
        if (const auto confirmed = publisher->confirmed()) acked = confirmed->value;
    }
    server.start();
    REQUIRE(test::eventually("connected again", [&] { return group.broker->connected(); }));
    const auto last = group.broker->last_message(group.names.stream);
    REQUIRE(last);
    CHECK(last->meta.safe_flush_lsn.value >= acked);
    auto publisher = group.publisher(last->seq);
    for (auto i = last->meta.position.commit.value + 1; i <= 5000; ++i) publisher->publish(at(i), std::to_string(i));
    REQUIRE(publisher->await_acks(20000));
    std::string wanted;
    for (int i = 1; i <= 5000; ++i) wanted += std::to_string(i) + ",";
    CHECK(group.read_all() == wanted);
}

TEST_CASE("trimming keeps the last message") {
    StreamGroup group;
    auto publisher = group.publisher({0});
    for (std::uint64_t i = 1; i <= 5; ++i) publisher->publish(at(i), "x");
    REQUIRE(publisher->await_acks(10000));
    group.broker->trim(group.names.stream, {0});
    CHECK(group.broker->stream_state(group.names.stream)->messages == 5);
    group.broker->trim(group.names.stream, {3});
    CHECK(group.broker->stream_state(group.names.stream)->first_seq.value == 3);
    group.broker->trim(group.names.stream, {100});
    CHECK(group.broker->stream_state(group.names.stream)->first_seq.value == 5);
    CHECK(group.broker->last_message(group.names.stream)->meta == at(5));
    publisher->publish(at(6), "y");
    CHECK(publisher->await_acks(10000));
}

TEST_CASE("the KV bucket compares and sets") {
    StreamGroup group;
    auto& broker = *group.broker;
    CHECK_FALSE(broker.kv_get(group.names, "worker.a"));
    CHECK(broker.kv_keys(group.names).empty());
    CHECK(broker.kv_update(group.names, "worker.a", "1", 0));
    CHECK_FALSE(broker.kv_update(group.names, "worker.a", "2", 0));
    const auto one = broker.kv_get(group.names, "worker.a");
    REQUIRE(one);
    CHECK(one->text == "1");
    CHECK(broker.kv_update(group.names, "worker.a", "2", one->revision));
    CHECK_FALSE(broker.kv_update(group.names, "worker.a", "3", one->revision));
    CHECK(broker.kv_get(group.names, "worker.a")->text == "2");
    broker.kv_put(group.names, "lsn", "0/1");
    CHECK(broker.kv_keys(group.names).size() == 2);
    broker.kv_delete(group.names, "worker.a");
    CHECK_FALSE(broker.kv_get(group.names, "worker.a"));
    CHECK(broker.kv_update(group.names, "worker.a", "new", 0));
    broker.delete_bucket(group.names);
    CHECK_FALSE(broker.kv_get(group.names, "lsn"));
    broker.kv_put(group.names, "lsn", "0/2");
    CHECK(broker.kv_get(group.names, "lsn")->text == "0/2");
}

TEST_CASE("dead letters have a stream of their own") {
    StreamGroup group;
    group.broker->ensure_dead_letters(group.names);
    group.broker->ensure_dead_letters(group.names);
    CHECK(group.broker->publish_one(group.names.dead_letter_subject, "parked", {{"Reason", "it\tfailed"}}).value == 1);
    CHECK_THROWS_AS(group.broker->publish_one("nobody.takes.this", "x", {}), Error);
}
