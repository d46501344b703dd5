// `cmake --install` puts a program there that runs.
#include <doctest/doctest.h>

#include <filesystem>

#include "tests/support/process.h"

using namespace pgsluice::test;

TEST_CASE("the installed program runs") {
    const std::string build_directory = std::filesystem::path(PGSLUICE_BINARY).parent_path();
    const std::string prefix = temporary_directory("install");
    const Finished installed = run({"cmake", "--install", build_directory, "--prefix", prefix});
    INFO(installed.err);
    REQUIRE(installed.code == 0);
    CHECK(run({prefix + "/bin/pgsluice", "version"}).out == "pgsluice " PGSLUICE_VERSION "\n");
}
