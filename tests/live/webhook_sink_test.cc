#include "sinks/webhook/sink.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <set>
#include <thread>

#include "sinks/webhook/client.h"
#include "sinks/webhook/request_metrics.h"
#include "tests/support/http_receiver.h"
#include "tests/support/sink_feed.h"

using namespace pgsluice;
using namespace pgsluice::test;
using Manner = HttpReply::Manner;

namespace {

const Log quiet_log = [](LogLevel, std::string_view) {};

const RelationPtr& items() {
    static const RelationPtr relation = make_relation("public", "items", {"id integer*", "n integer"});
    return relation;
}

WebhookSinkOptions post_to(const HttpReceiver& receiver, std::size_t batch_size = 1, int concurrency = 1) {
    WebhookSinkOptions options;
    options.url = receiver.url();
    options.batch_size = batch_size;
    options.concurrency = concurrency;
    options.timeout_ms = 30000;  // a busy machine answers late, and what is sent again would be counted twice
    options.retry_first_ms = 1;
    options.retry_max_ms = 5;
    return options;
}

// A transaction that inserts rows with n from `from` to `to`, of `rows` different ids.
Batch& inserts(SinkFeed& feed, int from, int to, int rows = 1000000) {
    for (int n = from; n <= to; ++n) feed.insert(items(), {text(std::to_string(n % rows)), text(std::to_string(n))});
    return feed.complete();
}

std::vector<int> ns_in(const std::string& body) {
    std::vector<int> ns;
    for (std::size_t at = 0; (at = body.find(R"("n":")", at)) != std::string::npos; ++at) {
        ns.push_back(std::atoi(body.c_str() + at + 5));
    }
    return ns;
}

std::vector<int> ns_in(const std::vector<HttpRequest>& requests) {
    std::vector<int> all;
    for (const HttpRequest& request : requests) {
        const auto ns = ns_in(request.body);
        all.insert(all.end(), ns.begin(), ns.end());
    }
    return all;
}

std::vector<int> counting(int from, int to) {
    std::vector<int> all;
    for (int n = from; n <= to; ++n) all.push_back(n);
    return all;
}

HttpReply ok(const HttpRequest&) { return {}; }

// The message of the Error that `action` must throw, with its hint.
template <typename F>
std::string error_of(const F& action) {
    try {
        action();
    } catch (const Error& error) {
        CHECK(error.action() == Action::stop);
        return std::string(error.what()) + " HINT: " + error.hint();
    }
    FAIL("no error");
    return {};
}

struct Parked : DeadLetters {
    void park(const Change& change, std::string_view reason, std::uint64_t /*reload*/) override {
        parked.push_back(std::string(change.new_row[1].text()) + ": " + std::string(reason));
    }
    std::vector<std::string> parked;
};

}  // namespace

TEST_CASE("one change per request, over one connection, each with its key") {
    HttpReceiver receiver(ok);
    WebhookSinkOptions options = post_to(receiver);
    options.headers = {"X-Team: data", "Content-Type: application/x-own"};
    options.bearer_token = "letmein";
    options.hmac_secret = "secret";
    const auto sink = make_webhook_sink(options, quiet_log, {});
    CHECK_FALSE(sink->keeps_state());
    SinkFeed feed;
    const Batch& batch = inserts(feed, 1, 20);
    sink->apply(batch);
    sink->flush();
    CHECK(sink->durable() == batch.upto);
    const auto requests = receiver.requests();
    CHECK(ns_in(requests) == counting(1, 20));
    std::set<std::string> keys;
    for (const HttpRequest& request : requests) {
        CHECK(request.connection == 1);
        CHECK(request.body.starts_with(R"({"Type":"INSERT")"));
        CHECK(request.body.ends_with("}}"));
        CHECK(request.headers.at("x-team") == "data");
        CHECK(request.headers.at("content-type") == "application/x-own");
        CHECK(request.headers.at("authorization") == "Bearer letmein");
        const std::string& signature = request.headers.at("x-pgsluice-signature");
        CHECK(signature == webhook_signature("secret", std::atoll(signature.c_str() + 2), request.body));
        keys.insert(request.headers.at("idempotency-key"));
    }
    CHECK(keys.size() == 20);
    CHECK(requests[0].headers.at("idempotency-key") == to_string(batch.changes[0].position));
}

TEST_CASE("several changes per request make an array") {
    HttpReceiver receiver(ok);
    const auto sink = make_webhook_sink(post_to(receiver, 8), quiet_log, {});
    SinkFeed feed;
    const Batch& batch = inserts(feed, 1, 20);
    sink->apply(batch);
    sink->flush();
    const auto requests = receiver.requests();
    REQUIRE(requests.size() == 3);
    CHECK(ns_in(requests[0].body) == counting(1, 8));
    CHECK(requests[0].body.starts_with("[{"));
    CHECK(requests[0].body.ends_with("}]"));
    CHECK(requests[0].headers.at("content-type") == "application/json");
    CHECK(requests[0].headers.at("idempotency-key") ==
          to_string(batch.changes[0].position) + ".." + to_string(batch.changes[7].position));
    CHECK(ns_in(requests[2].body) == counting(17, 20));
}

TEST_CASE("whatever the receiver does, nothing is lost, order is kept, and a repeat has the same key") {
    std::atomic<int> count{0};
    HttpReceiver receiver([&](const HttpRequest&) -> HttpReply {
        switch (count++ % 10) {
            case 0:
                return {500, {}, Manner::whole, "oops"};
            case 1:
                return {408, {}, Manner::whole, ""};
            case 2:
                return {200, {}, Manner::hang_up, ""};
            case 3:
                return {200, {}, Manner::close_in_body, "half an answer"};
            case 4:
                return {503, {"Retry-After: 0"}, Manner::whole, ""};
            case 5:
                return count > 10 ? HttpReply{} : HttpReply{200, {}, Manner::drip, ""};
            default:
                return {};
        }
    });
    WebhookSinkOptions options = post_to(receiver, 2);
    options.timeout_ms = 500;  // for the answer that drips
    const auto sink = make_webhook_sink(options, quiet_log, {});
    SinkFeed feed;
    const Batch& batch = inserts(feed, 1, 40);
    sink->apply(batch);
    sink->flush();
    CHECK(sink->durable() == batch.upto);
    const auto requests = receiver.requests();
    std::map<std::string, std::string> body_of;  // by key
    std::vector<int> first_seen;
    for (const HttpRequest& request : requests) {
        const auto [at, fresh] = body_of.emplace(request.headers.at("idempotency-key"), request.body);
        CHECK(at->second == request.body);
        if (!fresh) continue;
        for (const int n : ns_in(request.body)) first_seen.push_back(n);
    }
    CHECK(requests.size() > 30);
    CHECK(first_seen == counting(1, 40));
}

TEST_CASE("a receiver that asks for time is given it") {
    std::atomic<int> count{0};
    HttpReceiver receiver([&](const HttpRequest&) -> HttpReply {
        return count++ == 0 ? HttpReply{429, {"Retry-After: 1"}, Manner::whole, ""} : HttpReply{};
    });
    std::string logged;
    const auto sink =
        make_webhook_sink(post_to(receiver), [&](LogLevel, std::string_view text) { logged += text; }, {});
    SinkFeed feed;
    sink->apply(inserts(feed, 1, 1));
    const auto before = std::chrono::steady_clock::now();
    sink->flush();
    CHECK(std::chrono::steady_clock::now() - before >= std::chrono::milliseconds(900));
    CHECK(receiver.requests().size() == 2);
    CHECK(logged.find("the receiver answered 429") != std::string::npos);
}

TEST_CASE("an answer that is a refusal stops the worker, naming the change and no secret") {
    for (const int status : {302, 400, 401, 404, 422}) {
        HttpReceiver elsewhere(ok);
        HttpReceiver receiver([&](const HttpRequest& request) -> HttpReply {
            if (ns_in(request.body)[0] < 3) return {};
            return {status, {"Location: " + elsewhere.url()}, Manner::whole, "no"};
        });
        WebhookSinkOptions options = post_to(receiver);
        options.url += "/token-in-path?key=token-in-query";
        const auto sink = make_webhook_sink(options, quiet_log, {});
        SinkFeed feed;
        const Batch& first = inserts(feed, 1, 2);
        sink->apply(first);
        sink->flush();
        const Batch& second = inserts(feed, 3, 4);
        const std::string message = error_of([&] {
            sink->apply(second);
            sink->flush();
        });
        CHECK(message.find("the receiver answered " + std::to_string(status)) != std::string::npos);
        CHECK(message.find(to_string(second.changes[0].position)) != std::string::npos);
        CHECK(message.find("token-in") == std::string::npos);
        CHECK(sink->durable() == first.upto);
        CHECK(elsewhere.requests().empty());
    }
}

TEST_CASE("a request found too large goes in smaller ones") {
    HttpReceiver receiver([&](const HttpRequest& request) -> HttpReply {
        if (ns_in(request.body).size() > 3) return {413, {}, Manner::whole, ""};
        return {};
    });
    const auto sink = make_webhook_sink(post_to(receiver, 16), quiet_log, {});
    SinkFeed feed;
    sink->apply(inserts(feed, 1, 40));
    sink->flush();
    std::vector<int> taken;
    for (const HttpRequest& request : receiver.requests()) {
        const auto ns = ns_in(request.body);
        if (ns.size() <= 3) taken.insert(taken.end(), ns.begin(), ns.end());
    }
    CHECK(taken == counting(1, 40));
}

TEST_CASE("dead letters: just the changes that are refused") {
    HttpReceiver receiver([&](const HttpRequest& request) -> HttpReply {
        for (const int n : ns_in(request.body)) {
            if (n == 5 || n == 18) return {422, {}, Manner::whole, ""};
        }
        return {};
    });
    WebhookSinkOptions options = post_to(receiver, 8, 2);
    options.on_error = OnError::dead_letter;
    Parked letters;
    const auto sink = make_webhook_sink(options, quiet_log, {}, &letters);
    SinkFeed feed;
    const Batch& batch = inserts(feed, 1, 20);
    sink->apply(batch);
    CHECK(sink->durable() == batch.upto);
    std::sort(letters.parked.begin(), letters.parked.end());
    CHECK(letters.parked == std::vector<std::string>{"18: the receiver answered 422", "5: the receiver answered 422"});
    std::set<int> taken;
    for (const HttpRequest& request : receiver.requests()) {
        const auto ns = ns_in(request.body);
        const bool refused = std::count(ns.begin(), ns.end(), 5) + std::count(ns.begin(), ns.end(), 18) > 0;
        if (!refused) taken.insert(ns.begin(), ns.end());
    }
    CHECK(taken.size() == 18);
}

TEST_CASE("an answer is its status: what becomes of its body does not matter") {
    for (const Manner manner : {Manner::close_in_body, Manner::endless}) {
        CAPTURE(static_cast<int>(manner));
        HttpReceiver receiver([&](const HttpRequest&) -> HttpReply { return {200, {}, manner, "half"}; });
        WebhookSinkOptions options = post_to(receiver);
        options.timeout_ms = 60000;  // not what ends an endless body
        const auto sink = make_webhook_sink(options, quiet_log, {});
        SinkFeed feed;
        sink->apply(inserts(feed, 1, 3));
        sink->flush();
        CHECK(ns_in(receiver.requests()) == counting(1, 3));
        HttpReceiver refusing([&](const HttpRequest&) -> HttpReply { return {422, {}, manner, "half"}; });
        const auto refused = make_webhook_sink(post_to(refusing), quiet_log, {});
        SinkFeed other;
        CHECK(error_of([&] {
                  refused->apply(inserts(other, 1, 1));
                  refused->flush();
              }).find("the receiver answered 422") != std::string::npos);
    }
}

TEST_CASE("a change that the receiver fails at for ever is parked after so many attempts, others are not") {
    for (const std::size_t batch_size : {std::size_t{1}, std::size_t{8}}) {
        CAPTURE(batch_size);
        HttpReceiver receiver([&](const HttpRequest& request) -> HttpReply {
            const auto ns = ns_in(request.body);
            return {std::count(ns.begin(), ns.end(), 5) > 0 ? 500 : 200, {}, Manner::whole, ""};
        });
        WebhookSinkOptions options = post_to(receiver, batch_size, 2);
        options.on_error = OnError::dead_letter;
        options.max_attempts = 3;
        Parked letters;
        std::string logged;
        const auto sink = make_webhook_sink(
            options, [&](LogLevel, std::string_view text) { logged += std::string(text) + "\n"; }, {}, &letters);
        SinkFeed feed;
        const Batch& batch = inserts(feed, 1, 20);
        sink->apply(batch);
        CHECK(sink->durable() == batch.upto);
        CHECK(letters.parked == std::vector<std::string>{"5: the receiver answered 500, 3 times"});
        std::set<int> taken;
        std::size_t alone = 0;
        for (const HttpRequest& request : receiver.requests()) {
            const auto ns = ns_in(request.body);
            if (ns == std::vector<int>{5}) ++alone;
            if (std::count(ns.begin(), ns.end(), 5) == 0) taken.insert(ns.begin(), ns.end());
        }
        CHECK(taken.size() == 19);
        CHECK(alone == 3);
        sink->apply(inserts(feed, 21, 30));
        CHECK(logged.find("accepts changes again") != std::string::npos);
    }
}

TEST_CASE("with --on-error stop, so many attempts end the worker; without a number they never do") {
    std::atomic<int> count{0};
    HttpReceiver receiver([&](const HttpRequest&) -> HttpReply {
        return {++count > 20 ? 200 : 500, {}, Manner::whole, ""};
    });
    WebhookSinkOptions options = post_to(receiver);
    options.max_attempts = 3;
    const auto stops = make_webhook_sink(options, quiet_log, {});
    SinkFeed feed;
    CHECK(error_of([&] {
              stops->apply(inserts(feed, 1, 1));
              stops->flush();
          }).find("the receiver answered 500, 3 times") != std::string::npos);
    CHECK(count == 3);
    options.max_attempts = 0;
    const auto patient = make_webhook_sink(options, quiet_log, {});
    SinkFeed other;
    patient->apply(inserts(other, 1, 1));
    patient->flush();
    CHECK(count == 21);
}

TEST_CASE("a receiver that is away is waited for, whatever the number of attempts") {
    std::atomic<int> count{0};
    HttpReceiver receiver([&](const HttpRequest&) -> HttpReply {
        const int number = ++count;
        if (number > 20) return {};
        return {number % 2 == 0 ? 503 : 502, {}, number % 3 == 0 ? Manner::hang_up : Manner::whole, ""};
    });
    WebhookSinkOptions options = post_to(receiver);
    options.on_error = OnError::dead_letter;
    options.max_attempts = 2;
    Parked letters;
    std::string logged;
    const auto sink = make_webhook_sink(
        options, [&](LogLevel, std::string_view text) { logged += std::string(text) + "\n"; }, {}, &letters);
    SinkFeed feed;
    sink->apply(inserts(feed, 1, 1));
    CHECK(letters.parked.empty());
    CHECK(count == 21);
    CHECK(logged.find("unable to post") < logged.find("accepts changes again"));
    CHECK(logged.find("accepts changes again") != std::string::npos);
}

TEST_CASE("the end of the receiver's trouble is said by a later session, too") {
    std::atomic<bool> away{true};
    HttpReceiver receiver([&](const HttpRequest&) -> HttpReply {
        return away ? HttpReply{503, {}, Manner::whole, ""} : HttpReply{};
    });
    WebhookSinkOptions options = post_to(receiver);
    options.metrics = std::make_shared<RequestMetrics>();
    std::string logged;
    const Log log = [&](LogLevel, std::string_view text) { logged += std::string(text) + "\n"; };
    std::stop_source session;
    {
        const auto sink = make_webhook_sink(options, log, session.get_token());
        sink->while_waiting([&] {
            if (logged.find("unable to post") != std::string::npos) session.request_stop();
        });
        SinkFeed feed;
        CHECK_THROWS_AS(
            {
                sink->apply(inserts(feed, 1, 1));
                sink->flush();
            },
            Interrupted);
    }
    CHECK(logged.find("accepts changes again") == std::string::npos);
    away = false;
    const auto next = make_webhook_sink(options, log, {});
    SinkFeed feed;
    next->apply(inserts(feed, 1, 1));
    next->flush();
    CHECK(logged.find("accepts changes again") != std::string::npos);
}

TEST_CASE("several requests in flight: order is kept for each row") {
    std::atomic<int> count{0};
    HttpReceiver receiver([&](const HttpRequest&) -> HttpReply {
        return count++ % 3 == 1 ? HttpReply{500, {}, Manner::whole, ""} : HttpReply{};
    });
    const auto sink = make_webhook_sink(post_to(receiver, 3, 5), quiet_log, {});
    SinkFeed feed;
    for (int from = 1; from <= 400; from += 50) sink->apply(inserts(feed, from, from + 49, 7));
    sink->flush();
    std::map<int, int> last;  // by row
    std::set<std::string> keys;
    std::set<std::uint64_t> connections;
    std::size_t seen = 0;
    for (const HttpRequest& request : receiver.requests()) {
        connections.insert(request.connection);
        if (!keys.insert(request.headers.at("idempotency-key")).second) continue;
        for (const int n : ns_in(request.body)) {
            CHECK(n > last[n % 7]);
            last[n % 7] = n;
            ++seen;
        }
    }
    CHECK(seen == 400);
    CHECK(connections.size() > 1);
}

TEST_CASE("a truncate and a new key wait for all that came before, and hold up what follows") {
    HttpReceiver receiver(ok);
    const auto other = make_relation("public", "others", {"id integer*", "n integer"});
    const auto sink = make_webhook_sink(post_to(receiver, 4, 4), quiet_log, {});
    SinkFeed feed;
    for (int n = 1; n <= 10; ++n) feed.insert(items(), {text(std::to_string(n)), text(std::to_string(n))});
    feed.truncate({items(), other});
    for (int n = 11; n <= 20; ++n) feed.insert(items(), {text(std::to_string(n)), text(std::to_string(n))});
    feed.update(items(), OldRow::key, {text("11"), null_value}, {text("99"), text("21")});
    for (int n = 22; n <= 30; ++n) feed.insert(items(), {text(std::to_string(n)), text(std::to_string(n))});
    sink->apply(feed.complete());
    sink->flush();
    std::set<int> before;
    std::vector<std::string> truncated;
    for (const HttpRequest& request : receiver.requests()) {
        if (request.body.find("TRUNCATE") != std::string::npos) {
            CHECK(before.size() == 10);
            truncated.push_back(request.headers.at("idempotency-key"));
        }
        for (const int n : ns_in(request.body)) {
            if (n > 10) CHECK(before.size() >= 10);
            if (n >= 21) CHECK(before.size() >= 20);
            if (n > 21) CHECK(before.contains(21));
            before.insert(n);
        }
    }
    CHECK(before.size() == 30);
    REQUIRE(truncated.size() == 1);  // both tables' events, in one array
    CHECK(truncated[0].ends_with(":11..0/44C:11.1"));
}

TEST_CASE("an incomplete transaction moves no checkpoint") {
    HttpReceiver receiver(ok);
    const auto sink = make_webhook_sink(post_to(receiver), quiet_log, {});
    SinkFeed feed;
    feed.insert(items(), {text("1"), text("1")});
    sink->apply(feed.piece());
    sink->flush();
    CHECK(receiver.requests().size() == 1);
    CHECK(sink->durable() == Checkpoint{});
    const Batch& rest = inserts(feed, 2, 2);
    sink->apply(rest);
    sink->flush();
    CHECK(sink->durable() == rest.upto);
}

TEST_CASE("a receiver that is not there is waited for") {
    int port = 0;
    {
        HttpReceiver nobody(ok);
        port = nobody.port();
    }
    WebhookSinkOptions options;
    options.url = "http://127.0.0.1:" + std::to_string(port);
    options.retry_first_ms = 1;
    options.retry_max_ms = 20;
    std::promise<void> refused;
    std::atomic<bool> told{false};
    const Log log = [&](LogLevel, std::string_view) {
        if (!told.exchange(true)) refused.set_value();
    };
    const auto sink = make_webhook_sink(options, log, {});
    SinkFeed feed;
    const Batch& batch = inserts(feed, 1, 3);
    auto done = std::async(std::launch::async, [&] {
        sink->apply(batch);
        sink->flush();
    });
    refused.get_future().wait();
    HttpReceiver receiver(ok, port);
    done.get();
    CHECK(ns_in(receiver.requests()) == counting(1, 3));
    CHECK(sink->durable() == batch.upto);
}

TEST_CASE("while waiting for a receiver we can be stopped") {
    HttpReceiver receiver([](const HttpRequest&) -> HttpReply { return {500, {}, Manner::whole, ""}; });
    std::stop_source stop;
    const auto sink = make_webhook_sink(post_to(receiver), quiet_log, stop.get_token());
    SinkFeed feed;
    sink->apply(inserts(feed, 1, 3));
    stop.request_stop();
    CHECK_THROWS_AS(sink->flush(), Interrupted);
    CHECK(sink->durable() == Checkpoint{});
}

TEST_CASE("a copy that starts over is marked by an event of its own") {
    HttpReceiver receiver(ok);
    const auto sink = make_webhook_sink(post_to(receiver), quiet_log, {});
    SnapshotBegin begin;
    begin.epoch = 1;
    begin.consistent_point = Lsn{0x100};
    sink->begin_snapshot(begin, {items()}, {StreamSeq{2}, {}});
    CHECK(receiver.requests().empty());
    begin.epoch = 2;
    begin.consistent_point = Lsn{0x200};
    sink->begin_snapshot(begin, {items()}, {StreamSeq{9}, {}});
    const auto requests = receiver.requests();
    REQUIRE(requests.size() == 1);
    CHECK(requests[0].body ==
          R"({"Type":"SNAPSHOT","Epoch":2,"LSN":"0/200","Tables":[{"Schema":"public","Table":"items"}]})");
    CHECK(requests[0].headers.at("idempotency-key") == "snapshot-0/200:0");
    sink->end_snapshot({}, {StreamSeq{20}, {}});
    CHECK(sink->durable() == Checkpoint{StreamSeq{20}, {}});
}

TEST_CASE("a URL that is not HTTP's is refused at once") {
    for (const char* url : {"ftp://127.0.0.1/", "file:///etc/passwd", "127.0.0.1/hook", ""}) {
        WebhookSinkOptions options;
        options.url = url;
        CHECK_THROWS_WITH_AS(make_webhook_sink(options, quiet_log, {}),
                             "unable to use --webhook-url: it is not an http:// or https:// URL", Error);
    }
}
