// From pgoutput messages to blocks through rules: what they hide is in no block, positions stay those of the source.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "replicator/wal/encoder.h"
#include "sql/error.h"
#include "stream/format/block_reader.h"
#include "stream/heartbeat.h"
#include "tests/support/text.h"
#include "tests/support/wal_script.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

constexpr const char* rules_text = R"(
tables:
  t:
    - {type: transform, column: note, parameters: {type: mask}}
    - {type: exclude_column, column: ssn}
)";

// Counts which definitions were met.
struct Ruled {
    explicit Ruled(const std::string& text, const ResumePoint& resume = {}) : ruleset(rules_test::load(text)) {
        TypeLookup types;
        types.complete = [](Relation& relation, Lsn, std::uint32_t) {
            for (Column& column : relation.columns) column.type_name = "text", column.base_oid = column.type_oid;
        };
        types.rules = [this](const RelationPtr& relation, Position position) {
            met.push_back(relation->table + " at " + to_string(position));
            return ruleset->accept(relation, position);
        };
        types.ddl_content = [](std::uint32_t, const pgoutput::LogicalMessage& message) {
            return std::optional<std::string>(message.content);
        };
        encoder.emplace(resume, std::move(types));
        encoder->beat_as("g");
    }
    std::string take(const std::vector<std::string>& messages) {
        for (const std::string& message : messages) encoder->take(message);
        return encoder->size() == 0 ? std::string() : std::string(encoder->finish().body);
    }

    std::unique_ptr<Ruleset> ruleset;
    std::vector<std::string> met;
    std::optional<WalEncoder> encoder;
};

const std::string begin = wal_begin(Lsn{0x64}, 7);
const std::string commit = wal_commit(Lsn{0x64}, Lsn{0x70});
const std::string described = wal_relation(1, "t", {"id", "note", "ssn"});

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("rows and old keys are written as the rules leave them, under the definition that they leave") {
    Ruled ruled(rules_text);
    const std::string body = ruled.take({begin, described, wal_insert(1, {"1", "canary", "canary"}),
                                         wal_update(1, {"1", std::nullopt, std::nullopt}, {"2", "scanaryt", "canary"}),
                                         wal_delete(1, {"2", std::nullopt, std::nullopt}), wal_truncate({1}), commit});
    CHECK_FALSE(contains(body, "canary"));
    CHECK_FALSE(contains(body, "ssn"));
    CHECK(contains(body, R"(["I",0,1,["1","c****y"]])"));
    CHECK(contains(body, R"(["U",0,2,["2","s******t"],"k",["1"]])"));
    CHECK(contains(body, R"(["D",0,3,"k",["2"]])"));
    CHECK(contains(body, R"(["T",4,[0],false,false])"));
    CHECK(BlockReader().read(body)->relations[0]->columns.size() == 2);
    CHECK(ruled.met == Texts{"t at 0/64:1"});
}

TEST_CASE("a table without rules is written as it comes") {
    Ruled ruled(rules_text);
    const std::string body = ruled.take({begin, wal_relation(2, "u", {"id"}), wal_insert(2, {"1"}), commit});
    CHECK(contains(body, R"(["I",0,1,["1"]])"));
}

TEST_CASE("rows that a filter leaves out count, and one that leaves it is deleted") {
    Ruled ruled("tables: {t: [{type: filter, column: id, parameters: {operator: eq, value: 'in'}}]}");
    const std::string body = ruled.take({begin, described, wal_insert(1, {"out", "a", "b"}),
                                         wal_update(1, {"in", std::nullopt, std::nullopt}, {"out", "a", "b"}),
                                         wal_update(1, {"out", std::nullopt, std::nullopt}, {"in", "a", "b"}), commit});
    CHECK(contains(body, R"(["D",0,2,"k",["in"]])"));
    CHECK(contains(body, R"(["I",0,3,["in","a","b"]])"));
    CHECK_FALSE(contains(body, R"(["I",0,1)"));
    CHECK(ruled.encoder->reached().position == Position{Lsn{0x64}, 3});
}

TEST_CASE("an update that does not say whether the row was there before stops, for a block cannot say that") {
    Ruled ruled("tables: {t: [{type: filter, column: note, parameters: {operator: eq, value: in}}]}");
    CHECK_THROWS_AS(ruled.take({begin, described, wal_update(1, {}, {"1", "in", "b"})}), Error);
}

TEST_CASE("a rule that does not fit stops before a row is written") {
    Ruled ruled("tables: {t: [{type: exclude_column, column: gone}]}");
    for (const std::string& message : {begin, described}) ruled.encoder->take(message);
    CHECK_THROWS_AS(ruled.encoder->take(wal_insert(1, {"1", "canary", "canary"})), Error);
    CHECK(ruled.encoder->size() == 0);
    CHECK_THROWS_AS(ruled.encoder->take(wal_truncate({1})), Error);
}

TEST_CASE("definitions of which nothing is published are none of the rules' business") {
    // Those that the stream holds already come again, perhaps from before a column got the name that has a rule now.
    Ruled ruled(rules_text, {{Lsn{0x64}, 1}, Lsn{0x10}});
    const std::string old = wal_relation(1, "t", {"id", "remark", "ssn"});
    const std::string body =
        ruled.take({begin, old, wal_insert(1, {"1", "canary", "canary"}), described,
                    wal_insert(1, {"2", "canary", "canary"}), wal_relation(3, "v", {"id"}), commit});
    CHECK(contains(body, R"(["I",0,2,["2","c****y"]])"));
    CHECK(ruled.met == Texts{"t at 0/64:2"});
}

TEST_CASE("a table that is described anew in a block has both definitions there, each as the rules leave it") {
    Ruled ruled(rules_text);
    const std::string body = ruled.take({begin, described, wal_insert(1, {"1", "canary", "canary"}),
                                         wal_relation(1, "t", {"id", "ssn", "note", "more"}),
                                         wal_insert(1, {"2", "canary", "canary", "more"}), commit});
    CHECK_FALSE(contains(body, "canary"));
    CHECK(contains(body, R"(["I",0,1,["1","c****y"]])"));
    CHECK(contains(body, R"(["I",1,2,["2","c****y","more"]])"));
}

TEST_CASE("of other messages only heartbeats are written") {
    Ruled ruled(rules_text);
    const std::string body = ruled.take({begin, wal_message(true, Lsn{0x60}, "pgsluice.note", "canary"),
                                         wal_message(true, Lsn{0x60}, "other", "canary"),
                                         wal_message(true, Lsn{0x60}, heartbeat_prefix, "g"), commit,
                                         wal_message(false, Lsn{0x80}, "pgsluice.note", "canary")});
    CHECK_FALSE(contains(body, "canary"));
    CHECK(contains(body, std::string(heartbeat_prefix)));
}
