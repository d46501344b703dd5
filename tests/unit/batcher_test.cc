#include "worker/batcher.h"

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stream/heartbeat.h"

using namespace pgsluice;

namespace {

const Log no_log = [](LogLevel, std::string_view) {};

// Builds blocks by hand: transactions of inserts into one table.
class BlockOf {
   public:
    BlockOf() : block_(std::make_shared<Block>()) {
        static const RelationPtr items = std::make_shared<const Relation>(
            Relation{1, "public", "items", ReplicaIdentity::default_key, {{"id", 23, -1, true, "integer", 23, 0}}});
        block_->relations.push_back(items);
    }

    BlockOf& changes(std::uint64_t commit, std::uint64_t first, std::uint64_t last) {
        if (transactions_->empty() || transactions_->back().commit_lsn.value != commit) {
            transactions_->emplace_back().commit_lsn = {commit};
            block_->transactions.push_back(&transactions_->back());
        }
        for (auto ordinal = first; ordinal <= last; ++ordinal) {
            Change change;
            change.relation = block_->relations[0].get();
            change.transaction = &transactions_->back();
            change.position = {Lsn{commit}, ordinal};
            change.new_row = one_row;
            block_->items.push_back({Block::Item::Kind::change, static_cast<std::uint32_t>(block_->changes.size())});
            block_->changes.push_back(change);
        }
        return *this;
    }

    BlockOf& heartbeat(std::uint64_t commit) {
        changes(commit, 1, 1);
        block_->changes.back().op = Op::message;
        block_->changes.back().prefix = heartbeat_prefix;
        return *this;
    }

    BlockOf& made_in(std::string_view where) {
        transactions_->back().made_in = where;
        return *this;
    }

    BlockOf& commit() {
        auto& transaction = transactions_->back();
        transaction.end_lsn = {transaction.commit_lsn.value + 8};
        transaction.commit_time_us = 77;
        block_->items.push_back(
            {Block::Item::Kind::commit, static_cast<std::uint32_t>(block_->transactions.size() - 1)});
        return *this;
    }

    // Owns its transactions, too.
    std::shared_ptr<const Block> get() {
        const auto both = std::make_shared<std::pair<std::shared_ptr<Block>, std::shared_ptr<std::deque<Transaction>>>>(
            block_, transactions_);
        return {both, both->first.get()};
    }

   private:
    static constexpr Value one_value{std::string_view("1")};
    static constexpr Row one_row{&one_value, 1};
    std::shared_ptr<Block> block_;
    std::shared_ptr<std::deque<Transaction>> transactions_ = std::make_shared<std::deque<Transaction>>();
};

Message message_at(std::uint64_t seq) {
    Message message;
    message.first_seq = message.last_seq = {seq};
    message.meta.kind = MessageKind::changes;
    return message;
}

struct Cut {
    std::vector<std::uint64_t> ordinals;
    bool complete;
    Checkpoint upto;
};

class Feed {
   public:
    explicit Feed(BatchLimits limits, Checkpoint from = {StreamSeq{1}, {}})
        : ruleset(Ruleset::load({})),
          delivered(
              *ruleset, OnRulesChange::stop, {}, [](const Delivered::Notes&) {}, no_log),
          plans(*ruleset, delivered, no_log),
          batcher(*ruleset, plans, limits, from) {}

    // Everything full() cuts off while the message is used up.
    std::vector<Cut> take(std::uint64_t seq, BlockOf block) {
        std::vector<Cut> cuts;
        batcher.start(message_at(seq), block.get());
        while (batcher.fill()) cuts.push_back(cut());
        return cuts;
    }

    Cut cut() {
        const Batch& batch = batcher.next();
        Cut result{{}, batch.complete, batch.upto};
        for (const Change& change : batch.changes) result.ordinals.push_back(change.position.ordinal);
        batcher.applied();
        return result;
    }

