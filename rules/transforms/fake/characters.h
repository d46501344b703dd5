// Other characters of the same kind, for values whose form stays.
#pragma once

#include <string>
#include <string_view>

#include "rules/transforms/keyed/draw.h"

namespace pgsluice::rules {

// Digits become digits, letters letters of the same case; what is not in ASCII becomes a letter, too, for it may say
// something. Signs and blanks stay. `text` is valid UTF-8.
void append_other_characters(Draw& draw, std::string_view text, std::string& out);

}  // namespace pgsluice::rules
