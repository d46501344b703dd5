// A worker's part in comparing at one LSN.
#include "worker/hold.h"

#include <doctest/doctest.h>

#include "sql/error.h"

using namespace pgsluice;
using std::chrono::seconds;

namespace {

const Hold::Clock::time_point start{};
constexpr Position before{{100}, 3};

CompareState told(Hold& hold) {
    REQUIRE(hold.answer());
    const CompareState state = hold.answer()->state;
    hold.told();
    return state;
}

}  // namespace

TEST_CASE("a worker that is asked pauses, runs to the LSN, pauses there and continues when the request is gone") {
    Hold hold;
    hold.see(std::nullopt, before, start);
    CHECK(!hold.stands(start));
    CHECK(!hold.answer());

    hold.see(CompareRequest{"a", {}}, before, start);
    CHECK(hold.stands(start));
    CHECK(told(hold) == CompareState::held);
    hold.see(CompareRequest{"a", {}}, before, start + seconds(1));
    CHECK(!hold.answer());

    hold.see(CompareRequest{"a", {200}}, before, start + seconds(2));
    CHECK(!hold.stands(start + seconds(1000)));  // however long it takes
    CHECK(hold.stop_before() == Lsn{200});
    hold.reach(start + seconds(1000));
    CHECK(told(hold) == CompareState::reached);
    CHECK(hold.stands(start + seconds(1001)));
    CHECK(hold.stop_before() == Lsn{200});

    hold.see(std::nullopt, before, start + seconds(1002));
    CHECK(!hold.stands(start + seconds(1002)));
    CHECK(!hold.stop_before());
}

TEST_CASE("a compare that died does not hold the worker") {
    Hold hold(seconds(15));
    hold.see(CompareRequest{"a", {}}, before, start);
    hold.told();
    CHECK(hold.stands(start + seconds(14)));
    CHECK(!hold.stands(start + seconds(15)));
    CHECK(told(hold) == CompareState::gave_up);
    // What comes late under the same id does not hold it again; another attempt does.
    hold.see(CompareRequest{"a", {200}}, before, start + seconds(16));
    CHECK(!hold.stop_before());
    hold.see(CompareRequest{"b", {}}, before, start + seconds(17));
    CHECK(hold.stands(start + seconds(17)));

    hold.told();
    hold.see(CompareRequest{"b", {200}}, before, start + seconds(18));
    hold.reach(start + seconds(19));
    hold.told();
    CHECK(!hold.stands(start + seconds(34)));
    CHECK(!hold.stop_before());
    CHECK(told(hold) == CompareState::gave_up);
}

TEST_CASE("a worker that is beyond the LSN says so") {
    Hold hold;
    hold.see(CompareRequest{"a", {100}}, before, start);
    CHECK(told(hold) == CompareState::passed);
    CHECK(!hold.stands(start));
    CHECK(!hold.stop_before());
    hold.see(CompareRequest{"b", {101}}, before, start);
    CHECK(hold.stop_before() == Lsn{101});
}

TEST_CASE("requests and answers are the same after encoding") {
    for (const CompareRequest& request : {CompareRequest{"a1", {}}, CompareRequest{"a2", {0x16B2D50}}})
        CHECK(decode_compare_request(encode(request)) == request);
    for (const CompareState state :
         {CompareState::held, CompareState::reached, CompareState::passed, CompareState::gave_up})
        CHECK(decode_compare_answer(encode(CompareAnswer{"a", state})) == CompareAnswer{"a", state});
    CHECK_THROWS_AS(decode_compare_answer(R"({"id":"a","state":"asleep"})"), Error);
}
