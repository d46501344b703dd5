// The decoder of pgoutput messages: every kind, every truncation of it, and what a hostile server might send.
#include "replicator/wal/pgoutput.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "sql/error.h"
#include "tests/support/pgoutput_bytes.h"

using namespace pgsluice;
using namespace pgsluice::pgoutput;
using test::PgoutputBytes;

namespace {

std::string insert_bytes() {
    return PgoutputBytes('I')
        .int32(7)
        .character('N')
        .int16(4)
        .text_value("1")
        .null_value()
        .unchanged_value()
        .text_value("")
        .take();
}

std::string update_bytes(char old_kind) {
    PgoutputBytes bytes('U');
    bytes.int32(7);
    if (old_kind != 0) bytes.character(old_kind).int16(2).text_value("1").null_value();
    return bytes.character('N').int16(2).text_value("2").unchanged_value().take();
}

std::string relation_bytes() {
    return PgoutputBytes('R')
        .int32(7)
        .text("shop")
        .text("Order")
        .character('d')
        .int16(2)
        .byte(1)
        .text("id")
        .int32(20)
        .int32(0xFFFFFFFF)
        .byte(0)
        .text("note")
        .int32(1043)
        .int32(24)
        .take();
}

// One well-formed message of every kind.
std::vector<std::string> one_of_each() {
    return {
        PgoutputBytes('B').int64(0x10).int64(5).int32(77).take(),
        PgoutputBytes('C').byte(0).int64(0x10).int64(0x20).int64(5).take(),
        PgoutputBytes('O').int64(0x99).text("elsewhere").take(),
        relation_bytes(),
        PgoutputBytes('Y').int32(16400).text("shop").text("mood").take(),
        insert_bytes(),
        update_bytes(0),
        update_bytes('K'),
        update_bytes('O'),
        PgoutputBytes('D').int32(7).character('K').int16(1).text_value("1").take(),
        PgoutputBytes('T').int32(2).byte(3).int32(7).int32(8).take(),
        PgoutputBytes('M').byte(1).int64(0x30).text("pgsluice.x").bytes(std::string("\0a\n", 3)).take(),
    };
}

}  // namespace

TEST_CASE("begin and commit carry the transaction") {
    Decoder decoder;
    const auto begin =
        std::get<Begin>(decoder.decode(PgoutputBytes('B').int64(0x1000000020).int64(5).int32(77).take()));
    CHECK(begin.commit_lsn == Lsn{0x1000000020});
    CHECK(begin.commit_time_us == 5);
    CHECK(begin.xid == 77);
    const auto commit =
        std::get<Commit>(decoder.decode(PgoutputBytes('C').byte(0).int64(0x10).int64(0x20).int64(6).take()));
    CHECK(commit.commit_lsn == Lsn{0x10});
    CHECK(commit.end_lsn == Lsn{0x20});
    CHECK(commit.commit_time_us == 6);
}

TEST_CASE("origin and type are read") {
    Decoder decoder;
    const auto origin_bytes = PgoutputBytes('O').int64(0x99).text("elsewhere").take();
    const auto origin = std::get<Origin>(decoder.decode(origin_bytes));
    CHECK(origin.commit_lsn == Lsn{0x99});
    CHECK(origin.name == "elsewhere");
    const auto type_bytes = PgoutputBytes('Y').int32(16400).text("").text("box").take();
    const auto type = std::get<Type>(decoder.decode(type_bytes));
    CHECK(type.oid == 16400);
    CHECK(type.schema == "pg_catalog");
    CHECK(type.name == "box");
}

TEST_CASE("relation lists its columns") {
    Decoder decoder;
    const auto bytes = relation_bytes();
    const auto relation = std::get<RelationMessage>(decoder.decode(bytes));
    CHECK(relation.oid == 7);
    CHECK(relation.schema == "shop");
    CHECK(relation.table == "Order");
    CHECK(relation.identity == ReplicaIdentity::default_key);
    REQUIRE(relation.columns.size() == 2);
    CHECK(relation.columns[0].key);
    CHECK(relation.columns[0].name == "id");
    CHECK(relation.columns[0].type_oid == 20);
    CHECK(relation.columns[0].typmod == -1);
    CHECK_FALSE(relation.columns[1].key);
    CHECK(relation.columns[1].typmod == 24);
}

TEST_CASE("NULL, unchanged and the empty text stay three things") {
    Decoder decoder;
    const auto bytes = insert_bytes();
    const auto insert = std::get<Insert>(decoder.decode(bytes));
    CHECK(insert.relation == 7);
    REQUIRE(insert.new_row.size() == 4);
    CHECK(insert.new_row[0] == Value("1"));
    CHECK(insert.new_row[1].is_null());
    CHECK(insert.new_row[2].is_unchanged());
    CHECK(insert.new_row[3].is_text());
    CHECK(insert.new_row[3].text().empty());
}

