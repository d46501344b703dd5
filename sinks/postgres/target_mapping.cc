#include "sinks/postgres/target_mapping.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace pgsluice {

namespace {

// The relation's number of each of the index's columns; empty when one of them is not sent (or not `allowed`).
template <typename Allowed>
std::vector<int> covered(const TargetMapping& mapping, const TargetIndex& index, Allowed&& allowed) {
    std::vector<int> numbers;
    for (const int wanted : index.columns) {
        const auto found = std::find(mapping.target_of.begin(), mapping.target_of.end(), wanted);
        if (wanted < 0 || found == mapping.target_of.end()) return {};
        const auto number = static_cast<std::size_t>(found - mapping.target_of.begin());
        if (!allowed(mapping.relation.columns[number])) return {};
        numbers.push_back(static_cast<int>(number));
    }
    return numbers;
}

bool same_columns(const TargetIndex& a, const TargetIndex& b) {
    return std::is_permutation(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end());
}

// ON CONFLICT (key) asks every unique index on these columns, and cannot ask a deferrable one.
bool can_arbitrate(const TargetMapping& mapping, const TargetIndex& index) {
    return std::none_of(mapping.table.indexes.begin(), mapping.table.indexes.end(), [&](const TargetIndex& other) {
        return !other.immediate && !other.exclusion && same_columns(other, index);
    });
}

// With an identity, the index must be on all of it: a narrower one would take different rows of the source for one.
bool use_index(TargetMapping& mapping, std::size_t identity_columns) {
    const bool keys_only = identity_columns > 0;
    for (const TargetIndex& index : mapping.table.indexes) {
        if (!index.immediate || !index.plain || index.exclusion || !index.without_nulls) continue;
        auto numbers = covered(mapping, index, [&](const Column& column) { return column.key || !keys_only; });
        if (numbers.empty() || (keys_only && numbers.size() != identity_columns)) continue;
        mapping.key = std::move(numbers);
        mapping.key_equals = index.equals;
        mapping.match = TargetMapping::Match::unique;
        mapping.arbiter = can_arbitrate(mapping, index);
        return true;
    }
    return false;
}

void choose_match(TargetMapping& mapping) {
    std::vector<int> identity;
    for (std::size_t i = 0; i < mapping.relation.columns.size(); ++i) {
        if (mapping.relation.columns[i].key && mapping.writes(i)) identity.push_back(static_cast<int>(i));
    }
    const bool whole = mapping.relation.identity == ReplicaIdentity::full;
    // Of a whole old row, or of an insert, every column is known; otherwise only the identity's.
    if (use_index(mapping, whole ? 0 : identity.size()) || identity.empty()) return;
    mapping.key = std::move(identity);
    for (const int number : mapping.key) mapping.key_equals.push_back(mapping.column(number).equals);
    mapping.match = whole ? TargetMapping::Match::whole : TargetMapping::Match::key;
}

}  // namespace

TargetMapping::TargetMapping(const Relation& source, TargetTable target) : relation(source), table(std::move(target)) {
    for (const Column& wanted : relation.columns) {
        const TargetColumn* found = table.find(wanted.name);
        const bool written = found != nullptr && !found->generated;
        target_of.push_back(written ? static_cast<int>(found - table.columns.data()) : -1);
    }
    choose_match(*this);
    for (std::size_t i = 0; i < relation.columns.size(); ++i) {
        const int number = static_cast<int>(i);
        if (!writes(i)) continue;
        if (!column(number).identity_always) {
            key_texts_vary = key_texts_vary || (is_key(number) && !column(number).exact);
        } else if (is_key(number)) {
            always_key = true;
        } else {
            always_columns.push_back(number);
        }
    }
    const auto in_gist = [this](int number) { return column(number).in_gist; };
    row_by_row = std::any_of(key.begin(), key.end(), in_gist) ||
                 std::any_of(always_columns.begin(), always_columns.end(), in_gist) ||
                 (keeps_history() && !table.gist_indexes.empty());
}

bool TargetMapping::is_key(int number) const noexcept {
    return match != Match::whole && std::find(key.begin(), key.end(), number) != key.end();
}

bool changes_key(const TargetMapping& mapping, const Change& update) noexcept {
    if (update.old_kind == OldRow::none) return false;
    return std::any_of(mapping.key.begin(), mapping.key.end(), [&](int column) {
        return !(new_value(update, column) == update.old_row[static_cast<std::size_t>(column)]);
    });
}

ColumnSet known_columns(const Change& change) {
    ColumnSet known(change.new_row.size());
    for (std::size_t i = 0; i < known.size(); ++i) known[i] = !new_value(change, static_cast<int>(i)).is_unchanged();
    return known;
}

std::string describe_key(const TargetMapping& mapping, const Change& change) {
    std::vector<std::string_view> names;
    std::vector<std::string_view> values;
    for (const int number : mapping.key) {
        names.push_back(mapping.relation.columns[static_cast<std::size_t>(number)].name);
        const Value& value =
            change.op == Op::insert ? change.new_row[static_cast<std::size_t>(number)] : old_value(change, number);
        values.push_back(value.is_text() ? value.text() : "NULL");
    }
    if (names.empty()) return "(a row without key)";
    if (mapping.match == TargetMapping::Match::whole) return fmt::format("({})", fmt::join(names, ", "));
    return fmt::format("({})=({})", fmt::join(names, ", "), fmt::join(values, ", "));
}

}  // namespace pgsluice
