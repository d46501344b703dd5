// From pgoutput messages to blocks: ordinals, relations, what a resumed session skips, what may be confirmed.
#include "replicator/wal/encoder.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "sql/error.h"
#include "stream/format/block_reader.h"
#include "tests/support/wal_script.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

void take_all(WalEncoder& encoder, const std::vector<std::string>& messages) {
    for (const auto& message : messages) encoder.take(message);
}

// One line per item of a block: "insert 0/64:1 public.t", "commit 0/64 0/70".
std::vector<std::string> lines(std::string_view body) {
    static const char* const op_names[] = {"insert", "update", "delete", "truncate", "message"};
    BlockReader reader;
    const auto block = reader.read(body);
    std::vector<std::string> out;
    for (const auto& item : block->items) {
        if (item.kind == Block::Item::Kind::commit) {
            const auto& transaction = *block->transactions[item.index];
            out.push_back("commit " + to_string(transaction.commit_lsn) + " " + to_string(transaction.end_lsn));
            continue;
        }
        const auto& change = block->changes[item.index];
        out.push_back(std::string(op_names[static_cast<int>(change.op)]) + " " + to_string(change.position) + " " +
                      (change.relation != nullptr ? change.relation->table : std::string(change.prefix)));
    }
    return out;
}

using Lines = std::vector<std::string>;

// Commit LSN 0x64, end 0x70; five changes of two tables and a message in the middle.
std::vector<std::string> transaction() {
    return {
        wal_begin(Lsn{0x64}, 7),          wal_relation(1, "t", {"id", "note"}),       wal_insert(1, {"1", "a"}),
        wal_update(1, {}, {"1", "b"}),    wal_message(true, Lsn{0x60}, "other", "x"), wal_relation(2, "u", {"id"}),
        wal_update(2, {"1"}, {"2"}),      wal_delete(1, {"1", std::nullopt}),         wal_truncate({1, 2}),
        wal_commit(Lsn{0x64}, Lsn{0x70}),
    };
}

}  // namespace

TEST_CASE("a table's changes are published from a commit on") {
    TypeLookup types;
    types.verdict = [](const Relation&, Lsn) { return TableVerdict::publish; };
    types.published_from = [](Oid table) { return table == 1 ? Lsn{0x80} : Lsn{}; };
    WalEncoder encoder({}, std::move(types));
    take_all(encoder, transaction());
    take_all(encoder, {wal_begin(Lsn{0x80}, 8), wal_insert(1, {"2", "b"}), wal_commit(Lsn{0x80}, Lsn{0x90})});
    CHECK(lines(encoder.finish().body) ==
          Lines{"update 0/64:4 u", "truncate 0/64:6 u", "commit 0/64 0/70", "insert 0/80:1 t", "commit 0/80 0/90"});
}

TEST_CASE("ordinals count every change, published or not") {
    WalEncoder encoder({}, {});
    take_all(encoder, transaction());
    const auto block = encoder.finish();
    CHECK(block.meta == MessageMeta{MessageKind::changes, {Lsn{0x64}, 6}, Lsn{0x70}});
    CHECK(lines(block.body) == Lines{"insert 0/64:1 t", "update 0/64:2 t", "update 0/64:4 u", "delete 0/64:5 t",
                                     "truncate 0/64:6 t", "commit 0/64 0/70"});
    CHECK(encoder.changes() == 5);
}

TEST_CASE("up to a given end, without the changes of some tables") {
    WalEncoder encoder({}, {});
    encoder.end_at(Lsn{0x80}, {1});
    take_all(encoder, transaction());
    encoder.skip_to(Lsn{0x90});
    CHECK_FALSE(encoder.at_end());
    const auto block = encoder.finish();
    // They are counted, and a truncate of both is one of the other.
    CHECK(lines(block.body) == Lines{"update 0/64:4 u", "truncate 0/64:6 u", "commit 0/64 0/70"});
    CHECK(block.meta == MessageMeta{MessageKind::changes, {Lsn{0x64}, 6}, Lsn{0x80}});
    encoder.take(wal_begin(Lsn{0x80}, 8));
    CHECK(encoder.at_end());
    CHECK_FALSE(encoder.in_transaction());
    CHECK(encoder.size() == 0);
}

