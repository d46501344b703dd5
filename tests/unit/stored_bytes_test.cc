// A stream and a bucket as earlier builds wrote them: bytes kept here as they were stored, never made by the writers
// under test. They must be read as what they were, and written again as the same bytes, for older workers read them.
#include <doctest/doctest.h>

#include <cstring>
#include <map>
#include <string>

#include "stream/base/hex.h"
#include "stream/format/block_reader.h"
#include "stream/format/block_writer.h"
#include "stream/format/body_encoding.h"
#include "stream/format/copy_text.h"
#include "stream/format/ddl_message.h"
#include "stream/format/headers.h"
#include "stream/format/markers.h"
#include "stream/group/cutover_record.h"
#include "stream/group/registry.h"
#include "stream/group/schema_history.h"
#include "stream/group/snapshot_start.h"
#include "stream/group/tables.h"

using namespace pgsluice;

namespace {

using Stored = std::map<std::string, std::string>;

ParsedHeaders parsed(const Stored& stored) {
    return parse_headers(
        [&stored](const char* name) {
            const auto found = stored.find(name);
            return found == stored.end() ? nullptr : found->second.c_str();
        },
        "a message");
}

Stored written(const ParsedHeaders& headers) {
    Stored list;
    for (const auto& [name, value] :
         message_headers(headers.meta, &headers.copy, headers.part, headers.follows, headers.encoding))
        list[name] = value;
    return list;
}

// What a block holds, written again.
std::string rewritten(const Block& block) {
    BlockWriter writer;
    const Transaction* open = nullptr;
    for (const auto& item : block.items) {
        if (item.kind == Block::Item::Kind::commit) {
            writer.commit(block.transactions[item.index]->end_lsn);
            open = nullptr;
            continue;
        }
        const Change& change = block.changes[item.index];
        if (change.transaction != nullptr && change.transaction != open) writer.begin(*change.transaction);
        if (change.transaction != nullptr) open = change.transaction;
        writer.change(change);
    }
    return std::string(writer.finish());
}

constexpr const char* users =
    R"({"oid":16385,"schema":"public","table":"users","identity":"d","columns":[{"name":"id","type":"bigint","oid":20,"typmod":-1,"key":true},{"name":"email","type":"text","oid":25,"typmod":-1},{"name":"bio","type":"text","oid":25,"typmod":-1}]})";
constexpr const char* part =
    R"({"oid":16400,"schema":"shop","table":"orders_2026","identity":"f","ancestors":[{"schema":"shop","table":"orders"}],"columns":[{"name":"id","type":"shop.id","oid":16390,"typmod":-1,"key":true,"base":23,"number":1},{"name":"tags","type":"text[]","oid":1009,"typmod":-1,"key":true,"element":25,"unique":true,"number":3}]})";

}  // namespace

