// The streaming loop between a real source and a real nats-server that fills up, hangs and dies.
#include <doctest/doctest.h>

#include <string>

#include "tests/support/process.h"
#include "tests/support/replicator_session.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

constexpr const char* tables = "CREATE TABLE t (id int PRIMARY KEY, note text); CREATE TABLE u (id int PRIMARY KEY)";
constexpr const char* fifty_megabytes = "INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 50000) i";

// wal_sender_timeout of four seconds, on both of its ends: a busy machine may not let us run for one.
void hurry_walsender(ReplicatorSession& session) {
    session.options.source.settings.emplace_back("options", "-c wal_sender_timeout=4s");
}

// The walsender has been alive for longer than its time-out allows without statuses.
bool outlives_timeout(ReplicatorSession& session) {
    return eventually("three timeouts pass", [&] {
        return session.slot("coalesce(reply_time > backend_start + interval '13 s', false)") == "t";
    });
}

}  // namespace

TEST_CASE("what is written arrives, the slot follows, and KV has a copy of its LSN") {
    ReplicatorSession session(shared_postgres(), shared_nats(), tables);
    session.options.progress_interval_ms = 100;
    session.options.feedback_interval_ms = 100;
    session.start();
    session.sql("INSERT INTO u SELECT generate_series(1, 1000)");
    REQUIRE(session.read_all());
    CHECK(session.seen.changes() == 1000);
    CHECK(eventually("KV has the slot's LSN", [&] {
        const auto copy = session.broker->kv_get(session.options.names, "lsn");
        const auto lsn = copy ? parse_lsn(copy->text) : std::nullopt;
        return lsn && *lsn >= session.seen.last().safe_flush_lsn;
    }));
    CHECK(eventually("the slot is not ahead of the stream", [&] {
        const auto slot = session.slot("confirmed_flush_lsn");
        session.read();  // markers may have come meanwhile
        return parse_lsn(slot).value() <= session.seen.last().safe_flush_lsn;
    }));
    CHECK(session.stop() == "");
}

TEST_CASE("a full stream blocks the WAL, not the statuses, and nothing is lost once it is trimmed") {
    ReplicatorSession session(shared_postgres(), shared_nats(), tables);
    hurry_walsender(session);
    session.options.stream.max_bytes = 8 << 20;
    session.start();
    session.sql(fifty_megabytes);
    CHECK(outlives_timeout(session));
    session.read();
    CHECK(session.seen.changes() < 50000);
    CHECK(eventually(
        "all rows arrive",
        [&] {
            session.read();
            session.trim();
            return session.seen.changes() == 50000;
        },
        std::chrono::seconds(120)));
    CHECK(session.seen.ordered());
    CHECK(session.sessions == 1);
    CHECK(session.stop() == "");
}

TEST_CASE("a nats-server that hangs costs nothing, and a stop does not wait for it") {
    NatsServer nats;
    ReplicatorSession session(shared_postgres(), nats, tables);
    hurry_walsender(session);
    session.start();
    session.sql("INSERT INTO u VALUES (1)");
    REQUIRE(session.read_all());
    nats.pause();
    session.sql(fifty_megabytes);
    CHECK(eventually("the replicator gives up this session", [&] { return session.sessions > 1; }));
    session.stop();
    nats.resume();
    session.start();
    REQUIRE(session.read_all());
    CHECK(session.seen.changes() == 50001);
    CHECK(session.seen.ordered());
    CHECK(session.stop() == "");
}

TEST_CASE("a nats-server killed in the middle of a transaction costs nothing") {
    NatsServer nats;
    ReplicatorSession session(shared_postgres(), nats, tables);
    session.start();
    session.sql("INSERT INTO u SELECT generate_series(1, 300000)");
    for (std::uint64_t i = 1; i <= 3; ++i) {
        CHECK(eventually("some more is stored", [&] { return session.stored() > i * 20; }));
        nats.kill();
        nats.start();
    }
    REQUIRE(session.read_all());
    CHECK(session.seen.changes() == 300000);
    CHECK(session.seen.ordered());
    CHECK(session.sessions > 1);
    CHECK(session.stop() == "");
}

TEST_CASE("stopped in mid-transaction again and again, everything arrives once") {
    ReplicatorSession session(shared_postgres(), shared_nats(), tables);
    session.options.block_bytes = 4096;
    session.options.stream.max_bytes = 1 << 20;  // so that it is surely stopped in the middle
    session.start();
    session.sql("INSERT INTO u SELECT generate_series(1, 300000)");
    for (std::uint64_t i = 1; i <= 3; ++i) {
        CHECK(eventually("some more is stored", [&] { return session.stored() > i * 150; }));
        CHECK(session.stop() == "");
        CHECK(eventually("what is stored is read", [&] {
            session.read();
            return session.last_seq.value == session.stored();
        }));
        CHECK(session.seen.changes() < 300000);
        session.trim();
        session.start();
    }
    CHECK(eventually("all rows arrive", [&] {
        session.read();
        session.trim();
        return session.seen.changes() == 300000;
    }));
    CHECK(session.seen.ordered());
    CHECK(session.stop() == "");
}
