// SQL expressions over a row: PostgreSQL's grammar (libpg_query), of which a documented part is computed as PostgreSQL
// does it. Everything else is refused when the expression is read: never computed in another way.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rules/expressions/sql_value.h"
#include "rules/place.h"
#include "stream/change.h"

namespace pgsluice::rules {

// Thrown where the result depends on a value that is unchanged TOAST.
struct NotKnown {
    std::size_t column;
};

class Expression {
   public:
    using Run = std::function<SqlValue(Row)>;

    // Typed for this relation. usage Error that names the position of what is not known.
    static Expression compile(const std::string& text, const Relation& relation, const Place& place);
    Expression(SqlType type, Run run, std::vector<std::size_t> columns)
        : type_(type), run_(std::move(run)), columns_(std::move(columns)) {}

    [[nodiscard]] SqlType type() const { return type_; }
    // The relation's columns that it reads.
    [[nodiscard]] const std::vector<std::size_t>& columns() const { return columns_; }
    // Throws Unreadable where PostgreSQL has an error, too, and NotKnown.
    [[nodiscard]] SqlValue compute(Row row) const { return run_(row); }

   private:
    SqlType type_;
    Run run_;
    std::vector<std::size_t> columns_;
};

// The names of the columns that it reads. usage Error where it is no expression.
std::vector<std::string> columns_named(const std::string& text, const Place& place);

}  // namespace pgsluice::rules
