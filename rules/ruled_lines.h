// Lines of COPY text as a table's rules leave them. One thread; several may share the rules.
#pragma once

#include <string>
#include <string_view>

#include "rules/compiled_rules.h"
#include "stream/base/arena.h"

namespace pgsluice::rules {

class RuledLines {
   public:
    // Both must outlive it. Null: the rules change nothing.
    RuledLines(const Relation& relation, const CompiledRules* rules)
        : relation_(relation), rules_(rules != nullptr && !rules->passes_copy() ? rules : nullptr) {}

    // The row, with its newline, until the next call; empty for one that is left out.
    std::string_view of(std::string_view row);
    // Whether the line that of() returned last is another than it was given.
    [[nodiscard]] bool rewrote() const;

   private:
    const Relation& relation_;
    const CompiledRules* rules_;
    Arena arena_;
    std::string line_;
    Change source_;
    Change passed_;
};

}  // namespace pgsluice::rules
