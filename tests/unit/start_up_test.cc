#include "replicator/start_up.h"

#include <doctest/doctest.h>

#include <set>
#include <variant>

#include "sql/error.h"

using namespace pgsluice;
using Then = StartDecision::Then;

namespace {

constexpr Lsn here{0x2000};

StartFacts fresh(ReplicatorMode mode) {
    StartFacts facts;
    facts.mode = mode;
    facts.names = names_for("shop");
    facts.source = {"7301", 1, here, "shop"};
    facts.wal_end = here;
    return facts;
}

SlotState slot_at(Lsn confirmed) {
    SlotState slot;
    slot.confirmed = confirmed;
    slot.plugin_and_database = "pgoutput in shop";
    return slot;
}

// A group whose stream's last message is of this kind.
StartFacts ending_in(MessageKind kind, ReplicatorMode mode, bool with_slot) {
    StartFacts facts = fresh(mode);
    facts.publication_exists = true;
    facts.group = GroupInfo{"shop", "7301", 1, "shop", "15.18", "0.1.0"};
    facts.stream = StreamState{StreamSeq{1}, StreamSeq{9}, 9, 100, -1, 0, true, true, 1, {}, 0, 0, false, {}};
    facts.last = LastMessage{StreamSeq{9}, {kind, {Lsn{0x1000}, 3}, Lsn{0x1800}}, {}, {}};
    if (with_slot) facts.slot = slot_at(Lsn{0x1800});
    return facts;
}

using Outcome = std::variant<StartDecision, Action>;

std::string error_text;

Outcome outcome(const StartFacts& facts) {
    error_text.clear();
    try {
        return decide_replicator_start(facts);
    } catch (const Error& error) {
        CHECK_FALSE(error.hint().empty());
        CHECK(std::string(error.what()).find("unable to ") == 0);
        error_text = error.what();
        return error.action();
    }
}

constexpr ReplicatorMode modes[] = {ReplicatorMode::stream, ReplicatorMode::copy_and_stream, ReplicatorMode::copy};
constexpr MessageKind kinds[] = {MessageKind::group,        MessageKind::snapshot_begin, MessageKind::copy,
                                 MessageKind::snapshot_end, MessageKind::changes,        MessageKind::progress};
const Outcome stop = Action::stop;

struct TableRow {
    const char* what;
    std::vector<MessageKind> kinds;
    bool slot;
    Outcome of[3];  // in the order of `modes`
};

// The table in start_up.h, row by row.
const TableRow table[] = {
    {"group, no slot",
     {MessageKind::group},
     false,
     {StartDecision{false, false, Then::new_slot}, StartDecision{false, false, Then::copy},
      StartDecision{false, false, Then::copy}}},
    {"group, slot",
     {MessageKind::group},
     true,
     {StartDecision{true, false, Then::new_slot}, StartDecision{true, false, Then::copy},
      StartDecision{true, false, Then::copy}}},
    {"unfinished copy, no slot",
     {MessageKind::snapshot_begin, MessageKind::copy},
     false,
     {stop, StartDecision{false, false, Then::copy}, StartDecision{false, false, Then::copy}}},
    {"unfinished copy, slot",
     {MessageKind::snapshot_begin, MessageKind::copy},
     true,
     {stop, StartDecision{true, false, Then::copy}, StartDecision{true, false, Then::copy}}},
    {"copy complete, no slot",
     {MessageKind::snapshot_end},
     false,
     {stop, stop, StartDecision{false, false, Then::finished}}},
    {"copy complete, slot",
     {MessageKind::snapshot_end},
     true,
     {StartDecision{false, false, Then::resume}, StartDecision{false, false, Then::resume},
      StartDecision{false, false, Then::finished}}},
    {"streaming, no slot", {MessageKind::changes, MessageKind::progress}, false, {stop, stop, stop}},
    {"streaming, slot",
     {MessageKind::changes, MessageKind::progress},
     true,
     {StartDecision{false, false, Then::resume}, StartDecision{false, false, Then::resume}, stop}},
};

}  // namespace

TEST_CASE("every row of the table, for every mode") {
    std::set<std::pair<MessageKind, bool>> seen;
    for (const auto& row : table) {
        for (const auto kind : row.kinds) {
            seen.emplace(kind, row.slot);
            for (int mode = 0; mode < 3; ++mode) {
                CAPTURE(row.what);
                CAPTURE(mode);
                CHECK(outcome(ending_in(kind, modes[mode], row.slot)) == row.of[mode]);
            }
        }
    }
    CHECK(seen.size() == 2 * std::size(kinds));  // the table above leaves none out
}

TEST_CASE("a copy of added tables lies among the changes") {
    for (const auto kind : {MessageKind::snapshot_begin, MessageKind::copy, MessageKind::snapshot_end}) {
        for (const auto mode : modes) {
            for (const bool slot : {true, false}) {
                StartFacts facts = ending_in(kind, mode, slot);
                facts.last->meta.added = true;
                CHECK(outcome(facts) == outcome(ending_in(MessageKind::changes, mode, slot)));
            }
        }
    }
}

TEST_CASE("a group that never had a message begins, unless a slot says that the stream was lost") {
    for (const auto mode : modes) {
        const auto then = mode == ReplicatorMode::stream ? Then::new_slot : Then::copy;
        StartFacts facts = fresh(mode);
        CHECK(outcome(facts) == Outcome(StartDecision{false, true, then}));
        facts.stream = StreamState{};  // there, but nothing was ever stored
        CHECK(outcome(facts) == Outcome(StartDecision{false, true, then}));
        facts.slot = slot_at(Lsn{0x1800});
        CHECK(outcome(facts) == stop);
        facts.stream.reset();
        CHECK(outcome(facts) == stop);
        CHECK(error_text.find("but stream 'pgsluice_shop' does not") != std::string::npos);
    }
}

