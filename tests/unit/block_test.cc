// Blocks: what the writer wrote, the reader reads.
#include <doctest/doctest.h>

#include <deque>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "sql/error.h"
#include "stream/format/block_reader.h"
#include "stream/format/block_writer.h"

using namespace pgsluice;

namespace {

RelationPtr relation(const std::string& table, std::size_t columns, Oid oid = 16385) {
    auto made = std::make_shared<Relation>();
    made->oid = oid;
    made->schema = "public";
    made->table = table;
    for (std::size_t i = 0; i < columns; ++i) {
        Column column;
        column.name = "c" + std::to_string(i);
        column.type_oid = column.base_oid = 25;
        column.type_name = "text";
        column.key = i == 0;
        column.unique = i == 1;
        made->columns.push_back(column);
    }
    return made;
}

const Transaction first{742, Lsn{0x16B2D50}, {}, 781'234'567'890'123};

// Changes with values that live as long as it does.
struct Changes {
    std::deque<std::string> texts;
    std::deque<std::vector<Value>> rows;

    Value text(std::string bytes) { return Value(texts.emplace_back(std::move(bytes))); }
    Row row(std::vector<Value> values) { return rows.emplace_back(std::move(values)); }

    static Change make(Op op, const RelationPtr& relation, std::uint64_t ordinal) {
        Change change;
        change.op = op;
        change.relation = relation.get();
        change.transaction = &first;
        change.position = {first.commit_lsn, ordinal};
        return change;
    }
};

bool same(Row a, Row b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

// The one insert of a row, written and read back.
std::shared_ptr<const Block> round_trip(const RelationPtr& table, Row row) {
    BlockWriter writer;
    writer.begin(first);
    auto change = Changes::make(Op::insert, table, 1);
    change.new_row = row;
    writer.change(change);
    writer.commit(Lsn{0x16B2D80});
    BlockReader reader;
    return reader.read(std::string(writer.finish()));
}

}  // namespace

TEST_CASE("an empty transaction leaves no trace") {
    BlockWriter writer;
    writer.begin(first);
    writer.commit(Lsn{1});
    CHECK(writer.empty());
    CHECK(writer.finish().empty());
}

TEST_CASE("the commit of a transaction an earlier session began is written") {
    BlockWriter writer;
    writer.begin(first, true);
    writer.commit(Lsn{0x16B2D80});
    BlockReader reader;
    CHECK(reader.read(writer.finish())->transactions.at(0)->end_lsn == Lsn{0x16B2D80});
}

TEST_CASE("every kind of change is read back as it was") {
    Changes made;
    const auto users = relation("users", 3);
    const auto orders = relation("Or\"der\nü", 2, 16390);
    BlockWriter writer;
    writer.begin(first);
    auto insert = Changes::make(Op::insert, users, 1);
    insert.new_row = made.row({made.text("1"), made.text(""), Value()});
    writer.change(insert);
    auto update = Changes::make(Op::update, users, 3);
    update.new_row = made.row({made.text("1"), Value::unchanged(), made.text("x")});
    writer.change(update);
    auto rekey = Changes::make(Op::update, users, 4);
    rekey.new_row = made.row({made.text("2"), made.text("false"), made.text("null")});
    rekey.old_kind = OldRow::key;
    rekey.old_row = made.row({made.text("1"), Value(), Value()});
    writer.change(rekey);
    auto full = Changes::make(Op::update, orders, 7);
    full.new_row = made.row({made.text("2"), made.text("b")});
    full.old_kind = OldRow::full;
    full.old_row = made.row({made.text("1"), Value()});
    writer.change(full);
    auto del = Changes::make(Op::del, users, 8);
    del.old_kind = OldRow::key;
    del.old_row = made.row({made.text("2"), Value(), Value()});
    writer.change(del);
    const std::vector<RelationPtr> both{orders, users};
    auto truncate = Changes::make(Op::truncate, orders, 9);
    truncate.truncated = both;
    truncate.restart_identity = true;
    writer.change(truncate);
    Change message = Changes::make(Op::message, nullptr, 10);
    message.prefix = "audit";
    message.content = std::string_view("\0\xff\"", 3);
    writer.change(message);
    writer.commit(Lsn{0x16B2D80});
    Change loose;
    loose.op = Op::message;
    loose.position.commit = Lsn{0x16B2D90};
    loose.prefix = "p";
    loose.content = "";
    writer.change(loose);

    BlockReader reader;
    const auto block = reader.read(std::string(writer.finish()));
    REQUIRE(block->changes.size() == 8);
    REQUIRE(block->transactions.size() == 1);
    auto committed = first;
    committed.end_lsn = Lsn{0x16B2D80};
    CHECK(*block->transactions[0] == committed);
    CHECK(block->items.size() == 9);
    CHECK(block->items[7].kind == Block::Item::Kind::commit);
    CHECK(block->items[8].kind == Block::Item::Kind::change);
    const std::vector<const Change*> wanted{&insert, &update, &rekey, &full, &del, &truncate, &message, &loose};
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        CAPTURE(i);
        const auto& change = block->changes[i];
        CHECK(change.op == wanted[i]->op);
        CHECK(change.old_kind == wanted[i]->old_kind);
        CHECK(change.position == wanted[i]->position);
        CHECK(same(change.new_row, wanted[i]->new_row));
        CHECK(same(change.old_row, wanted[i]->old_row));
        CHECK(change.prefix == wanted[i]->prefix);
        CHECK(change.content == wanted[i]->content);
        CHECK(change.cascade == wanted[i]->cascade);
        CHECK(change.restart_identity == wanted[i]->restart_identity);
        CHECK((change.transaction == nullptr) == (wanted[i]->transaction == nullptr));
        CHECK((change.relation == nullptr) == (wanted[i]->relation == nullptr));
        if (change.relation != nullptr) CHECK(*change.relation == *wanted[i]->relation);
    }
    REQUIRE(block->changes[5].truncated.size() == 2);
    CHECK(*block->changes[5].truncated[1] == *users);
}

