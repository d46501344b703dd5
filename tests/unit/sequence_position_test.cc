#include "sinks/postgres/sequences/sequence_position.h"

#include <doctest/doctest.h>

#include <limits>

using namespace pgsluice;

namespace {

constexpr std::int64_t smallest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();

SequenceState called(std::int64_t last, std::optional<std::int64_t> outermost) {
    SequenceState state;
    state.last_value = last;
    state.is_called = true;
    state.max = largest;
    state.outermost = outermost;
    return state;
}

SequenceState fresh(std::int64_t start, std::optional<std::int64_t> outermost) {
    SequenceState state = called(start, outermost);
    state.is_called = false;
    return state;
}

SequenceState with_exact(SequenceState state, std::int64_t exact) {
    state.exact = exact;
    return state;
}

SequenceState stepping(SequenceState state, std::int64_t increment) {
    state.increment = increment;
    if (increment < 0) {
        state.min = smallest;
        state.max = -1;
    }
    return state;
}

SequenceState up_to(SequenceState state, std::int64_t max) {
    state.max = max;
    return state;
}

using At = std::optional<SequencePosition>;

}  // namespace

TEST_CASE("a sequence that lags its rows is set to the last of them, and never back") {
    CHECK(sequence_position(called(5, 30), 0) == At({30, 30}));
    CHECK(sequence_position(fresh(1, 30), 0) == At({30, 30}));
    CHECK(sequence_position(fresh(1, 1), 0) == At({1, 1}));
    CHECK(sequence_position(called(30, 30), 0) == std::nullopt);
    CHECK(sequence_position(called(500, 30), 0) == std::nullopt);
    CHECK(sequence_position(fresh(500, 30), 0) == std::nullopt);
    CHECK(sequence_position(fresh(1, std::nullopt), 0) == std::nullopt);
    CHECK(sequence_position(called(7, std::nullopt), 1000) == std::nullopt);
}

TEST_CASE("headroom counts from the rows, and is given back") {
    CHECK(sequence_position(called(5, 30), 1000) == At({30, 1030}));
    CHECK(sequence_position(called(500, 30), 1000) == At({500, 1030}));
    CHECK(sequence_position(called(5000, 30), 1000) == std::nullopt);
    CHECK(sequence_position(with_exact(called(1030, 40), 30), 1000) == At({40, 1040}));
    CHECK(sequence_position(with_exact(called(1030, 30), 30), 1000) == std::nullopt);
    CHECK(sequence_position(with_exact(called(1030, 40), 30), 0) == At({40, 40}));
    // The last row was deleted: its value was given out all the same.
    CHECK(sequence_position(with_exact(called(1030, 12), 30), 0) == At({30, 30}));
    CHECK(sequence_position(with_exact(called(1030, std::nullopt), 30), 0) == At({30, 30}));
    CHECK(sequence_position(with_exact(called(1030, 2000), 30), 0) == At({2000, 2000}));
}

TEST_CASE("headroom leaves at least half of what is left, and nothing passes the maximum") {
    CHECK(sequence_position(up_to(called(1, 31975), 32767), 1000) == At({31975, 32371}));
    CHECK(sequence_position(up_to(called(1, 32766), 32767), 1000) == At({32766, 32766}));
    CHECK(sequence_position(up_to(called(1, 32767), 32767), 1000) == At({32767, 32767}));
    CHECK(sequence_position(up_to(called(1, 32768), 32767), 1000) == std::nullopt);
    CHECK(sequence_position(called(1, largest - 10), 1000) == At({largest - 10, largest - 5}));
    CHECK(sequence_position(called(1, 0), 1000) == std::nullopt);  // below its minimum
}

TEST_CASE("values stay multiples of the increment apart") {
    CHECK(sequence_position(stepping(fresh(2, 20), 2), 1000) == At({20, 2020}));
    CHECK(sequence_position(stepping(called(3, 21), 7), 0) == At({17, 17}));  // 24 comes next, above 21
    CHECK(sequence_position(stepping(called(3, 24), 7), 3) == At({24, 45}));
    CHECK(sequence_position(stepping(fresh(5, 5), 10), 0) == At({5, 5}));
}

TEST_CASE("sequences that count down") {
    CHECK(sequence_position(stepping(fresh(-1, -40), -1), 0) == At({-40, -40}));
    CHECK(sequence_position(stepping(called(-10, -40), -1), 1000) == At({-40, -1040}));
    CHECK(sequence_position(stepping(called(-50, -40), -1), 0) == std::nullopt);
    CHECK(sequence_position(stepping(with_exact(called(-1040, -41), -40), -1), 0) == At({-41, -41}));
    CHECK(sequence_position(stepping(called(-2, -9), -3), 0) == At({-8, -8}));
    CHECK(sequence_position(stepping(called(-1, smallest + 10), -1), 1000) == At({smallest + 10, smallest + 5}));
}

TEST_CASE("sequences at the edges of what 64 bits hold") {
    SequenceState all = fresh(smallest, smallest);
    all.min = smallest;
    CHECK(sequence_position(all, 0) == std::nullopt);  // cannot be told from one that gave nothing
    all.outermost = largest;
    CHECK(sequence_position(all, 1000) == At({largest, largest}));
}
