// The streaming loop: what is published when, what the slot is told when, and how it stops.
#include "replicator/wal/stream.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "replicator/replicator_metrics.h"
#include "sql/error.h"
#include "stream/format/block_reader.h"
#include "stream/format/markers.h"
#include "tests/support/fake_wal.h"
#include "tests/support/streamed_wal.h"
#include "tests/support/wal_script.h"

using namespace pgsluice;
using namespace pgsluice::test;
using namespace std::chrono_literals;

namespace {

struct Loop {
    FakeScript script;
    FakeWal wal{script};
    FakePublisher publisher{script};
    ReplicatorOptions options;
    WalStreamHooks hooks;
    ResumePoint resume{{}, Lsn{0x10}};
    std::vector<Lsn> told;

    Loop() { wal.answer = keepalive(Lsn{0x10}); }

    void send(const std::vector<std::string>& messages) {
        for (const auto& message : messages) wal.frames.push_back(xlog_data(message));
    }
    WalEnd run() { return stream_wal(wal, publisher, resume, options, hooks, script.stop.get_token()); }
    [[nodiscard]] std::size_t changes_published() const {
        std::size_t count = 0;
        BlockReader reader;
        for (const auto& message : publisher.messages) {
            if (message.meta.kind == MessageKind::changes) count += reader.read(message.body)->changes.size();
        }
        return count;
    }
    [[nodiscard]] Lsn last_confirmed() const { return wal.statuses.back().confirmed; }
};

std::vector<std::string> small_transaction(Lsn commit, Lsn end) {
    return {wal_begin(commit, 7), wal_relation(1, "t", {"id"}), wal_insert(1, {"1"}), wal_commit(commit, end)};
}

}  // namespace

TEST_CASE("a transaction is published when the input runs dry, and confirmed after its ack") {
    Loop loop;
    loop.publisher.auto_ack = false;
    loop.script.then([&] { loop.send(small_transaction(Lsn{0x20}, Lsn{0x30})); });
    loop.script.pass(1500ms);
    loop.script.then([&] {
        REQUIRE(loop.publisher.messages.size() == 1);
        CHECK(loop.publisher.messages[0].meta == MessageMeta{MessageKind::changes, {Lsn{0x20}, 1}, Lsn{0x30}});
        CHECK(loop.last_confirmed() == Lsn{0x10});
        loop.publisher.acked = 1;
    });
    loop.script.pass(1500ms);
    loop.script.then([&] { CHECK(loop.last_confirmed() == Lsn{0x30}); });
    loop.run();
    CHECK(loop.wal.ended);
}

TEST_CASE("small transactions that are here together share a block") {
    Loop loop;
    loop.send(small_transaction(Lsn{0x20}, Lsn{0x30}));
    loop.send(small_transaction(Lsn{0x30}, Lsn{0x40}));
    loop.run();
    CHECK(loop.publisher.messages.size() == 1);
    CHECK(loop.publisher.messages[0].meta.safe_flush_lsn == Lsn{0x40});
    CHECK(loop.changes_published() == 2);
}

