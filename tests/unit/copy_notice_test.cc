// What a reader of lines is told when single tables are copied again.
#include "sinks/lines/copy_notice.h"

#include <doctest/doctest.h>

#include <memory>

using namespace pgsluice;

namespace {

RelationPtr table(const char* name) {
    return std::make_shared<const Relation>(Relation{1, "public", name, ReplicaIdentity::default_key, {}});
}

SnapshotBegin joined(std::uint64_t epoch, std::vector<std::uint32_t> replaces) {
    SnapshotBegin begin;
    begin.epoch = epoch;
    begin.consistent_point = Lsn{epoch * 100};
    begin.added = true;
    begin.replaces = std::move(replaces);
    return begin;
}

}  // namespace

TEST_CASE("tables that are copied again are named, tables that only joined are not") {
    CopyNotice notice("printed");
    const auto encoder = make_line_encoder(LineFormat::pg_flo, "shop");
    std::string out;
    CHECK(notice.begin(out, *encoder, joined(2, {}), {table("a")}, {}).empty());
    CHECK(out.empty());
    const std::string warning = notice.begin(out, *encoder, joined(3, {1}), {table("a"), table("b")}, {});
    CHECK(warning == "tables are copied again: the rows of them that were printed before are void");
    CHECK(out.find(R"("Tables":[{"Schema":"public","Table":"b"}])") != std::string::npos);
}

TEST_CASE("after an interruption the tables of both copies are named, each once") {
    CopyNotice notice("printed");
    const auto encoder = make_line_encoder(LineFormat::pg_flo, "shop");
    std::string out;
    notice.begin(out, *encoder, joined(2, {}), {table("a")}, {});
    SinkState loading;
    loading.loading_epoch = 2;
    CHECK(notice.begin(out, *encoder, joined(3, {0, 1}), {table("a"), table("b")}, loading).find("was interrupted") !=
          std::string::npos);
    CHECK(out.find(R"("Tables":[{"Schema":"public","Table":"a"},{"Schema":"public","Table":"b"}])") !=
          std::string::npos);
}

TEST_CASE("a table that a route leaves out is not named") {
    CHECK(replaced_tables(joined(3, {0, 1}), {nullptr, table("b")}).size() == 1);
}
