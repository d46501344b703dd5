#include "sinks/lines/event_key.h"

#include <doctest/doctest.h>

using namespace pgsluice;

TEST_CASE("keys are unique per change and per table of a truncate") {
    EventKey key{{Lsn{0x16B2D50}, 12}, false, 0};
    CHECK(to_string(key) == "0/16B2D50:12");
    key.part = 2;
    CHECK(to_string(key) == "0/16B2D50:12.2");
    key = {{Lsn{0x16B2D50}, 12}, true, 0};
    CHECK(to_string(key) == "snapshot-0/16B2D50:12");
    key.share = "2/4";
    key.reload = 1;
    CHECK(to_string(key) == "snapshot-0/16B2D50:12@2/4~1");
}
