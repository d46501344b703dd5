// Marks test cases that are left to CI when few minutes must do (PGSLUICE_TEST_QUICK, as `tests/run` alone sets it):
// further forms, settings or places of what other cases of the same subject try, too.
//
//   TEST_CASE("the worker dies once at each place of ..." * slow)
#pragma once

#include <doctest/doctest.h>

namespace pgsluice::test {

inline const doctest::test_suite slow("slow");

}  // namespace pgsluice::test
