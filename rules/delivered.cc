#include "rules/delivered.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "sql/error.h"

namespace pgsluice {

namespace {

// The key of a note that says no more than that notes were taken from the first row on.
constexpr Oid no_table = 0;

const DeliveredColumn* column_named(const DeliveredRules& rules, const std::string& name) {
    const auto found = std::ranges::find(rules.columns, name, &DeliveredColumn::name);
    return found == rules.columns.end() ? nullptr : &*found;
}

// The replicator does not know the numbers of a definition that was altered before it looked.
void keep_numbers(DeliveredRules& now, const DeliveredRules& noted) {
    for (DeliveredColumn& column : now.columns) {
        const DeliveredColumn* known = column_named(noted, column.name);
        if (column.number == 0 && known != nullptr) column.number = known->number;
    }
}

}  // namespace

std::string describe(const std::vector<ChangedTable>& changed) {
    constexpr std::size_t most = 10;
    std::vector<std::string> texts;
    for (const ChangedTable& one : changed) {
        if (texts.size() == most) break;
        texts.push_back(
            fmt::format("{}.{} ({})", one.table->schema, one.table->table, fmt::join(one.differences, ", ")));
    }
    std::string text = fmt::format("{}", fmt::join(texts, ", "));
    if (changed.size() > most) text += fmt::format(" and {} more tables", changed.size() - most);
    return text;
}

std::string rules_changed(const std::vector<ChangedTable>& changed) {
    return fmt::format("the rules changed after rows were delivered: {}", describe(changed));
}

Delivered::Delivered(const Ruleset& ruleset, OnRulesChange on_change, const Notes& notes, Keep keep, const Log& log,
                     std::string way_out)
    : ruleset_(ruleset),
      on_change_(on_change),
      keep_(std::move(keep)),
      log_(log),
      way_out_(std::move(way_out)),
      complete_(!notes.empty()) {
    for (const auto& [oid, note] : notes)
        if (oid != no_table) noted_[oid] = decode_delivered_rules(note);
}

void Delivered::begin_notes() {
    keep_({{no_table, "{}"}});
    complete_ = true;
}

std::vector<ChangedTable> Delivered::changed(std::span<const RelationPtr> tables) {
    std::vector<ChangedTable> changed;
    for (const RelationPtr& table : tables) {
        compared_.insert(table->oid);
        const auto noted = noted_.find(table->oid);
        if (noted == noted_.end()) continue;
        auto found = differences(noted->second, ruleset_.meaning(table));
        if (!found.empty()) changed.push_back({table, std::move(found)});
    }
    return changed;
}

void Delivered::accept(std::span<const RelationPtr> tables) {
    std::map<Oid, DeliveredRules> now;
    for (const RelationPtr& table : tables) now[table->oid] = ruleset_.meaning(table);
    keep(now);
}

void Delivered::await_snapshot(const std::vector<ChangedTable>& changed, std::uint64_t epoch) {
    awaited_after_ = epoch;
    std::map<Oid, DeliveredRules> mixed;
    for (const ChangedTable& one : changed) {
        mixed[one.table->oid] = ruleset_.meaning(one.table);
        mixed[one.table->oid].mixed = true;
    }
    keep(mixed);
}

void Delivered::met(const RelationPtr& relation) {
    DeliveredRules now = ruleset_.meaning(relation);
    const auto noted = noted_.find(relation->oid);
    if (noted == noted_.end()) return keep({{relation->oid, std::move(now)}});
    if (!compared_.contains(relation->oid)) compare_late(relation, now);
    keep_numbers(now, noted->second);
    const bool known = std::ranges::all_of(now.columns, [&](const DeliveredColumn& column) {
        const DeliveredColumn* one = column_named(noted->second, column.name);
        return one != nullptr && one->number == column.number;
    });
    if (known) return;
    now.mixed = noted->second.mixed;
    keep({{relation->oid, std::move(now)}});
}

// A table that the replicator did not tell of when the worker was started.
void Delivered::compare_late(const RelationPtr& relation, const DeliveredRules& now) {
    compared_.insert(relation->oid);
    auto found = differences(noted_.at(relation->oid), now);
    if (found.empty()) return;
    const std::vector<ChangedTable> changed{{relation, std::move(found)}};
    if (on_change_ != OnRulesChange::accept)
        throw stop_error(fmt::format("unable to continue: {}", rules_changed(changed)), way_out_);
    log_(LogLevel::warning, rules_changed(changed));
    keep({{relation->oid, now}});
}

void Delivered::replaced(std::uint64_t epoch, std::span<const RelationPtr> tables) {
    if (epoch <= awaited_after_) return;
    std::map<Oid, DeliveredRules> now;
    for (const RelationPtr& table : tables) {
        compared_.insert(table->oid);
        DeliveredRules meaning = ruleset_.meaning(table);
        const auto noted = noted_.find(table->oid);
        if (noted == noted_.end() || !(noted->second == meaning)) now[table->oid] = std::move(meaning);
    }
    keep(now);
}

void Delivered::keep(const std::map<Oid, DeliveredRules>& tables) {
    if (tables.empty()) return;
    Notes notes;
    for (const auto& [oid, rules] : tables) notes[oid] = encode(rules);
    keep_(notes);
    for (const auto& [oid, rules] : tables) noted_[oid] = rules;
}

}  // namespace pgsluice
