#include "replicator/retention.h"

#include <doctest/doctest.h>

using namespace pgsluice;
using namespace std::chrono_literals;

namespace {

StreamState stream_of(std::uint64_t first, std::uint64_t last) {
    StreamState state;
    state.first_seq = {first};
    state.last_seq = {last};
    return state;
}

std::vector<WorkerEntry> worker_at(std::uint64_t resume_seq) {
    WorkerEntry entry;
    entry.name = "postgres";
    entry.durable.resume_seq = {resume_seq};
    return {entry};
}

const Retention::Time start{};

}  // namespace

TEST_CASE("what all workers applied goes once it is old enough") {
    Retention retention(60s);
    CHECK_FALSE(retention.trim_before(stream_of(1, 100), worker_at(90), start));
    CHECK_FALSE(retention.trim_before(stream_of(1, 200), worker_at(190), start + 59s));
    CHECK(retention.trim_before(stream_of(1, 300), worker_at(290), start + 61s) == StreamSeq{100});
    CHECK(retention.trim_before(stream_of(101, 400), worker_at(290), start + 120s) == StreamSeq{200});
    // never more than the slowest worker allows, and not what it applied last
    CHECK(retention.trim_before(stream_of(201, 400), worker_at(290), start + 400s) == StreamSeq{289});
}

TEST_CASE("without a worker all is kept for the first one") {
    Retention retention(1s);
    retention.trim_before(stream_of(1, 100), {}, start);
    CHECK_FALSE(retention.trim_before(stream_of(1, 100), {}, start + 1h));
}

TEST_CASE("a stream short of space keeps only what is needed") {
    Retention retention(1h);
    auto state = stream_of(1, 100);
    state.max_bytes = 1000;
    state.bytes = 700;
    CHECK_FALSE(retention.trim_before(state, worker_at(90), start));
    state.bytes = 800;
    CHECK(retention.trim_before(state, worker_at(90), start) == StreamSeq{90});
    CHECK_FALSE(retention.trim_before(state, {}, start));
    state.bytes = 700;
    CHECK(retention.trim_before(state, worker_at(90), start, true) == StreamSeq{90});
}