    std::unique_ptr<Ruleset> ruleset;
    Delivered delivered;
    Plans plans;
    Batcher batcher;
};

using Ordinals = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("small transactions share a batch until the input runs dry") {
    Feed feed({100, 1 << 20});
    CHECK(feed.take(5, std::move(BlockOf().changes(10, 1, 2).commit().changes(20, 1, 1).commit())).empty());
    REQUIRE(feed.batcher.worth_applying());
    const Cut cut = feed.cut();
    CHECK(cut.ordinals == Ordinals{1, 2, 1});
    CHECK(cut.complete);
    CHECK(cut.upto == Checkpoint{StreamSeq{6}, {Lsn{20}, 1}});
    CHECK_FALSE(feed.batcher.worth_applying());
}

TEST_CASE("a heartbeat is handed on as no change, and its commit time apart from those of transactions") {
    Feed feed({100, 1 << 20});
    CHECK(feed.take(5, std::move(BlockOf().heartbeat(10).commit())).empty());
    CHECK(feed.batcher.worth_applying());
    CHECK(feed.batcher.heartbeats() == std::vector<std::int64_t>{77});
    CHECK(feed.batcher.committed().empty());
    const Cut cut = feed.cut();
    CHECK(cut.ordinals.empty());
    CHECK(cut.complete);
    CHECK(cut.upto == Checkpoint{StreamSeq{6}, {Lsn{10}, 1}});
    CHECK(feed.batcher.heartbeats().empty());
    CHECK(feed.take(6, std::move(BlockOf().heartbeat(10).commit())).empty());  // read again after a restart
    CHECK(feed.batcher.heartbeats().empty());
}

TEST_CASE("transactions made in the target are left out, and a batch is of one origin") {
    for (const bool home : {true, false}) {
        CAPTURE(home);
        Feed feed({100, 1 << 20});
        feed.batcher.tell_origins_apart(home ? "1/here" : "");
        BlockOf block;
        block.changes(10, 1, 2).commit();
        block.changes(20, 1, 2).made_in("1/here").commit();
        block.changes(30, 1, 1).commit();
        block.changes(40, 1, 1).made_in("2/there").commit();
        const auto cuts = feed.take(5, std::move(block));
        REQUIRE(cuts.size() == (home ? 1U : 3U));
        CHECK(cuts[0].ordinals == (home ? Ordinals{1, 2, 1} : Ordinals{1, 2}));
        CHECK(cuts[0].complete);
        CHECK(feed.batcher.left_out_own() == home);
        const Batch& last = feed.batcher.next();
        CHECK(last.made_in == "2/there");
        CHECK(last.changes.size() == 1);
        CHECK(last.upto == Checkpoint{StreamSeq{6}, {Lsn{40}, 1}});
    }
}

TEST_CASE("a full batch ends with its transaction and resumes inside the message") {
    Feed feed({2, 1 << 20});
    const auto cuts = feed.take(
        5, std::move(BlockOf().changes(10, 1, 1).commit().changes(20, 1, 2).commit().changes(30, 1, 1).commit()));
    REQUIRE(cuts.size() == 1);
    CHECK(cuts[0].ordinals == Ordinals{1, 1, 2});
    CHECK(cuts[0].complete);
    CHECK(cuts[0].upto == Checkpoint{StreamSeq{5}, {Lsn{20}, 2}});
    CHECK(feed.cut().upto == Checkpoint{StreamSeq{6}, {Lsn{30}, 1}});
}

TEST_CASE("a transaction larger than a batch is cut inside and completed by its commit alone") {
    Feed feed({2, 1 << 20});
    auto cuts = feed.take(5, std::move(BlockOf().changes(10, 1, 16)));
    REQUIRE(cuts.size() == 2);
    CHECK(cuts[0].ordinals == Ordinals{1, 2, 3, 4, 5, 6, 7, 8});
    CHECK_FALSE(cuts[0].complete);
    CHECK(cuts[0].upto == Checkpoint{StreamSeq{5}, {Lsn{10}, 8}});
    CHECK_FALSE(cuts[1].complete);
    CHECK(feed.batcher.in_transaction());
    CHECK(feed.take(6, std::move(BlockOf().changes(10, 17, 16).commit())).empty());
    const Cut last = feed.cut();
    CHECK(last.ordinals.empty());
    CHECK(last.complete);
    CHECK(last.upto == Checkpoint{StreamSeq{7}, {Lsn{10}, 16}});
}

TEST_CASE("what the sink has is skipped by position") {
    Feed feed({100, 1 << 20}, {StreamSeq{5}, {Lsn{20}, 1}});
    feed.take(5, std::move(BlockOf().changes(10, 1, 2).commit().changes(20, 1, 3).commit()));
    const Cut cut = feed.cut();
    CHECK(cut.ordinals == Ordinals{2, 3});
    CHECK(cut.upto.position == Position{Lsn{20}, 3});
}

TEST_CASE("a progress marker moves the checkpoint without changes, but not inside a transaction") {
    Feed feed({100, 1 << 20});
    Message marker = message_at(9);
    marker.meta = {MessageKind::progress, {Lsn{50}, 0}, Lsn{60}};
    feed.batcher.pass(marker);
    CHECK(feed.batcher.worth_applying());
    const Cut cut = feed.cut();
    CHECK(cut.upto.resume_seq == StreamSeq{10});
    CHECK(cut.complete);
}

TEST_CASE("whole transactions do not wait for the rest of a later one") {
    Feed feed({2, 1 << 20});
    // 10 was begun in an earlier batch; after its end 20 begins, and the batch grows to four times the limit.
    CHECK(feed.take(5, std::move(BlockOf().changes(10, 1, 8))).size() == 1);
    feed.batcher.start(message_at(6), BlockOf().changes(10, 9, 9).commit().changes(20, 1, 10).get());
    REQUIRE(feed.batcher.fill());
    const Cut whole = feed.cut();
    CHECK(whole.complete);
    CHECK(whole.ordinals == Ordinals{9});
    CHECK(whole.upto == Checkpoint{StreamSeq{6}, {Lsn{10}, 9}});

    CHECK(feed.batcher.worth_applying());
    CHECK_FALSE(feed.batcher.has_complete());
    REQUIRE(feed.batcher.fill());
    const Cut last = feed.cut();
    CHECK(last.ordinals == Ordinals{1, 2, 3, 4, 5, 6, 7, 8});
    CHECK_FALSE(last.complete);
}

TEST_CASE("nothing that committed at or above an LSN is taken until that is lifted") {
    Feed feed({1000, 1 << 20});
    feed.batcher.stop_before(Lsn{20});
    feed.batcher.start(message_at(1), BlockOf().changes(10, 1, 2).commit().changes(20, 1, 1).commit().get());
    REQUIRE(feed.batcher.fill());
    CHECK(feed.batcher.stopped());
    const Cut before = feed.cut();
    CHECK(before.ordinals == std::vector<std::uint64_t>{1, 2});
    CHECK(before.complete);
    CHECK(before.upto == Checkpoint{StreamSeq{1}, {Lsn{10}, 2}});
    REQUIRE(feed.batcher.fill());  // as often as it is asked
    CHECK(feed.batcher.stopped());
    feed.batcher.stop_before(std::nullopt);
    CHECK(!feed.batcher.fill());
    CHECK(!feed.batcher.stopped());
    const Cut after = feed.cut();
    CHECK(after.ordinals == std::vector<std::uint64_t>{1});
    CHECK(after.upto == Checkpoint{StreamSeq{2}, {Lsn{20}, 1}});
}
