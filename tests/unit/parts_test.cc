// Headers and parts of messages.
#include <doctest/doctest.h>

#include <cstdlib>
#include <map>
#include <string>

#include "sql/error.h"
#include "stream/format/body_check.h"
#include "stream/format/headers.h"
#include "stream/format/part_assembly.h"

using namespace pgsluice;

namespace {

ParsedHeaders reparse(const HeaderList& list) {
    return parse_headers(
        [&list](const char* name) -> const char* {
            for (const auto& [key, value] : list) {
                if (std::string_view(key) == name) return value.c_str();
            }
            return nullptr;
        },
        "a message");
}

const MessageMeta meta{MessageKind::changes, {Lsn{0x16B2D50}, 12}, Lsn{0x16B2D80}};

ParsedHeaders part(std::uint32_t number, std::uint32_t count) { return {meta, {}, {number, count}, {}, {}}; }

}  // namespace

TEST_CASE("headers are read back as they were written") {
    auto parsed = reparse(message_headers(meta, nullptr, {}));
    CHECK(parsed.meta == meta);
    CHECK(parsed.part == MessagePart{});
    for (const auto kind :
         {MessageKind::group, MessageKind::snapshot_begin, MessageKind::snapshot_end, MessageKind::progress}) {
        CHECK(reparse(message_headers({kind, {}, {}}, nullptr, {3, 5})).meta.kind == kind);
    }
    const CopyHeader copy{1, 2, 3, 4, 5, 6};
    parsed = reparse(message_headers({MessageKind::copy, {}, Lsn{1}}, &copy, {2, 2}));
    CHECK(parsed.copy == copy);
    CHECK(parsed.part == MessagePart{2, 2});
    const CopyHeader open{1, 2, 3, 4, 0, 0};
    CHECK(reparse(message_headers({MessageKind::copy, {}, Lsn{1}}, &open, {})).copy == open);
    CHECK_FALSE(reparse(message_headers(meta, nullptr, {})).follows);
    CHECK(reparse(message_headers(meta, nullptr, {}, StreamSeq{0})).follows == StreamSeq{0});
    CHECK(reparse(message_headers(meta, nullptr, {}, StreamSeq{41})).follows == StreamSeq{41});
    CHECK(reparse({{"Pgsluice-Kind", "changes"},
                   {"Pgsluice-Position", "0/1:1"},
                   {"Pgsluice-Confirmable", "0/1"},
                   {run_header, run_text(0xab)}})
              .run == 0xab);
}

TEST_CASE("a message continues one of its own run, but for a run's first, and for those of earlier builds") {
    const auto headers = [](RunId run, std::optional<StreamSeq> follows = {}) {
        ParsedHeaders made;
        made.meta = meta;
        made.run = run;
        made.follows = follows;
        return made;
    };
    CHECK(fault_after(headers(7), headers(7)).empty());
    CHECK(fault_after(headers(7), headers(8, StreamSeq{3})).empty());
    CHECK(fault_after(headers(0), headers(8, StreamSeq{3})).empty());
    CHECK(fault_after(headers(7), headers(0)).empty());
    CHECK_FALSE(fault_after(headers(7), headers(8)).empty());
    CHECK_FALSE(fault_after(headers(0), headers(8)).empty());
    auto fallen = headers(7);
    fallen.meta.position = {Lsn{1}, 1};
    CHECK_FALSE(fault_after(headers(7), fallen).empty());
    CHECK(new_run() != new_run());
}

TEST_CASE("headers that are missing or malformed are stop errors") {
    const CopyHeader copy{1, 2, 3, 4, 5, 6};
    const auto good = message_headers({MessageKind::copy, {}, Lsn{1}}, &copy, {2, 2});
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (const char* text : {"", "x", "-1", "1/", "/1", "3/2", "0/2", "99999999999999999999999"}) {
            auto bad = good;
            bad[i].second = text;
            const std::string name = good[i].first;
            const std::string_view value = text;
            CAPTURE(name);
            CAPTURE(value);
            const bool is_lsn = name == "Pgsluice-Confirmable" && (value == "3/2" || value == "0/2");
            const bool is_absent = name == "Pgsluice-Part" && value.empty();
            if (!is_lsn && !is_absent) CHECK_THROWS_AS(reparse(bad), Error);
        }
        if (std::string_view(good[i].first) == "Pgsluice-Part") continue;
        auto missing = good;
        missing.erase(missing.begin() + static_cast<std::ptrdiff_t>(i));
        CHECK_THROWS_AS(reparse(missing), Error);
    }
}

TEST_CASE("parts become one message") {
    PartAssembly parts;
    CHECK_FALSE(parts.take({5}, part(1, 3), "ab", nullptr));
    CHECK_FALSE(parts.take({6}, part(2, 3), "cd", nullptr));
    CHECK(parts.unfinished());
    const auto whole = parts.take({7}, part(3, 3), "e", nullptr);
    REQUIRE(whole);
    CHECK(whole->body == "abcde");
    CHECK(whole->first_seq.value == 5);
    CHECK(whole->last_seq.value == 7);
    CHECK_FALSE(parts.unfinished());
}

TEST_CASE("an unfinished set is thrown away by the next message or set") {
    PartAssembly parts;
    parts.take({5}, part(1, 3), "ab", nullptr);
    const auto single = parts.take({6}, part(1, 1), "x", nullptr);
    REQUIRE(single);
    CHECK(single->body == "x");
    parts.take({7}, part(1, 3), "ab", nullptr);
    parts.take({8}, part(2, 3), "cd", nullptr);
    parts.take({9}, part(1, 2), "AB", nullptr);
    const auto whole = parts.take({10}, part(2, 2), "CD", nullptr);
    REQUIRE(whole);
    CHECK(whole->body == "ABCD");
    CHECK(whole->first_seq.value == 9);
}

TEST_CASE("a part without a beginning is a stop error") {
    PartAssembly parts;
    CHECK_THROWS_AS(parts.take({5}, part(2, 3), "ab", nullptr), Error);
    parts.take({5}, part(1, 3), "ab", nullptr);
    CHECK_THROWS_AS(parts.take({6}, part(3, 3), "ef", nullptr), Error);
    PartAssembly others;
    others.take({5}, part(1, 3), "ab", nullptr);
    CHECK_THROWS_AS(others.take({6}, part(2, 4), "cd", nullptr), Error);
}

TEST_CASE("parts that are together more than a message can be take no memory, and are no message") {
    ::setenv("PGSLUICE_MOST_BODY_BYTES", "10", 1);
    PartAssembly parts;
    parts.take({1}, part(1, 4000000000), "01234567", nullptr);
    CHECK_FALSE(parts.too_large());
    for (std::uint32_t number = 2; number < 100; ++number) {
        CHECK_FALSE(parts.take({number}, part(number, 4000000000), "01234567", nullptr));
        CHECK(parts.too_large());
    }
    const auto next = parts.take({100}, part(1, 1), "x", nullptr);
    REQUIRE(next);
    CHECK(next->body == "x");
    CHECK_FALSE(parts.too_large());
    parts.take({101}, part(1, 2), "01234567", nullptr);
    CHECK_THROWS_WITH_AS(parts.take({102}, part(2, 2), "89a", nullptr), doctest::Contains("larger than 10 bytes"),
                         Error);
    ::unsetenv("PGSLUICE_MOST_BODY_BYTES");
    CHECK(most_body_bytes(MessageKind::copy) < most_body_bytes(MessageKind::changes));
}
