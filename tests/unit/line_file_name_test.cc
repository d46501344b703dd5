#include "sinks/file/line_file_name.h"

#include <doctest/doctest.h>

using namespace pgsluice;
using Kind = LineFileName::Kind;

TEST_CASE("a name holds the time and the first change's position") {
    CHECK(line_file_name(1795215901123456, {Lsn{0x16B2D50}, 12}, false) ==
          "20261120T230501.123456Z-00000000016B2D50-12.jsonl");
    CHECK(line_file_name(1795215901123456, {Lsn{0xA00000001}, 1}, true) ==
          "20261120T230501.123456Z-0000000A00000001-1.jsonl.zst");
}

TEST_CASE("names sort in the order of their times") {
    CHECK(line_file_name(999999, {Lsn{2}, 1}, false) < line_file_name(1000000, {Lsn{1}, 1}, false));
    CHECK(line_file_name(1795215901123456, {Lsn{2}, 1}, false) < line_file_name(1795215901123457, {Lsn{1}, 1}, true));
}

TEST_CASE("names read back") {
    for (const bool zstd : {false, true}) {
        const std::string name = line_file_name(1795215901123456, {Lsn{0x16B2D50}, 12345}, zstd);
        CHECK(is_zstd_name(name) == zstd);
        CHECK(parse_line_file_name(name).kind == Kind::finished);
        CHECK(parse_line_file_name(name).finished == name);
        CHECK(parse_line_file_name(name + ".part").kind == Kind::part);
        CHECK(parse_line_file_name(name + ".part").finished == name);
        CHECK(parse_line_file_name(name + ".snapshot-42").kind == Kind::snapshot);
        CHECK(parse_line_file_name(name + ".snapshot-42").finished == name);
        CHECK(parse_line_file_name(name + ".snapshot-42").epoch == 42);
    }
}

TEST_CASE("what is not ours is left alone") {
    const std::string name = line_file_name(1795215901123456, {Lsn{0x16B2D50}, 12}, false);
    for (const std::string& foreign :
         {std::string("pgsluice.state"), std::string("notes.jsonl"), std::string("x.part"), std::string(""),
          std::string(".part"), "x" + name, name + ".bak", name + ".snapshot-", name + ".snapshot-1x", name.substr(1),
          name + ".part.part"}) {
        CAPTURE(foreign);
        CHECK(parse_line_file_name(foreign).kind == Kind::foreign);
    }
}
