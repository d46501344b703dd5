#include "replicator/source/slot/wal_retention_check.h"

#include <doctest/doctest.h>

using namespace pgsluice;

TEST_CASE("a slot with room, or with no limit, is not warned of") {
    CHECK(WalRetentionCheck::warning("s", {"reserved", std::nullopt, 5LL << 30, 0}, 1e6).empty());
    CHECK(WalRetentionCheck::warning("s", {"extended", 10LL << 30, 1LL << 30, 0}, 1e6).empty());
    CHECK(WalRetentionCheck::warning("s", {"reserved", 64 << 20, 56, 0}, 1e6).empty());  // a small limit, hardly used
    CHECK_FALSE(WalRetentionCheck::warning("s", {"reserved", 16 << 20, 48 << 20, 0}, 1e6).empty());
}

TEST_CASE("a slot near its limit is warned of with bytes and time") {
    const auto text = WalRetentionCheck::warning("s", {"extended", 100'000'000, 1LL << 30, 0}, 1e6);
    CHECK(text.find("after 100000000 more bytes") != std::string::npos);
    CHECK(text.find("about 100 s") != std::string::npos);
    CHECK(WalRetentionCheck::warning("s", {"extended", 100'000'000, 1LL << 30, 0}, 0).find("rate") ==
          std::string::npos);
}

TEST_CASE("a slot beyond its limit is about to be lost") {
    CHECK(WalRetentionCheck::warning("s", {"unreserved", -5, 1LL << 30, 0}, 0).find("about to be lost") !=
          std::string::npos);
}