TEST_CASE("stored: headers of every kind of message") {
    const Stored group{{"Pgsluice-Kind", "group"}, {"Pgsluice-Position", "0/0:0"}, {"Pgsluice-Confirmable", "0/0"}};
    CHECK(parsed(group).meta.kind == MessageKind::group);
    const Stored changes{{"Pgsluice-Kind", "changes"},
                         {"Pgsluice-Position", "0/16B2D50:12"},
                         {"Pgsluice-Confirmable", "0/16B2D80"},
                         {"Pgsluice-Part", "2/5"}};
    CHECK(parsed(changes).meta == MessageMeta{MessageKind::changes, {Lsn{0x16B2D50}, 12}, Lsn{0x16B2D80}, false});
    CHECK(parsed(changes).part == MessagePart{2, 5});
    const Stored copy{{"Pgsluice-Kind", "copy"},
                      {"Pgsluice-Position", "0/16B2D50:0"},
                      {"Pgsluice-Confirmable", "0/16B2D50"},
                      {"Pgsluice-Scope", "added"},
                      {"Pgsluice-Epoch", "3"},
                      {"Pgsluice-Table", "1"},
                      {"Pgsluice-First-Row", "1001"},
                      {"Pgsluice-Rows", "250"},
                      {"Pgsluice-Pages", "8192-16384"}};
    CHECK(parsed(copy).meta.added);
    CHECK(parsed(copy).copy == CopyHeader{3, 1, 1001, 250, 8192, 16384});
    Stored last_range = copy;
    last_range["Pgsluice-Pages"] = "16384-";
    CHECK(parsed(last_range).copy.end_page == 0);
    const Stored begin{
        {"Pgsluice-Kind", "snapshot-begin"}, {"Pgsluice-Position", "0/1:0"}, {"Pgsluice-Confirmable", "0/1"}};
    CHECK(parsed(begin).meta.kind == MessageKind::snapshot_begin);
    const Stored end{
        {"Pgsluice-Kind", "snapshot-end"}, {"Pgsluice-Position", "0/1:0"}, {"Pgsluice-Confirmable", "0/1"}};
    CHECK(parsed(end).meta.kind == MessageKind::snapshot_end);
    const Stored progress{
        {"Pgsluice-Kind", "progress"}, {"Pgsluice-Position", "0/1:3"}, {"Pgsluice-Confirmable", "1A/2B"}};
    CHECK(parsed(progress).meta.safe_flush_lsn == Lsn{0x1A0000002B});
    for (const Stored& stored : {group, changes, copy, last_range, begin, end, progress})
        CHECK(written(parsed(stored)) == stored);
}

TEST_CASE("stored: a block with every kind of record") {
    const std::string stored = std::string("[[\"R\",0,") + users + "],\n" +
                               R"(["B",742,"0/16B2D50",781234567890123],
["I",0,1,["1","ada@example.com",null]],
["U",0,2,["1","line\nquote\"back\\slash \u0001 é",false]],
["U",0,3,["2","ada@example.org",false],"k",["1"]],
["D",0,4,"k",["2"]],
["R",1,)" + part + R"(],
["U",1,5,["3","{a}"],"f",["3",{"hex":"ff00"}]],
["D",1,6,"f",["3",""]],
["T",7,[0,1],true,false],
["M",8,"app","text"],
["C","0/16B2D80"],
["N","0/16B2E00","app",{"hex":"ff"}]]
)";
    BlockReader reader;
    const auto block = reader.read(stored);
    REQUIRE(block->changes.size() == 9);
    CHECK(block->transactions.size() == 1);
    CHECK(*block->transactions[0] == Transaction{742, Lsn{0x16B2D50}, Lsn{0x16B2D80}, 781234567890123});
    CHECK(block->changes[0].new_row[0].text() == "1");
    CHECK(block->changes[0].new_row[2].is_null());
    CHECK(block->changes[1].new_row[1].text() == "line\nquote\"back\\slash \x01 é");
    CHECK(block->changes[1].new_row[2].is_unchanged());
    CHECK(block->changes[2].old_kind == OldRow::key);
    CHECK(block->changes[4].old_row[1].text() == std::string_view("\xff\0", 2));
    CHECK(block->changes[5].old_kind == OldRow::full);
    CHECK(block->changes[6].truncated.size() == 2);
    CHECK(block->changes[8].position == Position{Lsn{0x16B2E00}, 0});
    const Relation& orders = *block->relations[1];
    CHECK(orders.ancestors == std::vector<QualifiedName>{{"shop", "orders"}});
    CHECK(orders.columns[0].base_oid == 23);
    CHECK(orders.columns[1].element_oid == 25);
    CHECK(orders.columns[1].unique);
    CHECK(orders.columns[1].number == 3);
    CHECK(rewritten(*block) == stored);
}

