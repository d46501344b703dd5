// A batch's changes as versions of rows: what comes to one version, and what is written after what.
#include "sinks/postgres/history/versions.h"

#include <doctest/doctest.h>

#include <string>

#include "sinks/postgres/history/version_statements.h"
#include "tests/support/sink_feed.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

RelationPtr history_of(bool every_change) {
    auto made = *make_relation("s", "t", {"id int*", "v text", "w text"});
    made.keeping.mode = Keeping::Mode::history;
    made.keeping.history.every_change = every_change;
    return std::make_shared<const Relation>(made);
}

TargetMapping mapping_of(const Relation& relation) {
    TargetTable table;
    table.name = table.only = "s.t";
    for (const Column& column : relation.columns) {
        TargetColumn& target = table.columns.emplace_back();
        target.name = target.quoted = column.name;
        target.type = "text";
    }
    return {relation, table};
}

struct VersionsOf {
    explicit VersionsOf(bool every_change = false) : table(history_of(every_change)), mapping(mapping_of(*table)) {}

    RelationPtr table;
    TargetMapping mapping;
    SinkFeed feed;
    Versions versions;

    VersionsOf& insert(const char* id, const char* v) {
        feed.insert(table, {text(id), text(v), text("w")});
        return *this;
    }
    VersionsOf& update(const char* id, const char* v, const Value& w = unchanged_value) {
        feed.update(table, {text(id), text(v), w});
        return *this;
    }
    VersionsOf& move(const char* from, const char* to) {
        feed.update(table, OldRow::key, {text(from), null_value, null_value}, {text(to), text("m"), unchanged_value});
        return *this;
    }
    VersionsOf& remove(const char* id) {
        feed.remove(table, OldRow::key, {text(id), null_value, null_value});
        return *this;
    }
    VersionsOf& then() {
        feed.next_transaction();
        return *this;
    }

    // "u1=a? d2 | i1=b": layers, of which each holds removals, updates, inserts and moves; ? where `w` is not known.
    std::string run() {
        const Batch& batch = feed.complete();
        std::vector<const Change*> changes;
        for (const Change& change : batch.changes) changes.push_back(&change);
        std::string out;
        const auto add = [&](char what, Row row, const char* more = "") {
            CHECK(row.size() == 4);  // with the time
            CHECK(row[3].text().ends_with('Z'));
            out += (out.empty() || out.ends_with(' ') ? "" : " ") + std::string(1, what) + std::string(row[0].text());
            if (what != 'd') out += "=" + std::string(row[1].text()) + more;
        };
        for (const Versions::Layer& layer : versions.of(mapping, changes)) {
            if (!out.empty()) out += " | ";
            for (const Row row : layer.removed) add('d', row);
            for (const auto& [sent, rows] : layer.updated)
                for (const Row row : rows) add('u', row, sent[2] ? "" : "?");
            for (const Row row : layer.inserted) add('i', row);
            for (const auto& moved : layer.moved) {
                add('m', moved.row);
                out += "<" + std::string(moved.key_row[0].text());
            }
        }
        return out;
    }
};

}  // namespace

TEST_CASE("one transaction makes one version of a key") {
    VersionsOf k;
    SUBCASE("updates") { CHECK(k.update("1", "a").update("1", "b").run() == "u1=b?"); }
    SUBCASE("an insert and updates") { CHECK(k.insert("1", "a").update("1", "b").run() == "i1=b"); }
    SUBCASE("what it makes and deletes is nothing") { CHECK(k.insert("1", "a").remove("1").run().empty()); }
    SUBCASE("deleted and inserted again") { CHECK(k.remove("1").insert("1", "b").run() == "i1=b"); }
    SUBCASE("updated and deleted") { CHECK(k.update("1", "a").remove("1").run() == "d1"); }
    SUBCASE("other keys") { CHECK(k.remove("3").update("1", "a", text("w")).insert("2", "b").run() == "d3 u1=a i2=b"); }
    SUBCASE("a moved key: all in order") {
        CHECK(k.update("1", "a").move("1", "2").update("2", "b").run() == "u1=a? | m2=m<1 | u2=b?");
    }
}

TEST_CASE("versions of a key follow each other, those of others stand side by side") {
    VersionsOf k;
    CHECK(
        k.update("1", "a").then().update("1", "b").update("2", "c").then().remove("1").then().insert("1", "d").run() ==
        "u1=a? u2=c? | u1=b? | d1 | i1=d");
}

TEST_CASE("a version for each change, where that is asked for") {
    VersionsOf k(true);
    CHECK(k.update("1", "a").update("1", "b").run() == "u1=a? | u1=b?");
}

TEST_CASE("a time is the transaction's, to the microsecond") {
    CHECK(timestamptz_text(0) == "2000-01-01T00:00:00.000000Z");
    CHECK(timestamptz_text(845596800123456) == "2026-10-18T00:00:00.123456Z");
}
