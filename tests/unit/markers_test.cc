#include <doctest/doctest.h>

#include "sql/error.h"
#include "stream/format/markers.h"
#include "stream/group/tables.h"
#include "stream/names.h"
#include "tests/support/text.h"

using namespace pgsluice;
using pgsluice::test::contains;

TEST_CASE("markers are read back as they were written") {
    const GroupInfo group{"shop", "7301234567890123456", 3, "sh\"op", "15.18", "0.1.0"};
    CHECK(decode_group(encode(group)) == group);
    const auto end = decode_snapshot_end(encode(SnapshotEnd{7, Lsn{0x16B2D50}, 12345678901}));
    CHECK(end.epoch == 7);
    CHECK(end.consistent_point == Lsn{0x16B2D50});
    CHECK(end.rows == 12345678901);
    CHECK_FALSE(end.called_off);
    CHECK(decode_snapshot_end(encode(SnapshotEnd{7, Lsn{9}, 0, true})).called_off);
    const auto progress = decode_progress(encode(Progress{Lsn{0x1'0000'0001}, -5}));
    CHECK(progress.lsn == Lsn{0x1'0000'0001});
    CHECK(progress.time_us == -5);
    CHECK_FALSE(is_dump_marker(encode(progress)));
    CHECK(is_dump_marker(encode_dump_marker(progress)));
    CHECK(decode_progress(encode_dump_marker(progress)).lsn == progress.lsn);
}

TEST_CASE("a snapshot's tables are read back as they were written") {
    SnapshotBegin begin;
    begin.epoch = 2;
    begin.consistent_point = Lsn{5};
    begin.tables.push_back({16385, "public", "Or\"der ü \xff", ReplicaIdentity::full, {}});
    begin.tables.push_back({16390,
                            "s",
                            "t",
                            ReplicaIdentity::index,
                            {{"id", 20, -1, true, "bigint", 20, 0}, {"tags", 16400, 36, false, "s.tag[]", 16400, 25}}});
    begin.tables.push_back({16391, "s", "d", ReplicaIdentity::nothing, {{"x", 16500, -1, false, "s.dom", 23, 0}}});
    begin.tables[1].columns[1].number = 1600;
    begin.tables[2].ancestors = {{"s", "mid"}, {"t", "ro\"ot"}};
    begin.tables[2].came_as = {{"s", "ro\"ot"}};
    begin.estimated_bytes = {0, 8192, 1ULL << 40};
    const auto read = decode_snapshot_begin(encode(begin));
    CHECK(read.epoch == 2);
    CHECK(read.consistent_point == Lsn{5});
    CHECK(read.tables == begin.tables);
    CHECK(read.estimated_bytes == begin.estimated_bytes);
    const GroupTables tables{{begin.tables[0], begin.tables[1]}, {begin.tables[2]}};
    CHECK(decode_tables(encode(tables)) == tables);
    CHECK(decode_tables(encode(GroupTables{begin.tables, {}})) == GroupTables{begin.tables, {}});
    CHECK(decode_tables(encode(GroupTables{})) == GroupTables{});
}

TEST_CASE("what a table came as before is left out of most definitions, as of those of older builds") {
    SnapshotBegin begin;
    begin.tables.push_back({16385, "public", "p1", ReplicaIdentity::full, {}});
    CHECK(!contains(encode(begin), "came_as"));
    CHECK(decode_snapshot_begin(encode(begin)).tables[0].came_as.empty());
    begin.tables[0].came_as = {{"public", "p"}};
    CHECK(contains(encode(begin), R"("came_as":[{"schema":"public","table":"p"}])"));
}

TEST_CASE("a marker that is not one is a stop error naming the field") {
    CHECK_THROWS_WITH_AS(decode_progress(R"({"lsn":"0/1"})"),
                         "unable to read a progress marker: field 'time_us' is missing", Error);
    CHECK_THROWS_WITH_AS(decode_progress(R"({"lsn":"1","time_us":0})"),
                         "unable to read a progress marker: field 'lsn' is not an LSN", Error);
    CHECK_THROWS_AS(decode_group("[]"), Error);
    CHECK_THROWS_AS(decode_group(""), Error);
    CHECK_THROWS_AS(decode_snapshot_end(R"({"epoch":-1,"consistent_point":"0/1","rows":0})"), Error);
}

TEST_CASE("a group's names") {
    const auto names = names_for("my-shop_1");
    CHECK(names.group == "my_shop_1");
    CHECK(names.stream == "pgsluice_my_shop_1");
    CHECK(names.changes_subject == "pgsluice.my_shop_1.changes");
    CHECK(names.dead_letters == "pgsluice-dlq_my_shop_1");
    CHECK(names_for(std::string(40, 'a')).slot.size() == 49);
    for (const char* wrong : {"", "A", "a.b", "a b", "a*", ">", "ü", "a/b"}) CHECK_THROWS_AS(names_for(wrong), Error);
    CHECK_THROWS_AS(names_for(std::string(41, 'a')), Error);
    CHECK(worker_name("post-gres") == "post_gres");
    CHECK_THROWS_AS(worker_name("x.y"), Error);
}