TEST_CASE("every byte and every pair of bytes travels") {
    Changes made;
    const auto table = relation("bytes", 1);
    for (int high = 0; high < 256; ++high) {
        std::string all(1, static_cast<char>(high));
        for (int low = 0; low < 256; ++low) {
            all += static_cast<char>(high);
            all += static_cast<char>(low);
        }
        const auto row = made.row({made.text(all)});
        CHECK(same(round_trip(table, row)->changes.at(0).new_row, row));
        for (int low = 0; low < 256; low += 7) {
            const auto pair = made.row({made.text({static_cast<char>(high), static_cast<char>(low)})});
            CHECK(same(round_trip(table, pair)->changes.at(0).new_row, pair));
        }
    }
}

TEST_CASE("escapes at every place of a vector's width") {
    Changes made;
    const auto table = relation("places", 1);
    for (std::size_t length = 0; length < 70; ++length) {
        for (std::size_t at = 0; at < length; ++at) {
            for (const char* special : {"\"", "\\", "\n", "\x01", "\x7f", "\xc3\xbc", "\xf0\x9f\x98\x80", "\xc3"}) {
                std::string text(length, 'x');
                text.replace(at, 1, special);
                const auto row = made.row({made.text(text)});
                REQUIRE(same(round_trip(table, row)->changes.at(0).new_row, row));
            }
        }
    }
}

TEST_CASE("wide rows and long values") {
    Changes made;
    std::vector<Value> values;
    for (std::size_t i = 0; i < 1600; ++i) values.push_back(i % 3 == 0 ? Value() : made.text(std::to_string(i)));
    const auto wide = made.row(values);
    CHECK(same(round_trip(relation("wide", 1600), wide)->changes.at(0).new_row, wide));
    std::string text(20'000'000, 'y');
    for (std::size_t i = 0; i < text.size(); i += 1001) text[i] = '"';
    const auto long_value = made.row({made.text(text)});
    CHECK(same(round_trip(relation("long", 1), long_value)->changes.at(0).new_row, long_value));
    CHECK(round_trip(relation("none", 0), {})->changes.at(0).new_row.empty());
}

