#include "sinks/lines/debezium_line.h"

#include <doctest/doctest.h>

#include <cstdlib>

using namespace pgsluice;

namespace {

const RelationPtr& users() {
    static const RelationPtr relation = [] {
        auto made = std::make_shared<Relation>();
        made->schema = "public";
        made->table = "users";
        made->columns = {{"id", 23, -1, true, "integer", 23, 0}, {"bio", 25, -1, false, "text", 25, 0}};
        return made;
    }();
    return relation;
}

const Transaction sample_transaction{771, Lsn{24023128}, Lsn{24023200}, 846010800123456};
constexpr std::int64_t sample_now_us = 1795215900000999;

Change change_of(Op op) {
    Change change;
    change.op = op;
    change.relation = users().get();
    change.transaction = &sample_transaction;
    change.position = {sample_transaction.commit_lsn, 3};
    return change;
}

std::unique_ptr<LineEncoder> shop_encoder() {
    auto encoder = make_line_encoder(LineFormat::debezium, "shop");
    encoder->set_database(R"(sales "eu")");
    encoder->set_time(sample_now_us);
    return encoder;
}

std::string line(const Change& change) {
    std::string out;
    shop_encoder()->append(out, change);
    return out;
}

// The whole line: every field of the envelope, the `order`th event of its table.
std::string envelope(const std::string& op, const std::string& rest, int order = 1) {
    return R"({"op":")" + op +
           R"(","source":{"version":")" PGSLUICE_VERSION R"(","connector":"postgresql","name":"shop",)"
           R"("ts_ms":1792695600123,"ts_us":1792695600123456,"ts_ns":1792695600123456000,)"
           R"("snapshot":"false","db":"sales \"eu\"","sequence":"[\"24023128\",\"24023128\"]",)"
           R"("lsn":24023128,"xmin":null,"txId":771,"schema":"public","table":"users"},)"
           R"("ts_ms":1795215900000,"ts_us":1795215900000999,"ts_ns":1795215900000999000,)"
           R"("transaction":{"id":"771:24023128","total_order":3,"data_collection_order":)" +
           std::to_string(order) + "}," + rest + "}\n";
}

}  // namespace

TEST_CASE("c: after, and before is null") {
    const Value row[] = {Value("7"), Value("")};
    Change change = change_of(Op::insert);
    change.new_row = row;
    CHECK(line(change) == envelope("c", R"("before":null,"after":{"id":7,"bio":""})"));
}

TEST_CASE("u: an unchanged value has Debezium's placeholder; before where the old row is known") {
    const Value row[] = {Value("7"), Value::unchanged()};
    Change change = change_of(Op::update);
    change.new_row = row;
    CHECK(line(change) == envelope("u", R"("before":null,"after":{"id":7,"bio":"__debezium_unavailable_value"})"));
    const Value old[] = {Value("6"), Value("b")};
    change.old_row = old;
    change.old_kind = OldRow::full;
    CHECK(line(change) ==
          envelope("u", R"("before":{"id":6,"bio":"b"},"after":{"id":7,"bio":"__debezium_unavailable_value"})"));
}

TEST_CASE("d: before holds the key, after is null") {
    const Value old[] = {Value("7"), Value()};
    Change change = change_of(Op::del);
    change.old_row = old;
    change.old_kind = OldRow::key;
    CHECK(line(change) == envelope("d", R"("before":{"id":7},"after":null)"));
}

TEST_CASE("a new key: d with the old one, then c with the whole new row, as Debezium has it") {
    const Value old[] = {Value("7"), Value()};
    const Value row[] = {Value("8"), Value("b")};
    Change change = change_of(Op::update);
    change.old_row = old;
    change.old_kind = OldRow::key;
    change.new_row = row;
    CHECK(line(change) == envelope("d", R"("before":{"id":7},"after":null)", 1) +
                              envelope("c", R"("before":null,"after":{"id":8,"bio":"b"})", 2));
    std::string out;
    CHECK(shop_encoder()->append(out, change) == 2);
}

