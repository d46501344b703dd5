#include "worker/start/start.h"

#include <doctest/doctest.h>

#include "sql/error.h"

using namespace pgsluice;

namespace {

WorkerFacts facts_with(std::uint64_t first, std::uint64_t last) {
    WorkerFacts facts;
    facts.stream = "pgsluice_shop";
    facts.worker = "postgres";
    facts.state.first_seq = {first};
    facts.state.last_seq = {last};
    return facts;
}

SinkState applied_up_to(std::uint64_t resume_seq, std::uint64_t lsn) {
    return {{StreamSeq{resume_seq}, {Lsn{lsn}, 3}}, 0, {}};
}

WorkerFacts with_copy(WorkerFacts facts, std::uint64_t epoch, std::uint64_t seq, std::uint64_t lsn) {
    facts.snapshot = SnapshotStart{epoch, StreamSeq{seq}, Lsn{lsn}};
    facts.snapshot_held = true;
    return facts;
}

const WorkerStart from_start{{StreamSeq{1}, {}}, false};

WorkerStart over_from(std::uint64_t seq) { return {{StreamSeq{seq}, {}}, true}; }

}  // namespace

TEST_CASE("a new worker reads a whole stream from its start") {
    CHECK(decide_worker_start(facts_with(1, 90)) == from_start);
    CHECK(decide_worker_start(facts_with(1, 0)) == from_start);
    CHECK(decide_worker_start(with_copy(facts_with(1, 90), 2, 40, 1000)) == from_start);
}

TEST_CASE("a new worker whose sink holds a state starts with the newest of several snapshots") {
    auto facts = with_copy(facts_with(1, 90), 2, 40, 1000);
    facts.state_only = true;
    CHECK(decide_worker_start(facts) == over_from(40));
    facts.sink = SinkState{{StreamSeq{2}, {}}, 0, {}};  // had read the first message, which is the group's
    CHECK(decide_worker_start(facts) == over_from(40));
    facts.sink = applied_up_to(2, 100);
    CHECK(decide_worker_start(facts).from.resume_seq == StreamSeq{2});
    facts.sink.reset();
    facts.snapshot->epoch = 1;
    CHECK(decide_worker_start(facts) == from_start);
    facts.snapshot->epoch = 2;
    facts.snapshot_held = false;
    CHECK(decide_worker_start(facts) == from_start);
}

TEST_CASE("a new worker does not start after what was trimmed") {
    CHECK_THROWS_WITH_AS(decide_worker_start(facts_with(7, 90)), doctest::Contains("begins at sequence 7"), Error);
}

TEST_CASE("a known worker continues at its checkpoint") {
    auto facts = facts_with(5, 90);
    facts.sink = applied_up_to(40, 1000);
    facts.before = Position{Lsn{1000}, 3};
    CHECK(decide_worker_start(facts) == WorkerStart{facts.sink->checkpoint, false});
    facts.sink = applied_up_to(91, 1000);  // all of the stream applied
    CHECK(decide_worker_start(facts).from.resume_seq == StreamSeq{91});
    CHECK(decide_worker_start(with_copy(facts, 2, 60, 900)).from.resume_seq == StreamSeq{91});
}

TEST_CASE("a stream created again is not continued, unless the worker starts over") {
    auto facts = facts_with(1, 90);
    facts.sink = applied_up_to(40, 1000);
    facts.before = Position{Lsn{900}, 3};
    facts.other_stream = true;
    CHECK_THROWS_WITH_AS(decide_worker_start(facts), doctest::Contains("was re-created"), Error);
    CHECK_THROWS_AS(decide_worker_start(with_copy(facts, 1, 2, 500)), Error);
    CHECK(decide_worker_start(with_copy(facts, 2, 30, 500)) == over_from(30));
    CHECK(needs_snapshot(facts));
}

TEST_CASE("a known worker stops when what it needs is gone or is another stream") {
    auto facts = facts_with(50, 90);
    facts.sink = applied_up_to(40, 1000);
    CHECK_THROWS_WITH_AS(decide_worker_start(facts), doctest::Contains("were removed"), Error);

    facts = facts_with(1, 20);
    facts.sink = applied_up_to(40, 1000);
    CHECK_THROWS_WITH_AS(decide_worker_start(facts), doctest::Contains("ends at 20"), Error);

    facts = facts_with(1, 90);
    facts.sink = applied_up_to(40, 1000);
    facts.before = Position{Lsn{1001}, 1};
    CHECK_THROWS_WITH_AS(decide_worker_start(facts), doctest::Contains("not the stream"), Error);
}

TEST_CASE("a worker that has missed messages starts over with a copy that the stream holds whole") {
    CHECK(decide_worker_start(with_copy(facts_with(7, 90), 1, 7, 500)) == over_from(7));
    auto facts = with_copy(facts_with(50, 90), 1, 60, 500);
    facts.sink = applied_up_to(40, 1000);
    CHECK(decide_worker_start(facts) == over_from(60));
    facts.snapshot_held = false;
    CHECK_THROWS_WITH_AS(decide_worker_start(facts), doctest::Contains("were removed"), Error);
}

TEST_CASE("a worker in the middle of a copy whose begin marker is gone starts over with the next") {
    auto facts = with_copy(facts_with(50, 90), 3, 80, 2000);
    facts.sink = SinkState{{StreamSeq{60}, {Lsn{1000}, 0}}, 2, StreamSeq{45}};
    facts.before = Position{Lsn{1000}, 0};
    CHECK(decide_worker_start(facts) == over_from(80));
    facts.sink->begin_seq = {50};
    CHECK(decide_worker_start(facts).from.resume_seq == StreamSeq{60});
}