TEST_CASE("a block may end anywhere inside a transaction") {
    const auto all = transaction();
    for (std::size_t cut = 1; cut < all.size(); ++cut) {
        CAPTURE(cut);
        WalEncoder encoder({{}, Lsn{0x10}}, {});
        Lines got;
        for (std::size_t i = 0; i < all.size(); ++i) {
            encoder.take(all[i]);
            if (i + 1 != cut || encoder.size() == 0) continue;
            const auto block = encoder.finish();
            CHECK(block.meta.safe_flush_lsn == Lsn{0x10});
            got = lines(block.body);
            CHECK(encoder.size() == 0);
        }
        const auto block = encoder.finish();
        CHECK(block.meta.safe_flush_lsn == Lsn{0x70});
        const auto rest = lines(block.body);
        got.insert(got.end(), rest.begin(), rest.end());
        CHECK(got.size() == 6);
        CHECK(got.back() == "commit 0/64 0/70");
    }
}

TEST_CASE("a resumed session continues after the last change published") {
    for (std::uint64_t ordinal = 1; ordinal <= 6; ++ordinal) {
        CAPTURE(ordinal);
        WalEncoder encoder({{Lsn{0x64}, ordinal}, Lsn{0x10}}, {});
        take_all(encoder, transaction());
        REQUIRE(encoder.size() > 0);
        const auto block = encoder.finish();
        CHECK(block.meta == MessageMeta{MessageKind::changes, {Lsn{0x64}, 6}, Lsn{0x70}});
        Lines expected;
        for (const auto& line :
             Lines{"insert 0/64:1 t", "update 0/64:2 t", "update 0/64:4 u", "delete 0/64:5 t", "truncate 0/64:6 t"}) {
            if (line[line.find(':') + 1] - '0' > static_cast<int>(ordinal)) expected.push_back(line);
        }
        expected.emplace_back("commit 0/64 0/70");  // also when nothing else is left of the transaction
        CHECK(lines(block.body) == expected);
    }
}

TEST_CASE("a source that does not have the last transaction any more was set back") {
    const auto resume = [](std::uint64_t commit) { return ResumePoint{{Lsn{commit}, 1}, Lsn{0x10}, true}; };
    const std::vector<std::string> later = {wal_begin(Lsn{0x90}, 9), wal_commit(Lsn{0x90}, Lsn{0x98})};
    WalEncoder good(resume(0x64), {});
    take_all(good, transaction());
    take_all(good, later);
    CHECK(good.reached().safe_flush_lsn == Lsn{0x98});
    WalEncoder earlier(resume(0x80), {});
    take_all(earlier, transaction());
    CHECK_THROWS_AS(earlier.take(later[0]), Error);
    WalEncoder unknown({{Lsn{0x80}, 1}, Lsn{0x10}, false}, {});
    take_all(unknown, later);
    CHECK(unknown.reached().safe_flush_lsn == Lsn{0x98});
}

TEST_CASE("a transaction that the stream holds as a whole is skipped, but its relations are kept") {
    WalEncoder encoder({{Lsn{0x64}, 6}, Lsn{0x70}}, {});
    take_all(encoder, transaction());
    CHECK(encoder.size() == 0);
    CHECK(encoder.reached().safe_flush_lsn == Lsn{0x70});
    take_all(encoder, {wal_begin(Lsn{0x70}, 8), wal_insert(2, {"5"}), wal_commit(Lsn{0x70}, Lsn{0x80})});
    CHECK(lines(encoder.finish().body) == Lines{"insert 0/70:1 u", "commit 0/70 0/80"});
}

