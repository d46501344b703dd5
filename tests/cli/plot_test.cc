// The plot on the pages is the one that tests/bench/plot makes of the figures beside it.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/process.h"

using namespace pgsluice::test;

namespace {

const std::string bench = PGSLUICE_SOURCE_DIR "/tests/bench/";

}  // namespace

TEST_CASE("the plot of the speed shows its figures (refresh: tests/bench/plot FIGURES >speed.svg)") {
    const Finished plot = run({bench + "plot", bench + "figures/snapshot.txt", bench + "figures/stream.txt"});
    std::ifstream file(bench + "figures/speed.svg");
    CHECK(plot.code == 0);
    CHECK(plot.err.empty());
    CHECK(plot.out == std::string{std::istreambuf_iterator<char>(file), {}});
}

TEST_CASE("without figures there is no plot") {
    const Finished plot = run({bench + "plot", "/dev/null"});
    CHECK(plot.code == 1);
    CHECK(plot.out.empty());
    CHECK(plot.err == "plot: no medians beside those of native\n");
}