TEST_CASE("on a stream that is not the sink's, only a later and younger copy is an invitation to start over") {
    auto facts = with_copy(facts_with(1, 20), 2, 2, 1001);
    facts.sink = applied_up_to(40, 1000);
    CHECK(decide_worker_start(facts) == over_from(2));
    facts.snapshot->epoch = 1;
    CHECK_THROWS_WITH_AS(decide_worker_start(facts), doctest::Contains("ends at 20"), Error);
    facts.snapshot->epoch = 2;
    facts.snapshot->consistent_point = {1000};
    CHECK_THROWS_WITH_AS(decide_worker_start(facts), doctest::Contains("ends at 20"), Error);

    facts = with_copy(facts_with(1, 90), 2, 2, 1001);
    facts.sink = applied_up_to(40, 1000);
    facts.before = Position{Lsn{1001}, 1};
    CHECK(decide_worker_start(facts) == over_from(2));
    facts.sink->loading_epoch = 2;  // of the same number, and yet another one
    facts.sink->begin_seq = {2};
    CHECK(decide_worker_start(facts) == over_from(2));
}

TEST_CASE("a worker in the middle of a copy starts over with another one that has its number, not with the same") {
    auto facts = with_copy(facts_with(50, 90), 2, 80, 1000);
    facts.sink = SinkState{{StreamSeq{60}, {Lsn{1000}, 0}}, 2, StreamSeq{45}};
    facts.before = Position{Lsn{1000}, 0};
    CHECK_THROWS_WITH_AS(decide_worker_start(facts), doctest::Contains("were removed"), Error);
    facts.snapshot->consistent_point = {1001};
    CHECK(decide_worker_start(facts) == over_from(80));

    facts.sink->begin_seq = {50};
    CHECK(decide_worker_start(facts).from.resume_seq == StreamSeq{60});
    facts.other_snapshot = true;
    CHECK(decide_worker_start(facts) == over_from(80));
    facts.state.last_seq = {85};
    facts.sink->checkpoint.resume_seq = {95};  // the other one is shorter than what was loaded
    CHECK(decide_worker_start(facts) == over_from(80));
    facts.snapshot->epoch = 1;
    CHECK(decide_worker_start(facts) == over_from(80));
    facts.snapshot_held = false;
    CHECK_THROWS_WITH_AS(decide_worker_start(facts), doctest::Contains("restored to an earlier state"), Error);
}

TEST_CASE("whether a sink has the newest copy") {
    auto facts = with_copy(facts_with(50, 90), 2, 60, 1000);
    facts.snapshot_held = false;  // trimmed, perhaps
    CHECK_FALSE(has_newest_snapshot(facts));
    facts.sink = applied_up_to(60, 900);
    CHECK_FALSE(has_newest_snapshot(facts));
    facts.sink = applied_up_to(61, 1000);
    CHECK(has_newest_snapshot(facts));
    CHECK(newest_epoch(facts) == 2);
    facts.announced_epoch = 3;  // --resnapshot has not got to its begin marker
    CHECK_FALSE(has_newest_snapshot(facts));
    CHECK(newest_epoch(facts) == 3);
    facts.announced_epoch = 2;
    CHECK(has_newest_snapshot(facts));
    facts.sink->loading_epoch = 2;
    CHECK_FALSE(has_newest_snapshot(facts));
    facts.sink->loading_epoch = 0;
    facts.snapshot.reset();
    CHECK_FALSE(has_newest_snapshot(facts));
}

TEST_CASE("a worker that cannot continue waits for a snapshot that was announced and has not begun") {
    auto facts = facts_with(1, 9);
    facts.sink = applied_up_to(17, 1000);
    CHECK_FALSE(awaits_snapshot(facts));
    facts.announced_epoch = 1;
    CHECK(awaits_snapshot(facts));
    facts = with_copy(facts, 1, 1, 500);  // the one it has applied
    CHECK_FALSE(awaits_snapshot(facts));
    facts.announced_epoch = 2;
    CHECK(awaits_snapshot(facts));
    CHECK_FALSE(awaits_snapshot(with_copy(facts, 2, 9, 2000)));
    facts.sink = applied_up_to(10, 1000);  // it can continue
    CHECK_FALSE(awaits_snapshot(facts));
}

TEST_CASE("where a copy begins is kept as JSON") {
    const SnapshotStart start{3, StreamSeq{1041}, Lsn{0x16B2D50}};
    CHECK(encode(start) == R"({"epoch":3,"seq":1041,"consistent_point":"0/16B2D50"})");
    CHECK(decode_snapshot_start(encode(start)) == start);
    CHECK_THROWS_AS(decode_snapshot_start("{}"), Error);
}

TEST_CASE("only a worker that cannot continue as it is needs a copy") {
    CHECK_FALSE(needs_snapshot(with_copy(facts_with(1, 90), 2, 40, 2000)));
    CHECK(needs_snapshot(with_copy(facts_with(7, 90), 2, 40, 2000)));  // new, behind what was trimmed
    auto facts = with_copy(facts_with(5, 90), 2, 4, 2000);             // the copy's begin was trimmed
    facts.sink = applied_up_to(40, 1000);
    facts.before = Position{Lsn{1000}, 3};
    CHECK_FALSE(needs_snapshot(facts));
    facts.before = Position{Lsn{1001}, 1};  // another stream
    CHECK(needs_snapshot(facts));
    facts.sink = applied_up_to(92, 3000);  // the stream went back
    CHECK(needs_snapshot(facts));
    facts.sink = applied_up_to(3, 10);  // removed
    facts.before.reset();
    CHECK(needs_snapshot(facts));
}
