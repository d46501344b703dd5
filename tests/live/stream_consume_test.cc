// The consumer on a real nats-server.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <thread>

#include "sql/error.h"
#include "stream/broker.h"
#include "tests/support/forged_delivery.h"
#include "tests/support/nats_server.h"
#include "tests/support/process.h"
#include "tests/support/stream_group.h"
#include "tests/support/tcp_proxy.h"

using namespace pgsluice;
using test::at;
using test::StreamGroup;

namespace {

// Calls next() until it throws; the error's text and hint, empty when it never does.
std::string error_of(Consumer& consumer) {
    std::string text;
    test::eventually("the consumer stops", [&] {
        try {
            while (consumer.next(100)) {
            }
        } catch (const Error& error) {
            CHECK(error.action() == Action::stop);
            CHECK_FALSE(error.hint().empty());
            text = error.what() + ("; " + error.hint());
        }
        return !text.empty();
    });
    return text;
}

void publish(StreamGroup& group, std::uint64_t from, std::uint64_t to) {
    auto publisher = group.publisher({from - 1});
    for (auto i = from; i <= to; ++i) publisher->publish(at(i), std::to_string(i));
    REQUIRE(publisher->await_acks(20000));
}

}  // namespace

TEST_CASE("reading begins where it is told and waits for more") {
    StreamGroup group;
    publish(group, 1, 10);
    auto consumer = group.consumer({4});
    for (std::uint64_t i = 4; i <= 10; ++i) {
        const auto message = consumer->next(10000);
        REQUIRE(message);
        CHECK(message->first_seq.value == i);
        CHECK(message->last_seq.value == i);
        CHECK(message->meta == at(i));
        CHECK(message->body == std::to_string(i));
    }
    CHECK_FALSE(consumer->next(0));
    CHECK_FALSE(consumer->next(50));
    publish(group, 11, 11);
    const auto message = consumer->next(10000);
    REQUIRE(message);
    CHECK(message->body == "11");
    auto at_end = group.consumer({12});
    CHECK_FALSE(at_end->next(50));
}

TEST_CASE("a consumer may end while messages come, and its connection, too") {
    StreamGroup group;
    const std::string body(32768, 'x');
    auto publisher = group.publisher({0});
    for (std::uint64_t i = 1; i <= 1000; ++i) {
        REQUIRE(publisher->wait_for_room(20000));
        publisher->publish(at(i), body);
    }
    REQUIRE(publisher->await_acks(20000));
    for (int round = 0; round < 60; ++round) {
        const auto broker = round % 2 == 0 ? test::connect_broker() : nullptr;
        auto consumer = (broker ? *broker : *group.broker).consumer(group.names, {1});
        CHECK(consumer->next(10000));
    }
    CHECK(group.consumer({1000})->next(10000)->body == body);
}

TEST_CASE("a message outlives its consumer") {
    StreamGroup group;
    publish(group, 1, 1);
    const auto message = group.consumer({1})->next(10000);
    REQUIRE(message);
    CHECK(message->body == "1");
}

TEST_CASE("COPY headers travel") {
    StreamGroup group;
    const CopyHeader whole{3, 7, 100, 2, 8192, 16384};
    const CopyHeader open{3, 7, 102, 1, 16384, 0};
    auto publisher = group.publisher({0});
    publisher->publish({MessageKind::copy, {}, Lsn{5}}, "1\t\\N\n2\tx\n", &whole);
    publisher->publish({MessageKind::copy, {}, Lsn{5}}, "3\t\n", &open);
    REQUIRE(publisher->await_acks(10000));
    auto consumer = group.consumer({1});
    auto message = consumer->next(10000);
    REQUIRE(message);
    CHECK(message->meta.kind == MessageKind::copy);
    CHECK(message->copy == whole);
    CHECK(message->body == "1\t\\N\n2\tx\n");
    message = consumer->next(10000);
    REQUIRE(message);
    CHECK(message->copy == open);
    CHECK(group.broker->last_message(group.names.stream)->copy == open);
}