TEST_CASE("update knows which old row it has") {
    Decoder decoder;
    const auto plain_bytes = update_bytes(0);
    const auto plain = std::get<Update>(decoder.decode(plain_bytes));
    CHECK(plain.old_kind == OldRow::none);
    CHECK(plain.old_row.empty());
    CHECK(plain.new_row[0] == Value("2"));
    CHECK(plain.new_row[1].is_unchanged());
    const auto keyed_bytes = update_bytes('K');
    const auto keyed = std::get<Update>(decoder.decode(keyed_bytes));
    CHECK(keyed.old_kind == OldRow::key);
    CHECK(keyed.old_row[0] == Value("1"));
    CHECK(keyed.new_row[0] == Value("2"));
    const auto full_bytes = update_bytes('O');
    CHECK(std::get<Update>(decoder.decode(full_bytes)).old_kind == OldRow::full);
}

TEST_CASE("delete, truncate and messages") {
    Decoder decoder;
    const auto delete_bytes = PgoutputBytes('D').int32(7).character('O').int16(1).text_value("1").take();
    const auto del = std::get<Delete>(decoder.decode(delete_bytes));
    CHECK(del.old_kind == OldRow::full);
    CHECK(del.old_row[0] == Value("1"));

    const auto truncate =
        std::get<Truncate>(decoder.decode(PgoutputBytes('T').int32(2).byte(1).int32(7).int32(8).take()));
    CHECK(truncate.cascade);
    CHECK_FALSE(truncate.restart_identity);
    CHECK(truncate.relations[1] == 8);

    const auto message_bytes = PgoutputBytes('M').byte(0).int64(0x30).text("p").bytes(std::string("\0x", 2)).take();
    const auto message = std::get<LogicalMessage>(decoder.decode(message_bytes));
    CHECK_FALSE(message.transactional);
    CHECK(message.lsn == Lsn{0x30});
    CHECK(message.prefix == "p");
    CHECK(message.content == std::string_view("\0x", 2));
}

TEST_CASE("every message cut short anywhere, or with a byte too many, is an error") {
    Decoder decoder;
    for (const std::string& whole : one_of_each()) {
        CAPTURE(whole.front());
        CHECK_NOTHROW(decoder.decode(whole));
        for (std::size_t size = 0; size < whole.size(); ++size) {
            const std::string cut(whole, 0, size);  // its own allocation, so that a sanitizer sees reads behind it
            CHECK_THROWS_AS(decoder.decode(cut), Error);
        }
        CHECK_THROWS_AS(decoder.decode(whole + '\0'), Error);
    }
}

TEST_CASE("hostile counts and sizes are refused") {
    Decoder decoder;
    CHECK_THROWS_AS(decoder.decode(PgoutputBytes('I').int32(7).character('N').int16(0xFFFF).take()), Error);
    CHECK_THROWS_AS(
        decoder.decode(PgoutputBytes('I').int32(7).character('N').int16(1).character('t').int32(0xFFFFFFFF).take()),
        Error);
    CHECK_THROWS_AS(decoder.decode(PgoutputBytes('T').int32(0xFFFFFFFF).byte(0).int32(1).take()), Error);
    CHECK_THROWS_AS(decoder.decode(PgoutputBytes('R').int32(7).text("s").text("t").character('d').int16(0xFFFF).take()),
                    Error);
}

TEST_CASE("what the protocol does not have is refused by name") {
    Decoder decoder;
    CHECK_THROWS_WITH_AS(
        decoder.decode(PgoutputBytes('I').int32(7).character('N').int16(1).character('b').int32(1).byte(1).take()),
        "unable to decode the source's Insert message: it holds a value in binary format, which was "
        "not asked for",
        Error);
    CHECK_THROWS_WITH_AS(decoder.decode("S123"),
                         "unable to decode the source's logical replication message: its kind 0x53 is unknown", Error);
    CHECK_THROWS_AS(decoder.decode(PgoutputBytes('I').int32(7).character('O').int16(0).take()), Error);
    CHECK_THROWS_AS(decoder.decode(PgoutputBytes('D').int32(7).character('N').int16(0).take()), Error);
    CHECK_THROWS_AS(decoder.decode(PgoutputBytes('R').int32(7).text("s").text("t").character('x').int16(0).take()),
                    Error);
}

TEST_CASE("a table without columns has empty rows") {
    Decoder decoder;
    const auto bytes = PgoutputBytes('I').int32(7).character('N').int16(0).take();
    CHECK(std::get<Insert>(decoder.decode(bytes)).new_row.empty());
}
