// What the commands that look for personal data are told.
#pragma once

#include <cstddef>

namespace pgsluice {

struct FindingOptions {
    bool suggest = false;            // check rules: write a rules file
    bool coverage = false;           // check rules: list columns that no rule names
    std::size_t sample_rows = 2000;  // of each table of the source
    bool in_stream = false;          // check leaks: look in the group's stream, too
};

}  // namespace pgsluice