TEST_CASE("data_collection_order counts a transaction's events table by table, over versions of a table") {
    Relation wider = *users();
    wider.columns.push_back({"email", 25, -1, false, "text", 25, 0});
    Relation orders = *users();
    orders.table = "orders";
    const Value row[] = {Value("7"), Value("a"), Value("c")};
    const auto encoder = shop_encoder();
    const auto order_of = [&](const Relation& relation, const Transaction& transaction, std::uint64_t ordinal) {
        Change change = change_of(Op::insert);
        change.relation = &relation;
        change.transaction = &transaction;
        change.position = {transaction.commit_lsn, ordinal};
        change.new_row = Row(row).first(relation.columns.size());
        std::string out;
        encoder->append(out, change);
        CHECK(out.find("\"total_order\":" + std::to_string(ordinal) + ",") != std::string::npos);
        const std::string field = "\"data_collection_order\":";
        return std::atoi(out.c_str() + out.find(field) + field.size());
    };
    const Transaction next{772, Lsn{24023300}, Lsn{24023400}, 846010800123457};
    CHECK(order_of(*users(), sample_transaction, 1) == 1);
    CHECK(order_of(orders, sample_transaction, 2) == 1);
    CHECK(order_of(*users(), sample_transaction, 3) == 2);
    CHECK(order_of(wider, sample_transaction, 4) == 3);
    CHECK(order_of(orders, sample_transaction, 7) == 2);
    CHECK(order_of(orders, next, 1) == 1);
    CHECK(order_of(*users(), next, 2) == 1);
}

TEST_CASE("a non-transactional message has neither txId nor transaction") {
    Change change = change_of(Op::message);
    change.relation = nullptr;
    change.transaction = nullptr;
    change.prefix = "p";
    const std::string text = line(change);
    CHECK(text.find(R"("txId":null,"schema":"","table":"")") != std::string::npos);
    CHECK(text.find(R"("transaction":null,"message":)") != std::string::npos);
}

TEST_CASE("t: a line per table") {
    const RelationPtr tables[] = {users(), users()};
    Change change = change_of(Op::truncate);
    change.truncated = tables;
    const std::string rest = R"("before":null,"after":null)";
    CHECK(line(change) == envelope("t", rest, 1) + envelope("t", rest, 2));
}

TEST_CASE("r: a row of the initial copy belongs to no transaction") {
    const Value row[] = {Value("7"), Value()};
    Change change = change_of(Op::insert);
    change.new_row = row;
    change.snapshot = true;
    change.transaction = nullptr;
    CHECK(line(change) == R"({"op":"r","source":{"version":")" PGSLUICE_VERSION
                          R"(","connector":"postgresql","name":"shop",)"
                          R"("ts_ms":1795215900000,"ts_us":1795215900000999,"ts_ns":1795215900000999000,)"
                          R"("snapshot":"true","db":"sales \"eu\"","sequence":"[\"24023128\",\"24023128\"]",)"
                          R"("lsn":24023128,"xmin":null,"txId":null,"schema":"public","table":"users"},)"
                          R"("ts_ms":1795215900000,"ts_us":1795215900000999,"ts_ns":1795215900000999000,)"
                          R"("transaction":null,"before":null,"after":{"id":7,"bio":null}})"
                          "\n");
}

TEST_CASE("m: messages carry their bytes in base64") {
    Change change = change_of(Op::message);
    change.relation = nullptr;
    change.prefix = "pgsluice.ddl";
    for (const auto& [content, base64] :
         {std::pair{"", ""}, {"D", "RA=="}, {"DR", "RFI="}, {"DROP \xff", "RFJPUCD/"}}) {
        change.content = content;
        CHECK(line(change).ends_with(R"("message":{"prefix":"pgsluice.ddl","content":")" + std::string(base64) +
                                     "\"}}\n"));
    }
    std::string out;
    SnapshotBegin begin;
    begin.epoch = 2;
    make_line_encoder(LineFormat::debezium, "shop")->append_snapshot_begin(out, begin, {});
    CHECK(out.find(R"("message":{"prefix":"pgsluice.snapshot","content":"eyJlcG9jaCI6Mn0="}})") != std::string::npos);
    begin.added = true;  // {"epoch":2,"tables":[]}
    out.clear();
    make_line_encoder(LineFormat::debezium, "shop")->append_snapshot_begin(out, begin, {nullptr});
    CHECK(out.find(R"("content":"eyJlcG9jaCI6MiwidGFibGVzIjpbXX0="}})") != std::string::npos);
}
