#include "sinks/postgres/apply/net_changes.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/support/sink_feed.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

struct Folding {
    RelationPtr table = make_relation("s", "t", {"id int*", "v text", "w text"});
    SinkFeed feed;
    NetChanges fold;

    void insert(const char* id, const char* v) { feed.insert(table, {text(id), text(v), text("w")}); }
    void update(const char* id, const Value& v, const Value& w = text("w")) { feed.update(table, {text(id), v, w}); }
    void move(const char* from, const char* to) {
        feed.update(table, OldRow::key, {text(from), null_value, null_value}, {text(to), text("v"), text("w")});
    }
    void remove(const char* id) { feed.remove(table, OldRow::key, {text(id), null_value, null_value}); }

    // "d1 u2=v,w? i3=v,w" or "order"; ? marks an unchanged value.
    std::string run() {
        const Batch& batch = feed.complete();
        std::vector<const Change*> changes;
        for (const Change& change : batch.changes) changes.push_back(&change);
        const std::vector<int> key{0};
        if (!fold.fold(key, changes)) return "order";
        std::string out;
        const auto value = [](const Value& v) { return v.is_unchanged() ? "?" : std::string(v.text()); };
        const auto row = [&](char what, Row r) {
            out +=
                (out.empty() ? "" : " ") + std::string(1, what) + value(r[0]) + "=" + value(r[1]) + "," + value(r[2]);
        };
        for (const Row r : fold.deletes()) out += (out.empty() ? "d" : " d") + value(r[0]);
        for (const auto& u : fold.updates()) row(u.partial ? 'p' : 'u', u.row);
        for (const Row r : fold.inserts()) row('i', r);
        return out;
    }
};

}  // namespace

TEST_CASE("changes of a key come to their net effect") {
    Folding f;
    SUBCASE("the last update wins") {
        f.update("1", text("a"));
        f.update("2", text("x"));
        f.update("1", text("b"));
        CHECK(f.run() == "u1=b,w u2=x,w");
    }
    SUBCASE("an insert takes its updates in") {
        f.insert("1", "a");
        f.update("1", text("b"), unchanged_value);
        CHECK(f.run() == "i1=b,w");
    }
    SUBCASE("an insert and its delete leave a delete that normally meets nothing") {
        f.insert("1", "a");
        f.remove("1");
        CHECK(f.run() == "d1");
        CHECK(f.fold.passing_deletes() == 1);
    }
    SUBCASE("a delete after updates is a delete") {
        f.update("1", text("a"));
        f.remove("1");
        CHECK(f.run() == "d1");
        CHECK(f.fold.passing_deletes() == 0);
    }
    SUBCASE("a key used again is deleted and inserted") {
        f.remove("1");
        f.insert("1", "a");
        f.update("1", text("b"));
        CHECK(f.run() == "d1 i1=b,w");
    }
    SUBCASE("a key used again and deleted is deleted") {
        f.remove("1");
        f.insert("1", "a");
        f.remove("1");
        CHECK(f.run() == "d1");
        CHECK(f.fold.passing_deletes() == 0);
    }
}

TEST_CASE("unchanged values are neither lost nor made up") {
    Folding f;
    SUBCASE("what an earlier update knew stays known") {
        f.update("1", text("a"), text("long"));
        f.update("1", text("b"), unchanged_value);
        CHECK(f.run() == "u1=b,long");
    }
    SUBCASE("what none knew stays unchanged") {
        f.update("1", text("a"), unchanged_value);
        f.update("1", text("b"), unchanged_value);
        CHECK(f.run() == "p1=b,?");
    }
    SUBCASE("a later value makes the row whole") {
        f.update("1", text("a"), unchanged_value);
        f.update("1", unchanged_value, text("long"));
        CHECK(f.run() == "u1=a,long");
    }
}

TEST_CASE("what cannot be proved keeps its order") {
    Folding f;
    SUBCASE("a key changes") {
        f.update("1", text("a"));
        f.move("1", "2");
    }
    SUBCASE("an insert meets a row of ours") {
        f.insert("1", "a");
        f.insert("1", "b");
    }
    SUBCASE("an update follows a delete") {
        f.remove("1");
        f.update("1", text("a"));
    }
    SUBCASE("a delete follows a delete") {
        f.remove("1");
        f.remove("1");
    }
    CHECK(f.run() == "order");
}

TEST_CASE("an old row that names the same key is no key change") {
    Folding f;
    f.feed.update(f.table, OldRow::full, {text("1"), text("a"), text("long")}, {text("1"), text("b"), unchanged_value});
    CHECK(f.run() == "u1=b,long");
}

TEST_CASE("keys that look alike are told apart") {
    const auto table = make_relation("s", "t", {"a text*", "b text*"});
    SinkFeed feed;
    feed.remove(table, OldRow::key, {text("x"), text("yz")}).remove(table, OldRow::key, {text("xy"), text("z")});
    const Batch& batch = feed.complete();
    const std::vector<const Change*> changes{&batch.changes[0], &batch.changes[1]};
    const std::vector<int> key{0, 1};
    NetChanges fold;
    REQUIRE(fold.fold(key, changes));
    CHECK(fold.deletes().size() == 2);
}
