// What looks at a server process mean for the connection that waits for it.
#include "sql/backend_watch.h"

#include <doctest/doctest.h>

using namespace pgsluice::sql;
using namespace std::chrono_literals;
using Kind = BackendState::Kind;

namespace {

constexpr LookJudge::Clock::time_point start{};

BackendState waiting(const std::string& trace) { return {Kind::waiting, "it waits for us", trace}; }

}  // namespace

TEST_CASE("a process that has waited for its client for long, and did nothing meanwhile, waits in vain") {
    LookJudge judge(start);
    CHECK_FALSE(judge.judge(waiting("a"), start).lost);
    CHECK_FALSE(judge.judge(waiting("a"), start + 6s).lost);
    CHECK(judge.judge(waiting("a"), start + 7s).lost);
}

TEST_CASE("one that takes in a COPY over a slow line, or works now and then, does not") {
    LookJudge judge(start);
    judge.judge(waiting("a"), start);
    CHECK_FALSE(judge.judge(waiting("b"), start + 6s).lost);
    CHECK_FALSE(judge.judge(waiting("b"), start + 12s).lost);
    CHECK(judge.judge({Kind::working, "it works", ""}, start + 14s).at_work);
    CHECK_FALSE(judge.judge(waiting("b"), start + 16s).lost);
    CHECK_FALSE(judge.judge(waiting("b"), start + 22s).lost);
}

TEST_CASE("one that is gone is lost at once; where another server answers, nothing is known") {
    LookJudge judge(start);
    CHECK_FALSE(judge.judge({Kind::elsewhere, "a standby answers", ""}, start + 600s).lost);
    CHECK(judge.judge({Kind::gone, "it has ended", ""}, start + 601s).lost);
}

TEST_CASE("a server that is not reached for a minute is lost, but not one that says why it takes no more") {
    LookJudge judge(start);
    CHECK_FALSE(judge.failed("no answer", false, start + 59s).lost);
    CHECK(judge.failed("no answer", false, start + 60s).lost);
    CHECK_FALSE(judge.failed("too many clients", true, start + 61s).lost);
    CHECK_FALSE(judge.failed("no answer", false, start + 120s).lost);
}
