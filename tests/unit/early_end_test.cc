#include "stream/early_end.h"

#include <doctest/doctest.h>

using namespace pgsluice;
using namespace std::chrono_literals;

namespace {

constexpr EarlyEnd::Time begin{};
constexpr std::chrono::milliseconds settled(leader_settle_ms);

}  // namespace

TEST_CASE("a stream of one copy that ends early has lost what was read") {
    EarlyEnd early;
    CHECK_FALSE(early.may_pass(1, false, begin));
}

TEST_CASE("a replicated one has a while, which begins when all copies are there") {
    EarlyEnd early;
    CHECK(early.may_pass(3, false, begin));
    CHECK(early.may_pass(3, false, begin + settled - 1ms));
    CHECK(early.may_pass(3, true, begin + 2 * settled));
    CHECK(early.may_pass(3, true, begin + 1h));
    CHECK(early.may_pass(3, false, begin + 1h + settled - 1ms));
    CHECK_FALSE(early.may_pass(3, false, begin + 1h + settled));
    early.is_over();
    CHECK(early.may_pass(3, false, begin + 2h));
}
