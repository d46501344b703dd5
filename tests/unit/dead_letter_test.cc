// A parked change is a block of its own, exact enough to be replayed.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "stream/format/block_reader.h"
#include "worker/dead_letters/letter.h"

using namespace pgsluice;

namespace {

const Relation users{7,
                     "shop",
                     "users",
                     ReplicaIdentity::default_key,
                     {{"id", 23, -1, true, "integer", 23, 0}, {"note", 25, -1, false, "text", 25, 0}}};

}  // namespace

TEST_CASE("a parked change can be read back, whichever way it came") {
    const Transaction transaction{9, Lsn{0x100}, {}, 77};
    const std::array<Value, 2> row{Value("1"), Value()};
    const std::array<Value, 2> unchanged{Value("1"), Value::unchanged()};
    Change change;
    change.relation = &users;
    change.position = {Lsn{0x100}, 3};
    change.transaction = &transaction;
    SUBCASE("an insert") { change.new_row = row; }
    SUBCASE("an update with an unchanged value") {
        change.op = Op::update;
        change.new_row = unchanged;
    }
    SUBCASE("a row of the initial copy") {
        change.new_row = row;
        change.transaction = nullptr;
    }

    BlockReader reader;
    const auto block = reader.read(encode_dead_letter(change));
    REQUIRE(block->changes.size() == 1);
    const Change& read = block->changes[0];
    CHECK(read.op == change.op);
    CHECK(read.position == change.position);
    CHECK(*read.relation == users);
    CHECK(std::equal(read.new_row.begin(), read.new_row.end(), change.new_row.begin(), change.new_row.end()));
}

TEST_CASE("a parked message outside of transactions keeps its position, which is its key") {
    Change change;
    change.op = Op::message;
    change.position = {Lsn{0x100}, 0};
    change.prefix = "pgsluice.note";
    change.content = "hello";
    BlockReader reader;
    const auto block = reader.read(encode_dead_letter(change));
    REQUIRE(block->changes.size() == 1);
    CHECK(block->changes[0].position == change.position);
    CHECK(block->changes[0].transaction == nullptr);
    CHECK(block->changes[0].content == "hello");
}

TEST_CASE("a row of the initial copy that came as COPY text has no position and can be read back all the same") {
    const std::array<Value, 2> row{Value("1"), Value()};
    Change change;
    change.snapshot = true;
    change.relation = &users;
    change.new_row = row;
    BlockReader reader;
    const auto block = reader.read(encode_dead_letter(change));
    REQUIRE(block->changes.size() == 1);
    CHECK(block->changes[0].position.ordinal == 1);
}
