// The parts that an expression is made of: what each computes, and of which type that is.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/expressions/expression.h"

namespace pgsluice::rules {

using Run = Expression::Run;

// A text in quotes and NULL are untyped: they get their type from what they meet, as in PostgreSQL.
struct Part {
    SqlType type = SqlType::text;
    Run run;
    std::int64_t location = 0;  // of its node in the ParseTree
    bool untyped = false;
    std::optional<std::string> literal{};  // of an untyped one; none: NULL
    bool by_bytes = false;                 // a text with COLLATE "C"
};
using Parts = std::vector<Part>;

inline Part of(SqlType type, Run run) { return {type, std::move(run)}; }
Part fixed(SqlType type, SqlValue value);
Part untyped(std::optional<std::string> literal);

inline SqlValue boolean(bool value) { return SqlValue::of(value ? 1 : 0); }

// NULL where one of them is. Both are computed: an error is one beside a NULL, too.
template <typename Compute>
Run strict(Run a, Run b, Compute compute) {
    return [a = std::move(a), b = std::move(b), compute](Row row) {
        const SqlValue x = a(row);
        const SqlValue y = b(row);
        return x.null || y.null ? SqlValue{} : compute(x, y);
    };
}

// Of booleans: OR where `decides` is 1, AND where it is 0.
Part any_of(Parts parts, std::int64_t decides);
Part opposite(Part part);

// Gives parts the types that PostgreSQL gives them. Where it would not, and where we do not know, a usage Error that
// names the place in the expression.
class Typing {
   public:
    explicit Typing(const Place& place) : place_(place) {}

    [[nodiscard]] Error fail_at(std::int64_t location, std::string_view why) const;

    // A literal is read as what it meets; numbers become larger ones.
    [[nodiscard]] Part as(Part part, SqlType type) const;
    [[nodiscard]] Part as_boolean(Part part) const { return as(std::move(part), SqlType::boolean); }
    [[nodiscard]] Part typed(Part part) const { return part.untyped ? as(std::move(part), SqlType::text) : part; }
    // As || makes it one.
    [[nodiscard]] Part to_text(Part part) const;
    [[nodiscard]] Part cast(Part part, SqlType type) const;
    // All become of the type that those have which are not untyped; text when all are.
    void unify(Parts& parts) const;

   private:
    [[nodiscard]] SqlType common_type(const Parts& parts) const;

    const Place& place_;
};

}  // namespace pgsluice::rules