TEST_CASE("of a running transaction nothing is published before it commits, and it holds nothing else up") {
    Loop loop;
    loop.options.block_bytes = 4096;
    loop.send({stream_start(7, true), streamed(7, wal_relation(1, "t", {"id"}))});
    for (int i = 0; i < 1000; ++i)
        loop.send({streamed(7, wal_insert(1, {"0123456789012345678901234567890123456789"}))});
    loop.send({stream_stop()});
    loop.send(small_transaction(Lsn{0x20}, Lsn{0x30}));
    loop.script.pass(1500ms);
    loop.script.then([&] {
        CHECK(loop.changes_published() == 1);
        CHECK(loop.last_confirmed() == Lsn{0x30});
        CHECK(loop.options.metrics->open_transactions.get() == 1);
        CHECK(loop.options.metrics->open_bytes.get() > 40'000);
        loop.send({stream_commit(7, Lsn{0x40}, Lsn{0x50})});
    });
    loop.script.pass(1500ms);
    loop.script.then([&] { CHECK(loop.last_confirmed() == Lsn{0x50}); });
    loop.run();
    CHECK(loop.changes_published() == 1001);
    CHECK(loop.options.metrics->open_transactions.get() == 0);
    for (const auto& message : loop.publisher.messages) CHECK(message.body.size() < 5000);
}

TEST_CASE("a stop in the middle of what was kept publishes what was passed on, and the next session the rest") {
    Loop loop;
    loop.options.block_bytes = 4096;
    loop.publisher.room = false;
    const auto send_all = [](Loop& to) {
        to.send({stream_start(7, true), streamed(7, wal_relation(1, "t", {"id"}))});
        for (int i = 0; i < 1000; ++i)
            to.send({streamed(7, wal_insert(1, {"0123456789012345678901234567890123456789"}))});
        to.send({stream_stop(), stream_commit(7, Lsn{0x40}, Lsn{0x50})});
    };
    send_all(loop);
    loop.script.pass(1s);
    loop.script.then([&] {
        loop.publisher.room = true;
        loop.script.stop.request_stop();
    });
    loop.run();
    const std::size_t published = loop.changes_published();
    CHECK(published > 0);
    CHECK(published < 1000);
    Loop next;
    next.resume = resume_point(loop.publisher.messages.back().meta);
    send_all(next);
    next.run();
    CHECK(next.changes_published() == 1000 - published);
}

TEST_CASE("the first status goes out at once, then one per interval, whatever comes or not") {
    Loop loop;
    loop.script.pass(10s);
    loop.run();
    CHECK(loop.wal.statuses.front().time == std::chrono::steady_clock::time_point{});
    CHECK(loop.wal.statuses.size() >= 11);
    for (std::size_t i = 1; i < loop.wal.statuses.size(); ++i) {
        CHECK(loop.wal.statuses[i].time - loop.wal.statuses[i - 1].time <= 1001ms);
    }
}

TEST_CASE("a short wal_sender_timeout makes statuses more frequent") {
    Loop loop;
    loop.wal.timeout = 300ms;
    loop.script.pass(1s);
    loop.run();
    CHECK(loop.wal.statuses.size() >= 10);
}

TEST_CASE("a keepalive that asks is answered at once") {
    Loop loop;
    loop.script.pass(300ms);
    loop.script.then([&] { loop.wal.frames.push_back(keepalive(Lsn{0x10}, true)); });
    std::size_t before = 0;
    loop.script.then([&] { before = loop.wal.statuses.size(); });
    loop.run();
    CHECK(before == 2);  // the first one and the answer
}

TEST_CASE("while publishing is blocked no more than a block is read and statuses continue") {
    Loop loop;
    loop.options.block_bytes = 4096;
    loop.wal.timeout = 300ms;
    loop.publisher.room = false;
    loop.send({wal_begin(Lsn{0x20}, 7), wal_relation(1, "t", {"id"})});
    for (int i = 0; i < 1000; ++i) loop.send({wal_insert(1, {"0123456789012345678901234567890123456789"})});
    loop.send({wal_commit(Lsn{0x20}, Lsn{0x30})});
    loop.script.pass(5s);
    loop.script.then([&] {
        CHECK(loop.publisher.messages.empty());
        CHECK(loop.wal.received < 120);
        CHECK(loop.wal.statuses.size() >= 45);
        CHECK(loop.last_confirmed() == Lsn{0x10});
        loop.publisher.room = true;
    });
    loop.script.pass(1s);
    loop.script.then([&] { CHECK(loop.last_confirmed() == Lsn{0x30}); });
    loop.run();
    CHECK(loop.changes_published() == 1000);
}

TEST_CASE("a wait for room, or for the source, counts as one while it lasts, whatever is done meanwhile") {
    Loop loop;
    const auto later = Spell::Clock::now() + 1h;
    const auto stream = [&] { return loop.options.metrics->waiting_for_stream.running_seconds(later); };
    const auto source = [&] { return loop.options.metrics->waiting_for_source.running_seconds(later); };
    double began = 0;
    loop.publisher.room = false;
    loop.send(small_transaction(Lsn{0x20}, Lsn{0x30}));
    loop.script.then([&] { began = stream(); });
    loop.script.pass(5s);
    loop.script.then([&] {
        CHECK(began > 0);
        CHECK(stream() == began);
        CHECK(source() == 0);
        loop.publisher.room = true;
    });
    loop.script.pass(1s);
    loop.script.then([&] {
        CHECK(stream() == 0);
        began = source();
    });
    loop.script.pass(5s);
    loop.script.then([&] {
        CHECK(began > 0);
        CHECK(source() == began);
    });
    loop.run();
    CHECK(source() == 0);
}

TEST_CASE("a source is not called silent while we do not read") {
    Loop loop;
    loop.publisher.room = false;
    loop.send(small_transaction(Lsn{0x20}, Lsn{0x30}));
    loop.script.pass(200s);
    loop.script.then([&] { loop.publisher.room = true; });
    CHECK_NOTHROW(loop.run());
}

TEST_CASE("before a full stream, a slot that is about to be lost is let go, and read again when there is room") {
    Loop loop;
    bool danger = false;
    loop.hooks.slot_in_danger = [&] { return danger; };
    loop.publisher.room = false;
    loop.send(small_transaction(Lsn{0x20}, Lsn{0x30}));
    loop.script.pass(60s);
    loop.script.then([&] {
        CHECK_FALSE(loop.wal.closed);
        danger = true;
    });
    loop.script.pass(1s);
    loop.script.then([&] {
        CHECK(loop.wal.closed);
        CHECK(loop.publisher.messages.empty());
        loop.publisher.room = true;
    });
    loop.script.pass(1s);
    CHECK(loop.run() == WalEnd::session_end);
    CHECK(loop.changes_published() == 1);
}

TEST_CASE("a stream without room for a moment does not cost the connection, whatever the slot's state") {
    Loop loop;
    loop.hooks.slot_in_danger = [] { return true; };
    for (int i = 0; i < 5; ++i) {
        loop.script.then([&] { loop.publisher.room = false; });
        loop.script.pass(4s);
        loop.script.then([&] { loop.publisher.room = true; });
        loop.script.pass(1s);
    }
    CHECK(loop.run() == WalEnd::stopped);
    CHECK_FALSE(loop.wal.closed);
}

TEST_CASE("a slot that is lost while the stream is full ends the wait for room") {
    Loop loop;
    bool lost = false;
    loop.hooks.slot_in_danger = [&]() -> bool {
        if (lost) throw retry_error("the slot is lost");
        return true;
    };
    loop.publisher.room = false;
    loop.send(small_transaction(Lsn{0x20}, Lsn{0x30}));
    loop.script.pass(20s);
    loop.script.then([&] { lost = true; });
    loop.script.pass(100s);
    CHECK_THROWS_WITH_AS(loop.run(), "the slot is lost", Error);
    CHECK(loop.wal.closed);
}

TEST_CASE("a source that answers nothing is given up for a new connection") {
    Loop loop;
    loop.wal.answers = false;
    loop.script.pass(200s);
    try {
        loop.run();
        FAIL("it must throw");
    } catch (const Error& error) {
        CHECK(error.action() == Action::retry);
    }
    CHECK(loop.wal.statuses.back().reply_requested);
    CHECK(loop.script.now.time_since_epoch() < 62s);
}

TEST_CASE("a transaction of any size passes through in blocks") {
    Loop loop;
    loop.options.block_bytes = 64 * 1024;
    loop.send({wal_begin(Lsn{0x20}, 7), wal_relation(1, "t", {"id", "note"})});
    for (int i = 0; i < 20000; ++i) loop.send({wal_insert(1, {std::to_string(i), "a note of some length"})});
    loop.send({wal_commit(Lsn{0x20}, Lsn{0x30})});
    loop.run();
    CHECK(loop.changes_published() == 20000);
    CHECK(loop.publisher.messages.size() > 10);
    for (std::size_t i = 0; i < loop.publisher.messages.size(); ++i) {
        const auto& message = loop.publisher.messages[i];
        CHECK(message.body.size() < 65 * 1024);
        const bool last = i + 1 == loop.publisher.messages.size();
        CHECK(message.meta.safe_flush_lsn == (last ? Lsn{0x30} : Lsn{0x10}));
    }
}

TEST_CASE("a good catch is followed by a nap, a small one by a wait for more") {
    Loop loop;
    loop.send(small_transaction(Lsn{0x20}, Lsn{0x30}));
    loop.script.pass(100ms);
    loop.script.then([&] {
        CHECK(loop.wal.naps == 0);
        loop.send({wal_begin(Lsn{0x30}, 7), wal_insert(1, {std::string(4000, 'x')}), wal_commit(Lsn{0x30}, Lsn{0x40})});
    });
    loop.script.pass(100ms);
    loop.script.then([&] { CHECK(loop.wal.naps == 1); });
    loop.run();
}

TEST_CASE("the rest of a small transaction is waited for, and that of a larger one comes after a nap") {
    Loop loop;
    const std::string row = wal_insert(1, {std::string(1500, 'x')});
    loop.send({wal_begin(Lsn{0x20}, 7), wal_relation(1, "t", {"id"}), row});
    loop.script.then([&] { loop.send({row, wal_commit(Lsn{0x20}, Lsn{0x30})}); });
    loop.script.then([&] {
        CHECK(loop.wal.naps == 0);
        REQUIRE(loop.publisher.messages.size() == 1);
        CHECK(loop.publisher.messages[0].meta.safe_flush_lsn == Lsn{0x30});
        loop.send({wal_begin(Lsn{0x30}, 8), row, row, row});
    });
    loop.script.then([&] {
        CHECK(loop.wal.naps == 1);
        loop.send({wal_commit(Lsn{0x30}, Lsn{0x40})});
    });
    loop.run();
    CHECK(loop.changes_published() == 5);
}

TEST_CASE("what is late already is taken with longer naps and goes in fuller blocks, until we have caught up") {
    Loop loop;
    constexpr std::int64_t committed_us = 1'000'000;
    constexpr std::int64_t late_us = committed_us + 110'000;
    const auto send = [&](const std::vector<std::string>& messages, std::int64_t sent_us) {
        for (const auto& message : messages) loop.wal.frames.push_back(xlog_data(message, sent_us));
    };
    const auto row = wal_insert(1, {std::string(4000, 'x')});
    send({wal_begin(Lsn{0x30}, 7, committed_us), wal_relation(1, "t", {"id"}), row}, committed_us + 1000);
    loop.script.then([&] {
        CHECK(loop.wal.last_nap == 200us);
        send({row, wal_commit(Lsn{0x30}, Lsn{0x40})}, late_us);
    });
    loop.script.then([&] {
        CHECK(loop.wal.last_nap == 25ms);
        CHECK(loop.publisher.messages.empty());
    });
    loop.script.then([&] {
        REQUIRE(loop.publisher.messages.size() == 1);
        CHECK(loop.publisher.messages[0].meta.safe_flush_lsn == Lsn{0x40});
        send({wal_begin(Lsn{0x50}, 8, late_us), row, wal_commit(Lsn{0x50}, Lsn{0x60})}, late_us + 1000);
    });
    loop.script.then([&] {
        CHECK(loop.wal.last_nap == 200us);
        CHECK(loop.publisher.messages.size() == 2);
    });
    loop.run();
}

TEST_CASE("while messages are on the way already, what comes meanwhile shares a block") {
    Loop loop;
    loop.publisher.auto_ack = false;
    std::uint64_t lsn = 0x20;
    const auto one_more = [&] {
        loop.send(small_transaction(Lsn{lsn}, Lsn{lsn + 8}));
        lsn += 0x10;
    };
    for (int i = 0; i < 10; ++i) loop.script.then(one_more);
    loop.script.pass(1ms);
    loop.script.then([&] {
        CHECK(loop.publisher.messages.size() == 2);
        loop.publisher.acked = 2;
    });
    loop.script.pass(1ms);
    loop.script.then([&] {
        CHECK(loop.publisher.messages.size() == 3);
        loop.publisher.acked = 3;
    });
    loop.run();
    CHECK(loop.changes_published() == 10);
}

TEST_CASE("a broken generation ends the session with a retry error, also when nothing is to be sent") {
    Loop loop;
    loop.script.then([&] { loop.publisher.broken = true; });
    try {
        loop.run();
        FAIL("it must throw");
    } catch (const Error& error) {
        CHECK(error.action() == Action::retry);
    }
}

TEST_CASE("WAL without anything of ours is confirmed by way of a progress marker") {
    Loop loop;
    loop.wal.answer = keepalive(Lsn{0x500});
    loop.script.pass(2500ms);
    loop.script.then([&] {
        CHECK(loop.publisher.messages.empty());
        CHECK(loop.last_confirmed() == Lsn{0x10});
    });
    loop.script.pass(2s);
    loop.script.then([&] {
        REQUIRE(loop.publisher.messages.size() == 1);
        CHECK(loop.publisher.messages[0].meta == MessageMeta{MessageKind::progress, {}, Lsn{0x500}});
        CHECK(decode_progress(loop.publisher.messages[0].body).lsn == Lsn{0x500});
        CHECK(loop.last_confirmed() == Lsn{0x500});
    });
    loop.script.pass(60s);
    loop.run();
    CHECK(loop.publisher.messages.size() == 1);
}

TEST_CASE("no marker inside a transaction, however long it stays open") {
    Loop loop;
    loop.send({wal_begin(Lsn{0x600}, 7), wal_relation(1, "t", {"id"}), wal_insert(1, {"1"})});
    loop.script.pass(1s);
    loop.script.then([&] { loop.wal.answer = keepalive(Lsn{0x500}); });
    loop.script.pass(20s);
    loop.run();
    REQUIRE(loop.publisher.messages.size() == 1);
    CHECK(loop.publisher.messages[0].meta == MessageMeta{MessageKind::changes, {Lsn{0x600}, 1}, Lsn{0x10}});
}

TEST_CASE("a server that shuts down gets all of its WAL confirmed at once") {
    Loop loop;
    loop.script.pass(300ms);
    loop.script.then([&] { loop.wal.frames.push_back(keepalive(Lsn{0x700}, true)); });
    loop.script.then([&] {
        REQUIRE(loop.publisher.messages.size() == 1);
        CHECK(loop.publisher.messages[0].meta.safe_flush_lsn == Lsn{0x700});
        loop.wal.frames.push_back(keepalive(Lsn{0x700}, true));
    });
    loop.script.then([&] { CHECK(loop.last_confirmed() == Lsn{0x700}); });
    loop.run();
}

TEST_CASE("a stop in mid-transaction publishes what was taken, and the next session continues after it") {
    Loop first;
    first.send({wal_begin(Lsn{0x20}, 7), wal_relation(1, "t", {"id"}), wal_insert(1, {"1"}), wal_insert(1, {"2"})});
    first.script.then([&] {
        first.send({wal_insert(1, {"3"})});
        first.script.stop.request_stop();  // in mid-transaction: the third is not read any more
    });
    first.run();
    CHECK(first.changes_published() == 2);
    CHECK(first.wal.ended);

    Loop second;
    second.resume = resume_point(first.publisher.messages.back().meta);
    CHECK(second.resume.position == Position{Lsn{0x20}, 2});
    second.send({wal_begin(Lsn{0x20}, 7), wal_relation(1, "t", {"id"}), wal_insert(1, {"1"}), wal_insert(1, {"2"}),
                 wal_insert(1, {"3"}), wal_commit(Lsn{0x20}, Lsn{0x30})});
    second.run();
    CHECK(second.changes_published() == 1);
    CHECK(second.publisher.messages.back().meta == MessageMeta{MessageKind::changes, {Lsn{0x20}, 3}, Lsn{0x30}});
    CHECK(second.last_confirmed() == Lsn{0x30});
}

TEST_CASE("a stop waits for acks and confirms them") {
    Loop loop;
    loop.publisher.auto_ack = false;
    loop.send(small_transaction(Lsn{0x20}, Lsn{0x30}));
    loop.script.then([&] { loop.script.stop.request_stop(); });
    loop.script.then([&] { loop.publisher.acked = 1; });
    loop.run();
    CHECK(loop.last_confirmed() == Lsn{0x30});
}

TEST_CASE("a stop gives up after a few seconds without acks and confirms nothing") {
    Loop loop;
    loop.publisher.auto_ack = false;
    loop.wal.timeout = 300ms;
    loop.send(small_transaction(Lsn{0x20}, Lsn{0x30}));
    std::chrono::steady_clock::time_point stopped;
    loop.script.then([&] {
        stopped = loop.script.now;
        loop.script.stop.request_stop();
    });
    loop.script.pass(100s);
    loop.run();
    CHECK(loop.script.now - stopped < 4s);
    CHECK(loop.last_confirmed() == Lsn{0x10});
    CHECK(loop.wal.statuses.size() >= 30);  // they go on meanwhile
    CHECK(loop.wal.ended);
}

TEST_CASE("a stop with a full block and no room leaves the block for the next session") {
    Loop loop;
    loop.publisher.room = false;
    loop.send(small_transaction(Lsn{0x20}, Lsn{0x30}));
    loop.script.then([&] { loop.script.stop.request_stop(); });
    loop.script.pass(100s);
    loop.run();
    CHECK(loop.publisher.messages.empty());
    CHECK(loop.last_confirmed() == Lsn{0x10});
}

TEST_CASE("the limit of --confirm applied holds the slot back") {
    Loop loop;
    Lsn applied{0x18};
    loop.hooks.confirm_limit = [&] { return applied; };
    loop.hooks.confirmed = [&](Lsn lsn) { loop.told.push_back(lsn); };
    loop.send(small_transaction(Lsn{0x20}, Lsn{0x30}));
    loop.script.pass(1500ms);
    loop.script.then([&] {
        CHECK(loop.last_confirmed() == Lsn{0x18});
        applied = Lsn{0x28};
    });
    loop.script.pass(1500ms);
    loop.script.then([&] {
        CHECK(loop.last_confirmed() == Lsn{0x28});
        applied = Lsn{0x18};  // never back
    });
    loop.script.pass(1500ms);
    loop.run();
    CHECK(loop.told.back() == Lsn{0x28});
}