TEST_CASE("a transaction after a progress marker is taken whole") {
    WalEncoder encoder({{Lsn{0x20}, 3}, Lsn{0x64}}, {});
    take_all(encoder, transaction());
    CHECK(lines(encoder.finish().body).size() == 6);
}

TEST_CASE("a transaction of which the last session published nothing leaves no commit when it is empty") {
    // The last message was a non-transactional one whose LSN is the commit's too.
    WalEncoder encoder({{Lsn{0x64}, 0}, Lsn{0x10}}, {});
    take_all(encoder, {wal_begin(Lsn{0x64}, 7), wal_commit(Lsn{0x64}, Lsn{0x70})});
    CHECK(encoder.size() == 0);
}

TEST_CASE("an empty transaction leaves no trace but can be confirmed") {
    WalEncoder encoder({{Lsn{0x20}, 3}, Lsn{0x30}}, {});
    take_all(encoder,
             {wal_begin(Lsn{0x64}, 7), wal_message(true, Lsn{0x60}, "other", "x"), wal_commit(Lsn{0x64}, Lsn{0x70})});
    CHECK(encoder.size() == 0);
    CHECK(encoder.reached().position == Position{Lsn{0x20}, 3});
    CHECK(encoder.reached().safe_flush_lsn == Lsn{0x70});
}

TEST_CASE("the walsender's position counts between transactions only") {
    WalEncoder encoder({{}, Lsn{0x30}}, {});
    encoder.skip_to(Lsn{0x40});
    CHECK(encoder.reached().safe_flush_lsn == Lsn{0x40});
    encoder.skip_to(Lsn{0x35});
    CHECK(encoder.reached().safe_flush_lsn == Lsn{0x40});
    encoder.take(wal_begin(Lsn{0x64}, 7));
    encoder.skip_to(Lsn{0x90});
    CHECK(encoder.reached().safe_flush_lsn == Lsn{0x40});
}

TEST_CASE("messages of ours are published, inside and outside of transactions") {
    WalEncoder encoder({}, {});
    encoder.beat_as("shop");
    take_all(encoder, {wal_message(false, Lsn{0x64}, "pgsluice.compare", ""), wal_begin(Lsn{0x64}, 7),
                       wal_message(true, Lsn{0x60}, "pgsluice.heartbeat", "shop"), wal_commit(Lsn{0x64}, Lsn{0x70}),
                       wal_message(false, Lsn{0x78}, "other", "3")});
    const auto block = encoder.finish();
    CHECK(lines(block.body) ==
          Lines{"message 0/64:0 pgsluice.compare", "message 0/64:1 pgsluice.heartbeat", "commit 0/64 0/70"});
    CHECK(block.meta.position == Position{Lsn{0x64}, 1});
    CHECK(block.meta.safe_flush_lsn == Lsn{0x78});
}

TEST_CASE("what else a message with our prefix says is not published, whatever its size") {
    WalEncoder encoder({}, {});
    encoder.beat_as("shop");
    const std::string large(5'000'000, '\1');
    for (const char* prefix :
         {"pgsluice", "pgsluice.zzz", "pgsluice.heartbeat", "pgsluice.compare", "pgsluice.ddl/n/x"})
        take_all(encoder, {wal_message(false, Lsn{0x50}, prefix, large), wal_begin(Lsn{0x64}, 7),
                           wal_message(true, Lsn{0x60}, prefix, large), wal_commit(Lsn{0x64}, Lsn{0x70})});
    CHECK(encoder.size() == 0);
    CHECK(encoder.reached().safe_flush_lsn == Lsn{0x70});
}

TEST_CASE("of the heartbeats of several groups only our own is published") {
    WalEncoder encoder({}, {});
    encoder.beat_as("shop");
    take_all(encoder, {wal_begin(Lsn{0x64}, 7), wal_message(true, Lsn{0x60}, "pgsluice.heartbeat", "other"),
                       wal_commit(Lsn{0x64}, Lsn{0x70}), wal_begin(Lsn{0x74}, 8),
                       wal_message(true, Lsn{0x72}, "pgsluice.heartbeat", "shop"), wal_commit(Lsn{0x74}, Lsn{0x80})});
    CHECK(lines(encoder.finish().body) == Lines{"message 0/74:1 pgsluice.heartbeat", "commit 0/74 0/80"});
    CHECK(encoder.reached().safe_flush_lsn == Lsn{0x80});
}

