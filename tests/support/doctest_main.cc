#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "tests/support/postgres_programs.h"

namespace {

// Debian's psql is a Perl script that looks for the newest psql, and takes more time than most tests' statements.
void find_programs_at_once() {
    const char* path = std::getenv("PATH");
    const std::string first = pgsluice::test::postgres_programs();
    if (path != nullptr && !first.empty()) ::setenv("PATH", (first + ':' + path).c_str(), 1);
}

}  // namespace

int main(int argc, char** argv) {
    find_programs_at_once();
    doctest::Context context(argc, argv);
    if (std::getenv("PGSLUICE_TEST_QUICK") != nullptr) context.addFilter("test-suite-exclude", "slow");
    return context.run();
}