TEST_CASE("a body above max_payload travels in parts, also above what may be in flight") {
    test::NatsServer server({.extra_config = "max_payload: 65536"});
    StreamGroup group(server);
    std::string body(5'000'000, 'a');
    for (std::size_t i = 0; i < body.size(); i += 997) body[i] = static_cast<char>('a' + i % 26);
    auto publisher = group.publisher({0}, {.max_in_flight_bytes = 300'000});
    publisher->publish(at(1), "before");
    publisher->publish(at(2), body);
    publisher->publish(at(3), "after");
    CHECK_FALSE(publisher->has_room());
    REQUIRE(publisher->await_acks(20000));
    CHECK(publisher->confirmed() == Lsn{3});
    auto consumer = group.consumer({1});
    CHECK(consumer->next(10000)->body == "before");
    const auto whole = consumer->next(10000);
    REQUIRE(whole);
    CHECK(whole->body == body);
    CHECK(whole->meta == at(2));
    CHECK(whole->first_seq.value == 2);
    CHECK(whole->last_seq.value == 2 + 5'000'000 / (65536 - 1024));
    const auto after = consumer->next(10000);
    REQUIRE(after);
    CHECK(after->first_seq.value == whole->last_seq.value + 1);
    auto again = group.consumer(whole->first_seq);
    CHECK(again->next(10000)->body == body);
    CHECK_THROWS_AS(group.consumer({3})->next(10000), Error);
}

TEST_CASE("an unfinished set of parts is thrown away, and the last complete message is the last") {
    test::NatsServer server({.extra_config = "max_payload: 65536"});
    StreamGroup group(server);
    const std::string body(600'000, 'b');
    {
        // In flight is one part at most, and only some are taken: the replicator dies in the middle.
        auto publisher = group.publisher({0}, {.max_in_flight_bytes = 1});
        publisher->publish(at(1), "one");
        publisher->publish(at(2), body);
        CHECK(test::eventually("some parts are stored", [&] {
            static_cast<void>(publisher->has_room());
            return group.broker->stream_state(group.names.stream)->last_seq.value >= 4;
        }));
    }
    const auto last = group.broker->last_message(group.names.stream);
    REQUIRE(last);
    CHECK(last->seq.value >= 4);
    CHECK(last->seq.value < 11);
    CHECK(last->meta == at(1));
    CHECK(group.broker->message_at(group.names.stream, last->seq)->meta.position == at(1).position);
    group.broker->trim(group.names.stream, {last->seq.value});
    CHECK(group.broker->stream_state(group.names.stream)->first_seq.value == 1);
    auto publisher = group.publisher(last->seq);
    publisher->publish(at(2), body);
    REQUIRE(publisher->await_acks(10000));
    CHECK(group.read_all() == "one," + body + ",");
}

TEST_CASE("nats-server killed and started again: no gap, no repeat") {
    test::NatsServer server;
    StreamGroup writing(server);
    StreamGroup reading(server);
    reading.names = writing.names;
    constexpr std::uint64_t count = 20000;
    // Acked messages may be lost with the page cache, not by a kill; so what was read stays.
    std::jthread writer([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            try {
                const auto last = writing.broker->last_message(writing.names.stream);
                auto i = last ? last->meta.position.commit.value : 0;
                auto publisher = writing.publisher(last ? last->seq : StreamSeq{0});
                while (i < count) {
                    if (!publisher->wait_for_room(1000)) continue;
                    ++i;
                    publisher->publish(at(i), std::to_string(i));
                }
                if (publisher->await_acks(10000)) return;
            } catch (const Error&) {
                std::this_thread::sleep_for(std::chrono::milliseconds(50));
            }
        }
    });
    auto consumer = reading.consumer({1});
    std::uint64_t read = 0;
    int kills = 0;
    CHECK(test::eventually(
        "all is read",
        [&] {
            while (const auto message = consumer->next(50)) {
                REQUIRE(message->body == std::to_string(++read));
                if (read % 5000 == 2500 && kills < 4) {
                    server.kill();
                    server.start();
                    ++kills;
                }
            }
            return read == count;
        },
        std::chrono::seconds(60)));
    CHECK(kills == 4);
    CHECK_FALSE(consumer->next(200));
}

TEST_CASE("a stream set back and written to again is noticed, though it is long enough") {
    test::NatsServer server;
    StreamGroup group(server);
    publish(group, 1, 5);
    const auto store = server.store_dir();
    server.kill();
    std::filesystem::copy(store, store + ".copy", std::filesystem::copy_options::recursive);
    server.start();
    group.broker = test::connect_broker(server.url());
    publish(group, 6, 8);
    const auto reader = test::connect_broker(server.url());
    const auto consumer = reader->consumer(group.names, {1});
    for (int i = 1; i <= 8; ++i) REQUIRE(consumer->next(10000));
    server.kill();
    std::filesystem::remove_all(store);
    std::filesystem::rename(store + ".copy", store);
    server.start();
    group.broker = test::connect_broker(server.url());
    auto publisher = group.publisher({5});
    for (std::uint64_t i = 6; i <= 12; ++i) publisher->publish(at(i + 100), "another");
    REQUIRE(publisher->await_acks(20000));
    std::string error;
    test::eventually("the reader notices", [&] {
        try {
            const bool read_on = consumer->next(100).has_value();
            CHECK_FALSE(read_on);
        } catch (const Error& thrown) {
            CHECK(thrown.action() == Action::retry);
            error = thrown.what();
        }
        return !error.empty();
    });
    CHECK(error.find("message 8 is not the one read before") != std::string::npos);
}

TEST_CASE("an idle consumer that read nothing yet survives a restart") {
    test::NatsServer server;
    StreamGroup group(server);
    publish(group, 1, 3);
    auto consumer = group.consumer({4});
    CHECK_FALSE(consumer->next(10));
    server.kill();
    server.start();
    REQUIRE(test::eventually("connected again", [&] { return group.broker->connected(); }));
    publish(group, 4, 4);
    const auto message = consumer->next(20000);
    REQUIRE(message);
    CHECK(message->body == "4");
}

TEST_CASE("what was trimmed cannot be read") {
    StreamGroup group;
    publish(group, 1, 10);
    group.broker->trim(group.names.stream, {5});
    CHECK_NOTHROW(group.consumer({5}));
    CHECK_THROWS_WITH_AS(group.consumer({4}), doctest::Contains("it begins with 5"), Error);
    try {
        group.consumer({4});
    } catch (const Error& error) {
        CHECK(error.hint().find("--copy-and-stream --resnapshot") != std::string::npos);
    }
}

TEST_CASE("what a publisher had under way when another replaced it fits by number, and counts for nothing") {
    StreamGroup group;
    const auto replaced = group.publisher({0});
    for (std::uint64_t i = 1; i <= 3; ++i) replaced->publish(at(i), "replaced " + std::to_string(i), nullptr);
    REQUIRE(replaced->await_acks(10000));

    StreamGroup taken_over;
    const auto second = taken_over.publisher({0});
    second->publish(at(1), "1", nullptr);
    REQUIRE(second->await_acks(10000));
    for (std::uint64_t seq = 2; seq <= 3; ++seq) {
        const auto late = group.broker->stored_message(group.names.stream, {seq}).value();
        taken_over.broker->publish_one(taken_over.names.changes_subject, late.body, late.headers);
    }
    CHECK(taken_over.broker->last_message(taken_over.names.stream).value().meta == at(1));
    const auto next = taken_over.publisher({3});
    next->publish(at(2), "2", nullptr);
    next->publish(at(3), "3", nullptr);
    REQUIRE(next->await_acks(10000));
    CHECK(taken_over.read_all() == "1,2,3,");

    // A worker that has applied the first goes on after it; that is there to be compared with (Retention).
    const auto message = taken_over.consumer({2})->next(10000);
    REQUIRE(message);
    CHECK(message->body == "2");
}

TEST_CASE("beginning after the end is a stop error") {
    StreamGroup group;
    publish(group, 1, 3);
    CHECK_THROWS_WITH_AS(group.consumer({9}), doctest::Contains("its last is 3"), Error);
}

TEST_CASE("a hole is found") {
    StreamGroup group;
    publish(group, 1, 5);
    group.delete_message({3});
    auto consumer = group.consumer({1});
    const std::string error = error_of(*consumer);
    CHECK(error.find("message 2 is followed by 4") != std::string::npos);
    CHECK(error.find("pgsluice teardown") != std::string::npos);  // the replicator refuses a hole, --resnapshot or not
}

TEST_CASE("a stream deleted under a reader is found") {
    StreamGroup group;
    publish(group, 1, 3);
    auto consumer = group.consumer({1});
    CHECK(consumer->next(10000));
    group.broker->delete_stream(group.names.stream);
    CHECK(error_of(*consumer).find("does not exist") != std::string::npos);
}

TEST_CASE("a stream that is deleted and created again under a reader is detected") {
    StreamGroup group;
    publish(group, 1, 3);
    auto consumer = group.consumer({1});
    CHECK(consumer->next(10000));
    group.broker->delete_stream(group.names.stream);
    group.broker->ensure_stream(group.names, {});
    publish(group, 1, 5);
    CHECK(error_of(*consumer).find("created again") != std::string::npos);
}

TEST_CASE("deliveries lost before the first that arrives are asked for again") {
    StreamGroup group;
    const test::ForgedDelivery forged(test::shared_nats().url(), group.names.stream, 5, 5);
    auto consumer = group.consumer({1});
    REQUIRE(test::eventually("the fifth delivery has arrived alone", [&] { return forged.sent(); }));
    publish(group, 1, 6);
    for (std::uint64_t i = 1; i <= 6; ++i) {
        const auto message = consumer->next(10000);
        REQUIRE(message);
        CHECK(message->first_seq.value == i);
        CHECK(message->body == std::to_string(i));
    }
}

TEST_CASE("a stop ends connecting to a server that takes connections and says nothing") {
    test::TcpProxy proxy(test::shared_nats().port());
    proxy.hold(true, true);
    BrokerOptions options;
    options.url = test::shared_nats().url(proxy.port());
    std::stop_source stop;
    const std::jthread stopper([&] {
        test::eventually("it connects", [&] { return proxy.connections() > 0; });
        stop.request_stop();
    });
    CHECK_THROWS_AS(Broker::connect(options, test::no_log(), stop.get_token()), Interrupted);
}
