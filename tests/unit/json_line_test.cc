#include "sinks/lines/json_line.h"

#include <doctest/doctest.h>

#include <memory>

#include "stream/format/ddl_message.h"

using namespace pgsluice;

namespace {

RelationPtr users(ReplicaIdentity identity = ReplicaIdentity::default_key) {
    auto relation = std::make_shared<Relation>();
    relation->schema = "public";
    relation->table = "users";
    relation->identity = identity;
    const bool full = identity == ReplicaIdentity::full;
    const bool none = identity == ReplicaIdentity::nothing;
    relation->columns = {{"id", 23, -1, !none, "integer", 23, 0},
                         {"name", 25, -1, full, "text", 25, 0},
                         {"bio", 25, -1, full, "text", 25, 0}};
    return relation;
}

const Transaction sample_transaction{771, Lsn{0x16B2D50}, Lsn{0x16B2D80}, 846010800123456};
constexpr std::int64_t sample_now_us = 1795215900000001;

Change change_of(Op op, const Relation& relation) {
    Change change;
    change.op = op;
    change.relation = &relation;
    change.transaction = &sample_transaction;
    change.position = {sample_transaction.commit_lsn, 3};
    return change;
}

std::string line(const Change& change) {
    const auto encoder = make_line_encoder(LineFormat::pg_flo, "shop");
    encoder->set_time(sample_now_us);
    std::string out;
    encoder->append(out, change);
    return out;
}

const std::string line_tail =
    R"("LSN":"0/16B2D50","EmittedAt":"2026-11-20T23:05:00.000001Z","TransactionId":771,"CommitLSN":"0/16B2D50",)"
    R"("CommittedAt":"2026-10-22T19:00:00.123456Z","Snapshot":false,"Ordinal":3)";

std::string head(const std::string& type, const std::string& key = R"({"Type":"PRIMARY KEY","Columns":["id"]})") {
    return R"({"Type":")" + type + R"(","Schema":"public","Table":"users","ReplicationKey":)" + key + "," + line_tail;
}

}  // namespace

TEST_CASE("insert: NULL and the empty string stay two things") {
    const auto relation = users();
    const Value row[] = {Value("7"), Value(""), Value()};
    Change change = change_of(Op::insert, *relation);
    change.new_row = row;
    CHECK(line(change) == head("INSERT") + R"(,"NewTuple":{"id":7,"name":"","bio":null}})" + "\n");
}

TEST_CASE("update: an unchanged value is left out and named") {
    const auto relation = users();
    const Value row[] = {Value("7"), Value("Zoë"), Value::unchanged()};
    Change change = change_of(Op::update, *relation);
    change.new_row = row;
    CHECK(line(change) == head("UPDATE") + R"(,"NewTuple":{"id":7,"name":"Zoë"},"UnchangedToast":["bio"]})" + "\n");
}

TEST_CASE("update: several unchanged, also the first column") {
    const auto relation = users();
    const Value row[] = {Value::unchanged(), Value("x"), Value::unchanged()};
    Change change = change_of(Op::update, *relation);
    change.new_row = row;
    CHECK(line(change) == head("UPDATE") + R"(,"NewTuple":{"name":"x"},"UnchangedToast":["id","bio"]})" + "\n");
}

TEST_CASE("update of the key carries the old key alone") {
    const auto relation = users();
    const Value row[] = {Value("8"), Value("a"), Value("b")};
    const Value old[] = {Value("7"), Value(), Value()};
    Change change = change_of(Op::update, *relation);
    change.new_row = row;
    change.old_row = old;
    change.old_kind = OldRow::key;
    CHECK(line(change) == head("UPDATE") + R"(,"NewTuple":{"id":8,"name":"a","bio":"b"},"OldTuple":{"id":7}})" + "\n");
}

TEST_CASE("delete: by key, and the whole row under REPLICA IDENTITY FULL") {
    const auto relation = users();
    const Value key[] = {Value("7"), Value(), Value()};
    Change change = change_of(Op::del, *relation);
    change.old_row = key;
    change.old_kind = OldRow::key;
    CHECK(line(change) == head("DELETE") + R"(,"OldTuple":{"id":7}})" + "\n");

    const auto full = users(ReplicaIdentity::full);
    const Value old[] = {Value("7"), Value("a"), Value()};
    change = change_of(Op::del, *full);
    change.old_row = old;
    change.old_kind = OldRow::full;
    CHECK(line(change) == head("DELETE", R"({"Type":"FULL","Columns":["id","name","bio"]})") +
                              R"(,"OldTuple":{"id":7,"name":"a","bio":null}})" + "\n");
}

TEST_CASE("keys: an index other than the primary key, and none at all") {
    const auto index = users(ReplicaIdentity::index);
    const Value row[] = {Value("7"), Value(), Value()};
    Change change = change_of(Op::insert, *index);
    change.new_row = row;
    CHECK(line(change).find(R"("ReplicationKey":{"Type":"UNIQUE","Columns":["id"]})") != std::string::npos);
    const auto none = users(ReplicaIdentity::nothing);
    change.relation = none.get();
    CHECK(line(change).find(R"("ReplicationKey":{"Type":"FULL","Columns":["id","name","bio"]})") != std::string::npos);
}