TEST_CASE("a transaction continues in the next block, which reads alone") {
    Changes made;
    const auto users = relation("users", 1);
    BlockWriter writer;
    writer.begin(first);
    auto change = Changes::make(Op::insert, users, 1);
    change.new_row = made.row({made.text("1")});
    writer.change(change);
    const std::string one(writer.finish());
    CHECK(writer.empty());
    change.position.ordinal = 5;
    writer.change(change);
    const std::string two(writer.finish());
    writer.commit(Lsn{0x16B2D80});
    const std::string three(writer.finish());

    BlockReader reader;
    const auto last = reader.read(three);
    CHECK(last->changes.empty());
    REQUIRE(last->items.size() == 1);
    CHECK(last->transactions.at(0)->end_lsn == Lsn{0x16B2D80});
    const auto a = reader.read(one);
    const auto b = reader.read(two);
    CHECK(a->changes.at(0).position.ordinal == 1);
    CHECK(b->changes.at(0).position.ordinal == 5);
    CHECK(b->changes.at(0).transaction->xid == 742);
    CHECK_FALSE(b->transactions.at(0)->end_lsn.valid());
    CHECK(a->changes.at(0).relation == b->changes.at(0).relation);
}

TEST_CASE("an equal definition is the same relation, another one is not") {
    Changes made;
    BlockReader reader;
    const auto read = [&](const RelationPtr& table) {
        BlockWriter writer;
        writer.begin(first);
        auto change = Changes::make(Op::insert, table, 1);
        change.new_row = made.row(std::vector<Value>(table->columns.size()));
        writer.change(change);
        return reader.read(writer.finish())->relations.at(0);
    };
    const auto old = read(relation("users", 2));
    CHECK(read(relation("users", 3)) != old);
    CHECK(read(relation("users", 2)) == old);
}

TEST_CASE("a block outlives the reader and its body") {
    Changes made;
    const auto row = made.row({made.text("kept\n")});
    const auto block = round_trip(relation("users", 1), row);
    CHECK(same(block->changes.at(0).new_row, row));
}

TEST_CASE("what FORMAT.md does not allow is a stop error") {
    const std::string r = R"(["R",0,{"oid":1,"schema":"s","table":"t","identity":"d","columns":[)"
                          R"({"name":"a","type":"text","oid":25,"typmod":-1,"key":true}]}])";
    const std::string b = R"(["B",1,"0/1",0])";
    const auto in_block = [&](const std::string& record) { return "[" + r + "," + b + "," + record + "]"; };
    BlockReader reader;
    CHECK(reader.read(in_block(R"(["I",0,1,["\ud83d\ude00"]])"))->changes.at(0).new_row[0].text() ==
          "\xf0\x9f\x98\x80");
    CHECK(reader.read(in_block(R"( [ "I" , 0 , 1 , [ "a" ] ] )"))->changes.at(0).new_row[0].text() == "a");
    const std::vector<std::string> wrong{
        "",
        "[",
        "]",
        "{}",
        "[]]",
        "[] []",
        "null",
        "[1]",
        "[[]]",
        R"([["X"]])",
        R"([["I"]])",
        R"([["II",0]])",
        "[" + b + R"(,["I",0,1,["a"]]])",
        "[" + r + R"(,["I",0,1,["a"]]])",
        "[" + r + "," + r + "]",
        R"([["C","0/1"]])",
        R"([["B",1,"0/1"]])",
        R"([["B",4294967296,"0/1",0]])",
        R"([["B",1,"0-1",0]])",
        R"([["R",0,{"oid":1}]])",
        R"([["R",0,1]])",
        R"([["N","0/1","p"]])",
        "[" + r,
        "[\"\xff\"]",
        in_block(R"(["I",1,1,["a"]])"),
        in_block(R"(["I",-1,1,["a"]])"),
        in_block(R"(["I",0,0,["a"]])"),
        in_block(R"(["I",0,1,[]])"),
        in_block(R"(["I",0,1,["a","b"]])"),
        in_block(R"(["I",0,1,[1]])"),
        in_block(R"(["I",0,1,[true]])"),
        in_block(R"(["I",0,1,[nul]])"),
        in_block(R"(["I",0,1,[{"hex":"0"}]])"),
        in_block(R"(["I",0,1,[{"hex":"0g"}]])"),
        in_block(R"(["I",0,1,[{"hex":1}]])"),
        in_block(R"(["I",0,1,[{}]])"),
        in_block(R"(["I",0,1,[[]]])"),
        in_block(R"(["I",0,1,["\x"]])"),
        in_block(R"(["I",0,1,["\ud800"]])"),
        in_block(R"(["I",0,1,["\udc00"]])"),
        in_block(R"(["I",0,1,["\u12"]])"),
        in_block(R"(["I",0,1,["a"],1])"),
        in_block(R"(["I",0,2,["a"]],["I",0,2,["a"]])"),
        in_block(R"(["D",0,1])"),
        in_block(R"(["D",0,1,"x",["a"]])"),
        in_block(R"(["D",0,1,"k",[]])"),
        in_block(R"(["U",0,1,["a"],"k"])"),
        in_block(R"(["T",1,[],false,false])"),
        in_block(R"(["T",1,[3],false,false])"),
        in_block(R"(["T",1,[0],false])"),
        in_block(R"(["T",1,[0],0,0])"),
        in_block(R"(["C","0/1"],["I",0,1,["a"]])"),
        in_block("[\"I\",0,1,[\"a\n\"]]"),
        in_block(R"(["I",0,1,["a" "b"]])"),
    };
    for (const auto& body : wrong) {
        CAPTURE(body);
        try {
            reader.read(body);
            FAIL_CHECK("was read");
        } catch (const Error& error) {
            CHECK(error.action() == Action::stop);
        }
    }
}

