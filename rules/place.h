// A place in a rules or routing file, so that every error can name it.
#pragma once

#include <string>
#include <string_view>

#include "sql/error.h"

namespace pgsluice::rules {

struct Place {
    std::string file;
    int line = 0;        // from 1
    std::string table;   // as the file names it; empty outside a table
    int rule = 0;        // from 1 within the table; 0 outside a rule
    std::string column;  // empty when the rule does not say

    // "rule 2 of table 'users', column 'email' (rules.yaml:12)".
    [[nodiscard]] std::string text() const;
};

// usage Error "unable to use rule 2 of table 'users' (rules.yaml:12): reason".
Error refuse(const Place& place, std::string_view reason, std::string hint = {});

// Thrown by what reads a row's value and cannot; CompiledRules adds the place. Never says anything about the value.
struct Unreadable {
    std::string reason;
};

}  // namespace pgsluice::rules