TEST_CASE("truncate: a line per table") {
    const auto a = users();
    auto other = std::make_shared<Relation>(*users());
    other->table = "a\"b";
    const RelationPtr tables[] = {a, other};
    Change change = change_of(Op::truncate, *a);
    change.truncated = tables;
    std::string out;
    const auto encoder = make_line_encoder(LineFormat::pg_flo, "shop");
    encoder->set_time(sample_now_us);
    CHECK(encoder->append(out, change) == 2);
    std::string second = head("TRUNCATE");
    second.replace(second.find("\"users\""), 7, R"("a\"b")");
    CHECK(out == head("TRUNCATE") + "}\n" + second + "}\n");
}

TEST_CASE("a snapshot row is an insert outside any transaction") {
    const auto relation = users();
    const Value row[] = {Value("7"), Value("a"), Value()};
    Change change = change_of(Op::insert, *relation);
    change.snapshot = true;
    change.transaction = nullptr;
    change.new_row = row;
    CHECK(
        line(change) ==
        R"({"Type":"INSERT","Schema":"public","Table":"users","ReplicationKey":{"Type":"PRIMARY KEY","Columns":["id"]},)"
        R"("LSN":"0/16B2D50","EmittedAt":"2026-11-20T23:05:00.000001Z","Snapshot":true,"Ordinal":3,)"
        R"("NewTuple":{"id":7,"name":"a","bio":null}})"
        "\n");
}

TEST_CASE("DDL messages are lines, other messages are not") {
    Change change;
    change.op = Op::message;
    change.transaction = &sample_transaction;
    change.position = {sample_transaction.commit_lsn, 3};
    change.prefix = ddl_message_prefix;
    const std::string content = encode(DdlMessage{"ddl_command_end",
                                                  "ALTER TABLE",
                                                  "ALTER TABLE \"users\" ADD x int",
                                                  "public",
                                                  {{"table", "public.users", "public", "users"}},
                                                  ""});
    change.content = content;
    CHECK(line(change) == R"({"Type":"DDL","Schema":"public","Table":"users",)" + line_tail +
                              R"(,"Command":"ALTER TABLE","NewTuple":{"event_type":"ddl_command_end",)"
                              R"("object_type":"table","object_identity":"public.users",)"
                              R"("ddl_command":"ALTER TABLE \"users\" ADD x int",)"
                              R"("created_at":"2026-10-22T19:00:00.123456Z"}})"
                              "\n");
    change.prefix = "outbox";
    CHECK(line(change).empty());
}

TEST_CASE("the next transaction, a snapshot row and a new time are rendered again") {
    const auto relation = users();
    const Value row[] = {Value("7"), Value("a"), Value()};
    const auto encoder = make_line_encoder(LineFormat::pg_flo, "shop");
    encoder->set_time(sample_now_us);
    Change change = change_of(Op::insert, *relation);
    change.new_row = row;
    std::string out;
    encoder->append(out, change);
    out.clear();
    const Transaction next{772, Lsn{0x16B2E00}, Lsn{0x16B2E30}, 0};
    change.transaction = &next;
    change.position = {next.commit_lsn, 1};
    encoder->append(out, change);
    CHECK(out.find(R"("TransactionId":772,"CommitLSN":"0/16B2E00","CommittedAt":"2000-01-01T00:00:00.000000Z")") !=
          std::string::npos);
    CHECK(out.find(R"("Ordinal":1,)") != std::string::npos);
    out.clear();
    encoder->set_time(sample_now_us + 1000000);
    encoder->append(out, change);
    CHECK(out.find(R"("EmittedAt":"2026-11-20T23:05:01.000001Z")") != std::string::npos);
    out.clear();
    change.snapshot = true;
    change.transaction = nullptr;
    encoder->append(out, change);
    CHECK(out.find("TransactionId") == std::string::npos);
}

TEST_CASE("identifiers are escaped, a table without columns is an empty object") {
    auto relation = std::make_shared<Relation>();
    relation->schema = "my\"schema";
    relation->table = "ü";
    Change change = change_of(Op::insert, *relation);
    CHECK(line(change) ==
          R"({"Type":"INSERT","Schema":"my\"schema","Table":"ü","ReplicationKey":{"Type":"FULL","Columns":[]},)" +
              line_tail + R"(,"NewTuple":{}})" + "\n");
}

TEST_CASE("the snapshot's begin names its epoch and tables") {
    SnapshotBegin begin;
    begin.epoch = 2;
    begin.consistent_point = Lsn{0x16B2D50};
    std::string out;
    make_line_encoder(LineFormat::pg_flo, "shop")->append_snapshot_begin(out, begin, {nullptr, users(), users()});
    CHECK(out == R"({"Type":"SNAPSHOT","Epoch":2,"LSN":"0/16B2D50","Tables":[{"Schema":"public","Table":"users"},)"
                 R"({"Schema":"public","Table":"users"}]})"
                 "\n");
    out.clear();
    make_line_encoder(LineFormat::pg_flo, "shop")->append_snapshot_begin(out, begin, {});
    CHECK(out == R"({"Type":"SNAPSHOT","Epoch":2,"LSN":"0/16B2D50","Tables":[]})"
                 "\n");
}
