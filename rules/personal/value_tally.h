// Counts what a column's sampled values look like, and says what they come to. Keeps no value.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>

#include "rules/personal/kind.h"

namespace pgsluice::rules {

struct ValueFinding {
    PersonalKind kind = PersonalKind::none;
    std::size_t hits = 0;
    std::size_t values = 0;  // different ones that were looked at
};

class ValueTally {
   public:
    // Of the same text once.
    void add(std::string_view text);
    [[nodiscard]] ValueFinding finding() const;
    [[nodiscard]] std::size_t values() const { return values_; }

   private:
    enum Look { email, phone, ip, mac, ssn, card, iban, street, full_name, first_name, last_name, within, looks };

    std::array<std::size_t, looks> hits_{};
    std::size_t values_ = 0;
    std::unordered_set<std::size_t> met_;  // their hashes
};

}  // namespace pgsluice::rules