TEST_CASE("--resnapshot starts over from anywhere") {
    for (const auto mode : modes) {
        const auto then = mode == ReplicatorMode::stream ? Then::new_slot : Then::copy;
        for (const auto kind : kinds) {
            for (const bool slot : {false, true}) {
                StartFacts facts = ending_in(kind, mode, slot);
                facts.resnapshot = true;
                if (slot) facts.slot->invalidated = true;
                facts.publication_exists = false;
                facts.source.system_identifier = "other";
                CHECK(outcome(facts) == Outcome(StartDecision{slot, true, then}));
            }
        }
        StartFacts lost = fresh(mode);
        lost.resnapshot = true;
        lost.slot = slot_at(Lsn{0x1800});
        CHECK(outcome(lost) == Outcome(StartDecision{true, true, then}));
    }
}

TEST_CASE("a slot that is not ours or in use is never touched") {
    for (const auto mode : modes) {
        for (const auto kind : kinds) {
            for (const bool resnapshot : {false, true}) {
                StartFacts facts = ending_in(kind, mode, true);
                facts.resnapshot = resnapshot;
                facts.slot->active_pid = 4711;
                CHECK(outcome(facts) == Outcome(Action::retry));
                CHECK(error_text.find("4711") != std::string::npos);
                facts.slot->ours = false;
                CHECK(outcome(facts) == stop);
            }
        }
    }
}

TEST_CASE("a stream that lost messages stops") {
    for (const auto mode : modes) {
        StartFacts facts = ending_in(MessageKind::changes, mode, true);
        facts.stream->messages = 7;
        CHECK(outcome(facts) == stop);
        CHECK(error_text.find("missing") != std::string::npos);
        facts.stream->messages = 0;
        facts.stream->first_seq = StreamSeq{10};
        facts.last.reset();
        CHECK(outcome(facts) == stop);
        CHECK(error_text.find("emptied") != std::string::npos);
    }
}

TEST_CASE("another cluster, timeline or database stops, wherever the stream ends") {
    for (const auto mode : modes) {
        for (const auto kind : kinds) {
            StartFacts facts = ending_in(kind, mode, true);
            facts.source.system_identifier = "7302";
            CHECK(outcome(facts) == stop);
            facts = ending_in(kind, mode, true);
            facts.source.timeline = 2;
            CHECK(outcome(facts) == stop);
            facts = ending_in(kind, mode, true);
            facts.source.dbname = "other";
            CHECK(outcome(facts) == stop);
        }
    }
}

TEST_CASE("resuming demands that nothing can be missing") {
    for (const auto kind : {MessageKind::snapshot_end, MessageKind::changes, MessageKind::progress}) {
        const StartFacts good = ending_in(kind, ReplicatorMode::stream, true);
        CHECK(outcome(good) == Outcome(StartDecision{false, false, Then::resume}));

        StartFacts facts = good;
        facts.slot->invalidated = true;
        CHECK(outcome(facts) == stop);
        CHECK(error_text.find("invalidated") != std::string::npos);
        facts.slot->was_idle = true;
        CHECK(outcome(facts) == stop);
        CHECK(error_text.find("longer than idle_replication_slot_timeout") != std::string::npos);

        facts = good;
        facts.publication_exists = false;
        CHECK(outcome(facts) == stop);
        CHECK(error_text.find("publication") != std::string::npos);

        facts = good;
        facts.slot->confirmed = Lsn{0x1801};
        CHECK(outcome(facts) == stop);
        CHECK(error_text.find("0/1801") != std::string::npos);

        facts = good;
        facts.wal_end = Lsn{0x17FF};
        CHECK(outcome(facts) == stop);
        CHECK(error_text.find("set back") != std::string::npos);

        facts = good;
        facts.last->meta.position.commit = Lsn{0x2001};
        CHECK(outcome(facts) == stop);

        facts = good;
        facts.group.reset();  // trimmed, and KV lost: nothing to compare with
        CHECK(outcome(facts) == Outcome(StartDecision{false, false, Then::resume}));
    }
}

TEST_CASE("where a stream ends too early matters when the slot would go, or all stops") {
    const auto both = ReplicatorMode::copy_and_stream;
    CHECK_FALSE(depends_on_the_end(fresh(both)));
    for (const MessageKind kind : kinds) {
        CAPTURE(static_cast<int>(kind));
        const bool resumes =
            kind == MessageKind::snapshot_end || kind == MessageKind::changes || kind == MessageKind::progress;
        CHECK(depends_on_the_end(ending_in(kind, both, true)) == !resumes);
        CHECK_FALSE(depends_on_the_end(ending_in(kind, both, false)));
    }
    auto facts = ending_in(MessageKind::changes, both, true);
    facts.slot->confirmed = Lsn{0x1801};
    CHECK(depends_on_the_end(facts));
    facts.resnapshot = true;
    CHECK_FALSE(depends_on_the_end(facts));
    facts = ending_in(MessageKind::changes, both, true);
    facts.last.reset();
    CHECK(depends_on_the_end(facts));
    facts.stream.reset();
    CHECK(depends_on_the_end(facts));
    facts.slot->active_pid = 7;  // waiting for the stream changes nothing
    CHECK_FALSE(depends_on_the_end(facts));
}
