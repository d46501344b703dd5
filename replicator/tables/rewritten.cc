#include "replicator/tables/rewritten.h"

#include <algorithm>
#include <variant>

#include "stream/definition/find_part.h"
#include "stream/definition/type_conversion.h"

namespace pgsluice {

namespace {

// Of pg_event_trigger_table_rewrite_reason(). Persistence (1) and the access method (8) leave all values alone.
constexpr int volatile_default = 2;
constexpr int other_type = 4;
constexpr int harmless = 1 | 8;

bool same_type(const ColumnDefinition& before, const ColumnDefinition& after) {
    return before.type == after.type && before.type_oid == after.type_oid;
}

// A generated column is computed by each server itself, from values that are the same. Without a default rows hold
// NULL, unless a domain has one.
bool was_filled(const ColumnDefinition& added) {
    if (added.generated != '\0' || added.missing) return false;
    return !added.expression.empty() || added.identity != '\0' || added.base_oid != 0;
}

bool differs(const ColumnDefinition* before, const ColumnDefinition& after, bool by_types) {
    if (before == nullptr) return was_filled(after);
    if (same_type(*before, after)) return false;
    return !by_types || !is_certain(*before, after);
}

}  // namespace

bool must_be_copied(const DefinitionChange& change) {
    const auto* before = change.before ? std::get_if<TableDefinition>(&*change.before) : nullptr;
    const auto* after = change.after ? std::get_if<TableDefinition>(&*change.after) : nullptr;
    if (before == nullptr || after == nullptr) return false;
    if (before->persistence == 'u' && after->persistence == 'p')
        return true;  // what was written meanwhile is in no log
    if ((change.rewritten & ~harmless) == 0) return false;
    if ((change.rewritten & ~(harmless | volatile_default | other_type)) != 0) return true;
    const bool by_types = change.conversion == "types";
    // With a USING even a column that keeps its type may hold other values.
    if ((change.rewritten & other_type) != 0 && !by_types) return true;
    return std::ranges::any_of(after->columns, [&](const ColumnDefinition& column) {
        return differs(find_part(before->columns, &ColumnDefinition::number, column.number), column, by_types);
    });
}

}  // namespace pgsluice