TEST_CASE("a resumed session publishes no message twice") {
    WalEncoder before_commit({{Lsn{0x64}, 0}, Lsn{0x64}}, {});
    before_commit.beat_as("shop");
    take_all(before_commit,
             {wal_message(false, Lsn{0x64}, "pgsluice.compare", ""), wal_begin(Lsn{0x64}, 7),
              wal_message(true, Lsn{0x60}, "pgsluice.heartbeat", "shop"), wal_commit(Lsn{0x64}, Lsn{0x70})});
    CHECK(lines(before_commit.finish().body) == Lines{"message 0/64:1 pgsluice.heartbeat", "commit 0/64 0/70"});
}

TEST_CASE("an equal definition keeps the relation, a changed one makes another within the same block") {
    WalEncoder encoder({}, {});
    take_all(encoder, {wal_begin(Lsn{0x64}, 7), wal_relation(1, "t", {"id"}), wal_insert(1, {"1"}),
                       wal_relation(1, "t", {"id"}), wal_insert(1, {"2"}), wal_relation(1, "t", {"id", "more"}),
                       wal_insert(1, {"3", "x"}), wal_commit(Lsn{0x64}, Lsn{0x70})});
    const auto body = std::string(encoder.finish().body);
    BlockReader reader;
    const auto block = reader.read(body);
    REQUIRE(block->changes.size() == 3);
    CHECK(block->changes[0].relation == block->changes[1].relation);
    CHECK(block->changes[1].relation != block->changes[2].relation);
    CHECK(block->changes[2].relation->columns.size() == 2);
}

TEST_CASE("columns are completed with each definition and types forgotten when they are described again") {
    std::vector<Oid> forgotten;
    TypeLookup types;
    types.complete = [](Relation& relation, Lsn, std::uint32_t) {
        for (Column& column : relation.columns) {
            column.type_name = "mood";
            column.unique = true;
        }
    };
    types.forget = [&](Oid oid) { forgotten.push_back(oid); };
    WalEncoder encoder({}, types);
    take_all(encoder, {wal_begin(Lsn{0x64}, 7), PgoutputBytes('Y').int32(16400).text("public").text("mood").take(),
                       wal_relation(1, "t", {"id"}), wal_insert(1, {"1"})});
    const auto body = std::string(encoder.finish().body);
    BlockReader reader;
    const auto block = reader.read(body);
    CHECK(block->changes[0].relation->columns[0].type_name == "mood");
    CHECK(block->changes[0].relation->columns[0].unique);
    CHECK(forgotten == std::vector<Oid>{16400});
}

TEST_CASE("messages out of order are errors, not guesses") {
    const auto begin = wal_begin(Lsn{0x64}, 7);
    const auto relation = wal_relation(1, "t", {"id"});
    const auto refused = [](const std::vector<std::string>& messages) {
        WalEncoder encoder({}, {});
        CHECK_THROWS_AS(take_all(encoder, messages), Error);
    };
    refused({begin, begin});
    refused({begin, wal_insert(1, {"1"})});
    refused({relation, wal_insert(1, {"1"})});
    refused({begin, relation, wal_insert(1, {"1", "2"})});
    refused({begin, relation, wal_truncate({2})});
    refused({begin, wal_commit(Lsn{0x65}, Lsn{0x70})});
    refused({wal_commit(Lsn{0x64}, Lsn{0x70})});
    refused({begin, wal_message(false, Lsn{0x60}, "pgsluice", "x")});
    refused({wal_message(true, Lsn{0x60}, "pgsluice", "x")});
}