TEST_CASE("stored: rows of a copy") {
    Arena arena;
    std::string_view stored = "1\tada@example.com\t\\N\n2\ttab\\tnewline\\nback\\\\slash\t\n";
    const auto first = parse_copy_line(take_copy_line(stored), 3, arena);
    CHECK(first[1].text() == "ada@example.com");
    CHECK(first[2].is_null());
    const std::string_view line = stored;
    const auto second = parse_copy_line(take_copy_line(stored), 3, arena);
    CHECK(second[1].text() == "tab\tnewline\nback\\slash");
    CHECK(second[2].text().empty());
    std::string again;
    append_copy_line(again, second);
    CHECK(again == line);
}

TEST_CASE("stored: a compressed copy") {
    const Stored stored{{"Pgsluice-Encoded-Kind", "copy"},
                        {"Pgsluice-Position", "0/16B2D50:0"},
                        {"Pgsluice-Confirmable", "0/16B2D50"},
                        {"Pgsluice-Encoding", "zstd"},
                        {"Pgsluice-Epoch", "1"},
                        {"Pgsluice-Table", "0"},
                        {"Pgsluice-First-Row", "1"},
                        {"Pgsluice-Rows", "4"},
                        {"Pgsluice-Pages", "0-"}};
    const ParsedHeaders headers = parsed(stored);
    CHECK(headers.meta.kind == MessageKind::copy);
    CHECK(headers.encoding == BodyEncoding::zstd);
    CHECK(headers.copy.rows == 4);
    CHECK(written(headers) == stored);
    const std::string_view digits =
        "28b52ffd246ced0100e4023109616461406578616d706c652e636f6d095c4e0a3209677261636572656172"
        "2061646d6972616c0a33345c4e0a0400434844a803c86a56e8319db08d0146";
    std::string frame(digits.size() / 2, '\0');
    REQUIRE(decode_hex(digits, frame.data()));
    std::string why;
    const auto plain = BodyDecoder().decode(headers.encoding, frame, why);
    REQUIRE(plain);
    CHECK(plain->text ==
          "1\tada@example.com\t\\N\n2\tgrace@example.com\trear admiral\n3\tada@example.com\trear admiral\n"
          "4\tgrace@example.com\t\\N\n");
}

TEST_CASE("stored: markers") {
    const std::string group =
        R"({"group":"shop","system_identifier":"7301234567890123456","timeline":1,"dbname":"shop","server_version":"15.18","program_version":"0.1.0"})"
        "\n";
    CHECK(decode_group(group) == GroupInfo{"shop", "7301234567890123456", 1, "shop", "15.18", "0.1.0"});
    const std::string without_brace = group.substr(0, group.size() - 2);
    CHECK(encode(decode_group(group)) == without_brace + ",\"format\":1}\n");  // which older workers pass over
    const std::string compressed = without_brace + ",\"format\":2}\n";
    CHECK(decode_group(compressed).format == 2);
    CHECK(encode(decode_group(compressed)) == compressed);

    const std::string begin = std::string(R"({"epoch":1,"consistent_point":"0/16B2D50","tables":[)") + "\n" + users +
                              ",\n" + part + "],\n\"estimated_bytes\":[8192,0]}\n";
    const SnapshotBegin read = decode_snapshot_begin(begin);
    CHECK(read.epoch == 1);
    CHECK(read.consistent_point == Lsn{0x16B2D50});
    CHECK(read.tables.size() == 2);
    CHECK(read.estimated_bytes == std::vector<std::uint64_t>{8192, 0});
    CHECK(encode(read) == begin);

    const std::string end = "{\"epoch\":1,\"consistent_point\":\"0/16B2D50\",\"rows\":2}\n";
    CHECK(decode_snapshot_end(end).rows == 2);
    CHECK_FALSE(decode_snapshot_end(end).called_off);
    CHECK(encode(decode_snapshot_end(end)) == end);
    const std::string discarded = "{\"epoch\":4,\"consistent_point\":\"0/16B2D50\",\"rows\":0,\"called_off\":true}\n";
    CHECK(decode_snapshot_end(discarded).called_off);
    CHECK(encode(decode_snapshot_end(discarded)) == discarded);

    const std::string progress = "{\"lsn\":\"0/16B2E00\",\"time_us\":781234567890123}\n";
    CHECK(decode_progress(progress).lsn == Lsn{0x16B2E00});
    CHECK(encode(decode_progress(progress)) == progress);
}

