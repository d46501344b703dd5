// The names of replication origins, and what the replicator does with transactions that have one.
#include "stream/origin.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "replicator/wal/encoder.h"
#include "stream/format/block_reader.h"
#include "tests/support/wal_script.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

using Texts = std::vector<std::string>;

const std::string our_origin = to_string(OriginName{"shop", "postgres", 16384, "main", "73012/shop"});

Texts marked_transaction(Lsn commit, const std::string& origin, const std::string& id) {
    return {wal_begin(commit, 7), wal_origin(Lsn{1}, origin), wal_relation(1, "t", {"id"}),
            wal_insert(1, {id}),  wal_insert(1, {id}),        wal_commit(commit, Lsn{commit.value + 8})};
}

Texts plain_transaction(Lsn commit, const std::string& id) {
    Texts messages = marked_transaction(commit, our_origin, id);
    messages.erase(messages.begin() + 1);
    return messages;
}

// "0/64:1 73012/shop" for each change, "commit" for each commit.
Texts taken(WalEncoder& encoder, const std::vector<Texts>& transactions) {
    for (const Texts& messages : transactions) {
        for (const std::string& message : messages) encoder.take(message);
    }
    Texts lines;
    if (encoder.size() == 0) return lines;
    BlockReader reader;
    const auto block = reader.read(encoder.finish().body);
    for (const auto& item : block->items) {
        if (item.kind == Block::Item::Kind::commit) {
            lines.emplace_back("commit");
            continue;
        }
        const Change& change = block->changes[item.index];
        lines.push_back(to_string(change.position) + " " + std::string(change.transaction->made_in));
    }
    return lines;
}

}  // namespace

TEST_CASE("an origin's name says whose worker it is and where the changes were made") {
    CHECK(our_origin == "pgsluice/shop/postgres/16384/main/73012/shop");
    CHECK(parse_origin_name(our_origin) == OriginName{"shop", "postgres", 16384, "main", "73012/shop"});
    const OriginName odd{"g", "w", 1, "copy", "73012/a/b'c\""};
    CHECK(parse_origin_name(to_string(odd)) == odd);
    const OriginName unknown{"g", "w", 1, "main", ""};
    CHECK(parse_origin_name(to_string(unknown)) == unknown);
    for (const char* other :
         {"", "pg_16399", "pgsluice", "pgsluice/g/w/1", "pgsluice/g/w/x/main/1/db", "xpgsluice/g/w/1/m/s"})
        CHECK_FALSE(parse_origin_name(other));
    CHECK(database_id("", "shop").empty());
}

TEST_CASE("transactions that a worker brought are passed on with where they were made") {
    WalEncoder encoder({}, {});
    CHECK(taken(encoder, {marked_transaction(Lsn{100}, our_origin, "1"), plain_transaction(Lsn{200}, "2"),
                          marked_transaction(Lsn{300}, "pg_16399", "3")}) ==
          Texts{"0/64:1 73012/shop", "0/64:2 73012/shop", "commit", "0/C8:1 ", "0/C8:2 ", "commit", "0/12C:1 ",
                "0/12C:2 ", "commit"});
}

TEST_CASE("with --origin none they leave no trace, and may be confirmed") {
    WalEncoder encoder({{}, Lsn{1}}, {});
    encoder.drop_marked();
    CHECK(taken(encoder, {marked_transaction(Lsn{100}, our_origin, "1")}).empty());
    CHECK(encoder.reached().safe_flush_lsn == Lsn{108});
    CHECK(taken(encoder, {plain_transaction(Lsn{200}, "2"), marked_transaction(Lsn{300}, "pg_16399", "3")}) ==
          Texts{"0/C8:1 ", "0/C8:2 ", "commit"});
    CHECK(encoder.reached().safe_flush_lsn == Lsn{308});
}

TEST_CASE("one that the stream holds the beginning of is continued to its end") {
    for (const std::uint64_t ordinal : {1U, 2U}) {
        CAPTURE(ordinal);
        WalEncoder encoder({{Lsn{100}, ordinal}, Lsn{1}, true}, {});
        encoder.drop_marked();
        Texts expected{"0/64:2 73012/shop", "commit"};
        if (ordinal == 2) expected.erase(expected.begin());
        CHECK(taken(encoder, {marked_transaction(Lsn{100}, our_origin, "1"),
                              marked_transaction(Lsn{200}, our_origin, "1")}) == expected);
    }
}
