// What a person sees on a terminal that was sent these bytes; it is as high as it needs to be.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::test {

// Knows carriage return, line feed, ESC [ n A (up), ESC [ J (erase to the end) and ESC [ ? 7 h/l; anything else that
// moves a cursor fails the test.
std::vector<std::string> screen_of(std::string_view bytes);

}  // namespace pgsluice::test
