// What a group's bootstrap keeps in KV, and which verb fits which state.
#include <doctest/doctest.h>

#include "replicator/bootstrap/steps.h"
#include "sql/error.h"
#include "stream/group/bootstrap_record.h"

using namespace pgsluice;

namespace {

const Names names = names_for("shop");

BootstrapRecord record(BootstrapState state, std::uint64_t point = 0x16B2D50) {
    return {state, Lsn{point}, StreamSeq{2}, "00000003-0000001B-1", 781234567890123, 0};
}

std::string start(BootstrapVerb verb, const std::optional<BootstrapRecord>& found, bool begun, bool held = false,
                  bool resnapshot = false) {
    BootstrapOptions options;
    options.verb = verb;
    try {
        switch (decide_bootstrap(options, resnapshot, {names, found, begun, held})) {
            case BootstrapStart::none:
                return "none";
            case BootstrapStart::prepare:
                return "prepare";
            case BootstrapStart::under_way:
                return "under way";
        }
    } catch (const Error&) {
    }
    return "refused";
}

std::string step(BootstrapVerb verb, const std::optional<BootstrapRecord>& found) {
    try {
        return std::string(to_string(decide_step(verb, names, found)));
    } catch (const Error& error) {
        return error.what();
    }
}

}  // namespace

TEST_CASE("the record of a bootstrap comes back as it was") {
    for (const auto state : {BootstrapState::waiting, BootstrapState::accumulating, BootstrapState::streaming})
        CHECK(decode_bootstrap(encode(record(state))) == record(state));
    BootstrapRecord early;
    early.since_us = 7;
    CHECK(encode(early) == R"({"state":"waiting","since_us":7})");
    CHECK(decode_bootstrap(encode(early)) == early);
    CHECK(decode_bootstrap(encode(record(BootstrapState::superseded))) == record(BootstrapState::superseded));
    CHECK(encode(record(BootstrapState::superseded)).starts_with(R"({"state":"streaming","superseded":true,)"));
    CHECK_THROWS_AS(decode_bootstrap(R"({"state":"unknown","since_us":7})"), Error);
    CHECK_THROWS_AS(decode_bootstrap(R"({"state":"streaming","since_us":7})"), Error);
    CHECK_THROWS_AS(decode_bootstrap(R"({"state":"done","since_us":7})"), Error);
}

TEST_CASE("what a replicator does at its start with a group that begins with a dump") {
    const auto none = BootstrapVerb::none;
    const auto prepare = BootstrapVerb::prepare;
    const auto slotless = record(BootstrapState::waiting, 0);
    const auto waiting = record(BootstrapState::waiting);
    const auto accumulating = record(BootstrapState::accumulating);
    const auto streaming = record(BootstrapState::streaming);
    const auto unknown = record(BootstrapState::unknown);
    CHECK(start(none, std::nullopt, false) == "none");
    CHECK(start(none, std::nullopt, true) == "none");
    CHECK(start(none, slotless, false) == "refused");
    CHECK(start(none, waiting, true) == "refused");
    CHECK(start(none, waiting, true, true) == "under way");
    CHECK(start(none, accumulating, true) == "under way");
    CHECK(start(none, streaming, true) == "none");
    CHECK(start(none, unknown, true) == "refused");
    CHECK(start(none, unknown, true, true) == "under way");
    CHECK(start(prepare, unknown, true) == "refused");
    CHECK(start(none, waiting, true, false, true) == "none");  // --resnapshot copies instead
    CHECK(start(prepare, std::nullopt, false) == "prepare");
    CHECK(start(prepare, std::nullopt, true) == "refused");
    CHECK(start(prepare, slotless, true) == "prepare");
    CHECK(start(prepare, waiting, true) == "refused");
    CHECK(start(prepare, waiting, true, true) == "under way");
    CHECK(start(prepare, accumulating, true) == "refused");
    CHECK(start(prepare, streaming, true) == "refused");
    for (const auto& found : {slotless, waiting, accumulating, streaming, unknown})
        CHECK(start(prepare, found, true, false, true) == "prepare");
}

TEST_CASE("a step that does not fit the state is refused with both states") {
    const auto accumulate = BootstrapVerb::accumulate;
    const auto complete = BootstrapVerb::complete;
    CHECK(step(accumulate, record(BootstrapState::waiting)) == "accumulating");
    CHECK(step(complete, record(BootstrapState::waiting)) == "streaming");
    CHECK(step(complete, record(BootstrapState::accumulating)) == "streaming");
    CHECK(step(accumulate, record(BootstrapState::unknown)) == "accumulating");
    CHECK(step(complete, record(BootstrapState::unknown)) == "streaming");
    CHECK(step(complete, record(BootstrapState::superseded)).find("is not being bootstrapped") != std::string::npos);
    CHECK(step(accumulate, record(BootstrapState::accumulating)) ==
          "unable to accumulate: group 'shop' is accumulating, and accumulate is for one that is waiting for a dump");
    CHECK(step(complete, record(BootstrapState::streaming)) ==
          "unable to complete the bootstrap: group 'shop' is streaming, and complete is for one that is accumulating, "
          "or waiting for a dump");
    CHECK(step(complete, std::nullopt).find("group 'shop' is not being bootstrapped") != std::string::npos);
    CHECK(step(complete, record(BootstrapState::waiting, 0)).find("is waiting for its slot") != std::string::npos);
}
