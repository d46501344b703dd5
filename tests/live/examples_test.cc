// The scripts of examples/, each with servers of its own. They check what they show, and fail where it is not so.
#include <doctest/doctest.h>

#include "tests/support/process.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

Finished run_example(const std::string& name) {
    return run({PGSLUICE_SOURCE_DIR "/examples/" + name + "/run"}, {{"PGSLUICE", PGSLUICE_BINARY}},
               std::chrono::seconds(240));
}

}  // namespace

TEST_CASE("examples: each runs as its page says") {
    for (const char* name : {"basic", "masking", "routing", "fan-out", "consolidation", "upgrade"}) {
        CAPTURE(name);
        const Finished finished = run_example(name);
        INFO(finished.out << finished.err);
        CHECK(finished.code == 0);
        CHECK(contains(finished.out, "The end"));
    }
}
