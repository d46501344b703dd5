// The frames around pgoutput messages.
#include "replicator/wal/frame.h"

#include <doctest/doctest.h>

#include "sql/error.h"
#include "tests/support/wal_script.h"

using namespace pgsluice;

TEST_CASE("XLogData holds a message and when it was sent") {
    const auto frame = test::xlog_data("Bxyz", 77);
    const auto data = std::get<XLogData>(parse_wal_frame(frame));
    CHECK(data.sent_us == 77);
    CHECK(data.message == "Bxyz");
}

TEST_CASE("a keepalive carries the end of the WAL and whether to answer") {
    const auto keepalive = std::get<Keepalive>(parse_wal_frame(test::keepalive(Lsn{0x1000000020}, true)));
    CHECK(keepalive.wal_end == Lsn{0x1000000020});
    CHECK(keepalive.reply_requested);
    CHECK_FALSE(std::get<Keepalive>(parse_wal_frame(test::keepalive(Lsn{1}, false))).reply_requested);
}

TEST_CASE("frames cut short or unknown are errors") {
    for (const auto& whole : {test::xlog_data(""), test::keepalive(Lsn{1})}) {
        CHECK_NOTHROW(parse_wal_frame(whole));
        for (std::size_t size = 0; size < whole.size(); ++size) {
            const std::string cut(whole, 0, size);
            CHECK_THROWS_AS(parse_wal_frame(cut), Error);
        }
    }
    CHECK_THROWS_AS(parse_wal_frame(test::keepalive(Lsn{1}) + "x"), Error);
    CHECK_THROWS_AS(parse_wal_frame("p2"), Error);
}
