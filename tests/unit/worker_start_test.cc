#include "worker/start.h"

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

}  // namespace

TEST_CASE("a new worker reads a whole stream from its start") {
    CHECK(decide_start(facts_with(1, 90)).resume_seq == StreamSeq{1});
    CHECK(decide_start(facts_with(1, 0)).resume_seq == StreamSeq{1});
}

TEST_CASE("a new worker does not start behind what was trimmed") {
    CHECK_THROWS_WITH_AS(decide_start(facts_with(7, 90)), doctest::Contains("begins at sequence 7"), Error);
}

TEST_CASE("a known worker goes on at its checkpoint") {
    auto facts = facts_with(5, 90);
    facts.sink = applied_up_to(40, 1000);
    facts.before = Position{Lsn{1000}, 3};
    CHECK(decide_start(facts) == facts.sink->checkpoint);
    facts.sink = applied_up_to(91, 1000);  // all of the stream applied
    CHECK(decide_start(facts).resume_seq == StreamSeq{91});
}

TEST_CASE("a known worker stops when what it needs is gone or is another stream") {
    auto facts = facts_with(50, 90);
    facts.sink = applied_up_to(40, 1000);
    CHECK_THROWS_WITH_AS(decide_start(facts), doctest::Contains("were removed"), Error);

    facts = facts_with(1, 20);
    facts.sink = applied_up_to(40, 1000);
    CHECK_THROWS_WITH_AS(decide_start(facts), doctest::Contains("ends at 20"), Error);

    facts = facts_with(1, 90);
    facts.sink = applied_up_to(40, 1000);
    facts.before = Position{Lsn{1001}, 1};
    CHECK_THROWS_WITH_AS(decide_start(facts), doctest::Contains("not the stream"), Error);
}
