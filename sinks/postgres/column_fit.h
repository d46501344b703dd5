// What happens to values of one type in a column of another. Pure.
//
// A value travels as text and is read by the target's type, without its length, and then stored in the column. What the
// type cannot read is an error. But PostgreSQL rounds, shifts and cuts some values without one.
#pragma once

#include <cstdint>
#include <string>

namespace pgsluice {

struct DeclaredType {
    std::string base;          // as format_type() names it without a length; of a domain, the type below it
    std::int64_t typmod = -1;  // pg_attribute.atttypmod; -1: without a length, precision and so on
};

struct ColumnFit {
    std::string changes;   // what is done to values without an error, for a sentence about "values"; empty: nothing
    bool refuses = false;  // there are values that it does not take

    bool operator==(const ColumnFit&) const = default;
};

// Of two that differ and are not known to fit, it says that both may happen: see loses_values().
ColumnFit fit_of(const DeclaredType& target, const DeclaredType& source);
// Values are known to be changed without an error.
bool loses_values(const ColumnFit& fit);

}  // namespace pgsluice
