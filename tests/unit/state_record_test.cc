#include "sinks/file/state_record.h"

#include <doctest/doctest.h>

using namespace pgsluice;

namespace {

StateRecord example() {
    StateRecord record;
    record.group = "shop";
    record.state = {{StreamSeq{12}, {Lsn{0x16B2D50}, 3}}, 2, StreamSeq{4}};
    record.more = {{"open", "a.jsonl"}, {"length", "1048576"}};
    return record;
}

}  // namespace

TEST_CASE("a record reads back as it was written") {
    const auto read = parse_state(to_text(example()));
    REQUIRE(read);
    CHECK(read->group == "shop");
    CHECK(read->state == example().state);
    CHECK(read->more == example().more);
    CHECK(read->number("length") == 1048576);
    CHECK(read->number("missing") == 0);
    CHECK(read->text("open") == "a.jsonl");
}

TEST_CASE("empty fields and what follows the record do not matter") {
    StateRecord record;
    record.more = {{"open", ""}};
    const auto read = parse_state(to_text(record) + "   garbage");
    REQUIRE(read);
    CHECK(read->group.empty());
    CHECK(read->text("open").empty());
}

TEST_CASE("a record torn anywhere, or changed anywhere, is none") {
    const std::string whole = to_text(example());
    for (std::size_t length = 0; length < whole.size(); ++length) CHECK_FALSE(parse_state(whole.substr(0, length)));
    for (std::size_t at = 0; at < whole.size(); ++at) {
        std::string changed = whole;
        changed[at] ^= 1;
        CHECK_FALSE(parse_state(changed));
    }
}
