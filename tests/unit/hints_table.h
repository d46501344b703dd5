// Every HINT of the program, and the test that follows it to the letter. tests/unit/hints_test.cc compares the table
// with the sources.
#pragma once

#include <span>

namespace pgsluice::test {

struct FollowedHint {
    const char* part;  // of the hint's text, long enough to tell it from others
    const char* file;  // below tests/
    const char* test;  // a test case in that file
};
std::span<const FollowedHint> followed_hints();

// Hints that no test follows.
struct OtherHint {
    const char* part;
    const char* reason;
};
std::span<const OtherHint> other_hints();

}  // namespace pgsluice::test