TEST_CASE("stored: a DDL message") {
    const std::string with_ancestors =
        R"({"event":"ddl_command_end","tag":"ALTER TABLE","command":"ALTER TABLE users ADD COLUMN born date","search_path":"public","objects":[{"type":"table","identity":"public.users","schema":"public","table":"users","ancestors":[]}]})";
    CHECK(decode_ddl(with_ancestors).objects[0].ancestors->empty());
    CHECK(encode(decode_ddl(with_ancestors)) == with_ancestors);
    // Written before there were ancestors.
    const std::string without =
        R"({"event":"sql_drop","tag":"DROP INDEX","command":"","search_path":"","objects":[{"type":"index","identity":"public.i","schema":"public","table":""}]})";
    CHECK_FALSE(decode_ddl(without).objects[0].ancestors);
    CHECK(encode(decode_ddl(without)) == without);
}

TEST_CASE("stored: the bucket's keys") {
    const std::string worker =
        R"({"sink":"postgres","applied":{"resume_seq":9,"position":"0/16B2D50:12"},"durable":{"resume_seq":7,"position":"0/16B2D00:1"},"registered_us":781234567890123,"reported_us":781234567990123,"session":"1f3870be274f6c49"})";
    const WorkerEntry entry = decode_worker("main", worker);
    CHECK(entry.applied == Checkpoint{{9}, {Lsn{0x16B2D50}, 12}});
    CHECK(entry.durable == Checkpoint{{7}, {Lsn{0x16B2D00}, 1}});
    CHECK(entry.loading_epoch == 0);
    CHECK(encode(entry) == worker);
    const std::string loading =
        R"({"sink":"file","applied":{"resume_seq":2,"position":"0/0:0"},"durable":{"resume_seq":2,"position":"0/0:0"},"loading_epoch":3,"begin_seq":2,"registered_us":1,"reported_us":2,"session":""})";
    CHECK(decode_worker("main", loading).begin_seq == StreamSeq{2});
    CHECK(encode(decode_worker("main", loading)) == loading);

    const std::string start = R"({"epoch":2,"seq":1041,"consistent_point":"0/16B2D50"})";
    CHECK(decode_snapshot_start(start) == SnapshotStart{2, {1041}, Lsn{0x16B2D50}});
    CHECK(encode(decode_snapshot_start(start)) == start);

    const std::string cutover = R"({"lsn":"0/16B2D50","at_us":781234567890123,"writes_stopped":true})";
    CHECK(decode_cutover(cutover) == CutoverRecord{Lsn{0x16B2D50}, 781234567890123, true});
    CHECK(encode(decode_cutover(cutover)) == cutover);

    const std::string tables = std::string("{\"tables\":[") + users + ",\n" + part + "]}";
    CHECK(decode_tables(tables).now.size() == 2);
    CHECK(encode(decode_tables(tables)) == tables);
    const std::string former =
        std::string("{\"tables\":[") + users +
        "],\n\"former\":[{\"oid\":16500,\"schema\":\"public\",\"table\":\"gone\",\"identity\":\"d\",\"columns\":[]}]}";
    CHECK(decode_tables(former).former[0].table == "gone");
    CHECK(encode(decode_tables(former)) == former);

    const std::string seen =
        std::string(
            R"({"accepted":[{"from":"0/16B2D50:1","ruled":[{"name":"email"}],"names":[{"number":1,"name":"id"},{"number":2,"name":"email"}],"relation":)") +
        users + "}],\n\"refused\":" + part + "}";
    const TableHistory history = decode_seen_table(seen);
    CHECK(history.accepted[0].from == Position{Lsn{0x16B2D50}, 1});
    CHECK(history.accepted[0].names.at(2) == "email");
    CHECK(history.refused->table == "orders_2026");
    CHECK(encode(history) == seen);
}
