#include "rules/rows/known_values.h"

#include <fmt/format.h>

namespace pgsluice::rules {
namespace {

std::optional<Value> known(const Value& value) { return value.is_unchanged() ? std::nullopt : std::optional(value); }

std::string quoted(std::string name) {
    for (auto at = name.find('"'); at != std::string::npos; at = name.find('"', at + 2)) name.insert(at, 1, '"');
    return '"' + name + '"';
}

}  // namespace

bool in_old_row(const Change& change, std::size_t column) {
    return change.old_kind == OldRow::full || (change.old_kind == OldRow::key && change.relation->columns[column].key);
}

std::optional<Value> new_value(const Change& change, std::size_t column) {
    if (!change.new_row[column].is_unchanged()) return change.new_row[column];
    return in_old_row(change, column) ? known(change.old_row[column]) : std::nullopt;
}

// Without an old row the key did not change.
std::optional<Value> old_value(const Change& change, std::size_t column) {
    if (in_old_row(change, column)) return known(change.old_row[column]);
    const bool same =
        change.op == Op::update && change.old_kind == OldRow::none && change.relation->columns[column].key;
    return same ? known(change.new_row[column]) : std::nullopt;
}

bool stays(const Change& change, std::size_t column) {
    if (change.op != Op::update) return false;
    const std::optional<Value> old = old_value(change, column);
    return change.new_row[column].is_unchanged() || (old && *old == change.new_row[column]);
}

// A new snapshot would come after the update in the stream, so it does not help to get past it.
std::string full_identity_hint(const Relation& table, std::string_view what) {
    return fmt::format(
        "Run ALTER TABLE {}.{} REPLICA IDENTITY FULL on the source, so that later updates carry {}. This one is in the "
        "stream already: remove the group with pgsluice teardown --yes and start it again with --copy-and-stream.",
        quoted(table.schema), quoted(table.table), what);
}

}  // namespace pgsluice::rules
