#include <doctest/doctest.h>

#include "replicator/activity.h"

using namespace pgsluice;

TEST_CASE("an error is counted while the same comes again") {
    RepeatedError error;
    CHECK(error.count("at 1") == 1);
    CHECK(error.count("at 1") == 2);
    CHECK(error.count("at 2") == 1);
    CHECK(error.count("at 1") == 1);
    for (int times = 2; times <= 5; ++times) CHECK(error.count("at 1") == times);
}
