// Whether a source that was promoted has all that was published, from its timeline's history.
#include "replicator/failover/timeline.h"

#include <doctest/doctest.h>

#include "sql/error.h"

using namespace pgsluice;

namespace {

// A group that has read timeline 1 up to `position` and `safe`; the source's timeline is 3, by way of 2.
StartFacts promoted(const Position& position, Lsn safe) {
    StartFacts facts;
    facts.names = names_for("shop");
    facts.source = {"7301", 3, Lsn{0x9000}, "shop"};
    facts.history = {{1, Lsn{0x5000}}, {2, Lsn{0x6000}}};
    facts.group = GroupInfo{"shop", "7301", 1, "shop", "17.10", "0.1.0"};
    facts.last = LastMessage{StreamSeq{9}, {MessageKind::changes, position, safe}, {}, {}};
    return facts;
}

std::string refusal(const StartFacts& facts) {
    try {
        check_timeline(facts);
        return {};
    } catch (const Error& error) {
        CHECK(error.action() == Action::stop);
        CHECK_FALSE(error.hint().empty());
        return error.what();
    }
}

}  // namespace

TEST_CASE("a history file lists the timelines and where they ended") {
    const std::string text =
        "1\t0/5000148\tno recovery target specified\n"
        "# a comment\n"
        "\n"
        "2\t1/A0\tat restore point \"x\"\n";
    CHECK(sql::parse_timeline_history(text) ==
          sql::TimelineHistory{{1, Lsn{0x5000148}}, {2, Lsn{(1ULL << 32U) + 0xA0}}});
    CHECK(sql::parse_timeline_history("").empty());
    CHECK(sql::parse_timeline_history("7 0/10") == sql::TimelineHistory{{7, Lsn{0x10}}});
    for (const char* malformed : {"one\t0/1\tx", "1\tzero\tx", "1x 0/1", "1", "-1 0/1 x"})
        CHECK_THROWS_AS(sql::parse_timeline_history(malformed), Error);
}

TEST_CASE("what was published must lie on the new timeline's history") {
    CHECK(refusal(promoted({Lsn{0x4000}, 3}, Lsn{0x5000})) == "");
    CHECK(refusal(promoted({Lsn{0x5000}, 0}, Lsn{0x5000})) == "");  // a marker of where the slot begins
    CHECK(refusal(promoted({Lsn{0x4000}, 3}, Lsn{0x5001})).find("though none of it was the group's") !=
          std::string::npos);
    // A record that begins where the old timeline ends is not part of the new one.
    CHECK(refusal(promoted({Lsn{0x5000}, 1}, Lsn{0x4000})).find("lacks changes") != std::string::npos);
    CHECK(refusal(promoted({Lsn{0x5001}, 1}, Lsn{0x4000})).find("lacks changes") != std::string::npos);

    StartFacts facts = promoted({Lsn{0x5800}, 3}, Lsn{0x6000});
    facts.group->timeline = 2;
    CHECK(refusal(facts) == "");
    facts.last->meta.safe_flush_lsn = Lsn{0x6001};
    CHECK(refusal(facts) != "");
    facts.last.reset();
    CHECK(refusal(facts) == "");
}

TEST_CASE("a timeline that is not in the history is another server's") {
    StartFacts facts = promoted({Lsn{0x4000}, 3}, Lsn{0x4000});
    facts.group->timeline = 4;
    CHECK(refusal(facts).find("timeline 4 is that of another server") != std::string::npos);
    facts = promoted({Lsn{0x4000}, 3}, Lsn{0x4000});
    facts.source.timeline = 1;
    facts.group->timeline = 2;
    facts.history.clear();
    CHECK(refusal(facts).find("does not come from it") != std::string::npos);
    facts.group.reset();  // trimmed, and KV lost
    CHECK(refusal(facts) == "");
}