TEST_CASE("a block cut short or with a byte changed is read or refused, never worse") {
    Changes made;
    const auto users = relation("users", 3);
    BlockWriter writer;
    writer.begin(first);
    auto insert = Changes::make(Op::insert, users, 1);
    insert.new_row = made.row({made.text("\xff\x01"), made.text("\"q\\"), Value()});
    writer.change(insert);
    writer.commit(Lsn{0x16B2D80});
    const std::string body(writer.finish());
    BlockReader reader;
    const auto try_to_read = [&reader](const std::string& text) {
        try {
            return reader.read(text) != nullptr;
        } catch (const Error&) {
            return false;
        }
    };
    for (std::size_t length = 0; length + 1 < body.size(); ++length) {
        CHECK_FALSE(try_to_read(body.substr(0, length)));
    }
    for (std::size_t at = 0; at < body.size(); ++at) {
        for (const char c : {'[', ']', '{', '}', '"', '\\', ',', ':', '0', 'n', '\0', '\xff', ' '}) {
            auto changed = body;
            changed[at] = c;
            try_to_read(changed);
        }
    }
    CHECK(try_to_read(body));
}

TEST_CASE("FORMAT.md's example is what is written") {
    Changes made;
    auto users = std::make_shared<Relation>(Relation{16385,
                                                     "public",
                                                     "users",
                                                     ReplicaIdentity::default_key,
                                                     {{"id", 20, -1, true, "bigint", 20, 0},
                                                      {"email", 25, -1, false, "text", 25, 0},
                                                      {"bio", 25, -1, false, "text", 25, 0}}});
    BlockWriter writer;
    writer.begin(first);
    auto insert = Changes::make(Op::insert, users, 1);
    insert.new_row = made.row({made.text("1"), made.text("ada@example.com"), Value()});
    writer.change(insert);
    auto update = Changes::make(Op::update, users, 2);
    update.new_row = made.row({made.text("1"), made.text("ada@example.org"), Value::unchanged()});
    writer.change(update);
    auto rekey = Changes::make(Op::update, users, 3);
    rekey.new_row = made.row({made.text("2"), made.text("ada@example.org"), Value::unchanged()});
    rekey.old_kind = OldRow::key;
    rekey.old_row = made.row({made.text("1"), Value(), Value()});
    writer.change(rekey);
    auto del = Changes::make(Op::del, users, 4);
    del.old_kind = OldRow::key;
    del.old_row = made.row({made.text("2"), Value(), Value()});
    writer.change(del);
    writer.commit(Lsn{0x16B2D80});
    std::ifstream file(PGSLUICE_SOURCE_DIR "/stream/format/FORMAT.md");
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const std::string written(writer.finish());
    INFO(written);
    CHECK(text.find("```\n" + written + "```") != std::string::npos);
}
