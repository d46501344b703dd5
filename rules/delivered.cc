#include "rules/delivered.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "sql/error.h"
#include "stream/full_name.h"

namespace pgsluice {

namespace {

const DeliveredColumn* column_named(const DeliveredRules& rules, const std::string& name) {
    const auto found = std::ranges::find(rules.columns, name, &DeliveredColumn::name);
    return found == rules.columns.end() ? nullptr : &*found;
}

std::vector<QualifiedName> lineage_of(const Relation& table) {
    std::vector<QualifiedName> lineage{{table.schema, table.table}};
    lineage.insert(lineage.end(), table.ancestors.begin(), table.ancestors.end());
    return lineage;
}

bool holds(const std::vector<std::string>& all, const std::string& one) {
    return std::ranges::find(all, one) != all.end();
}

// Of a table that no file names, a column that has rules under its former name, and that it does not have, has another
// name now.
std::vector<std::string> no_longer_hidden(const DeliveredRules& before, const DeliveredRules& now, bool unnamed) {
    std::vector<std::string> found = no_longer_hidden(before, now);
    for (const DeliveredColumn& column : before.columns)
        if (unnamed && column.number == 0 && column_named(now, column.name) == nullptr &&
            !(column.rules.empty() && column.filters.empty()))
            found.push_back(fmt::format("column '{}'", column.name));
    return found;
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

std::string entry_hint(const std::vector<ChangedTable>& changed) {
    const auto found = std::ranges::find(changed, true, &ChangedTable::lost_entry);
    if (found == changed.end()) return {};
    const std::string name = full_name(*found->table);
    if (!found->came_as.empty())
        return fmt::format(
            "Rows that came as '{0}' come as '{1}' now: give '{1}' an entry in the files that hides as much. ",
            found->came_as, name);
    return fmt::format("If '{}' had its rules from a table above it, give it an entry of its own in the files. ", name);
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
        if (oid != note_of_no_table) noted_[oid] = decode_delivered_rules(note);
}

void Delivered::begin_notes(std::uint64_t reloads) {
    keep_({{note_of_no_table, encode_reloads(reloads)}});
    complete_ = true;
}

std::vector<ChangedTable> Delivered::changed(std::span<const RelationPtr> tables) {
    std::vector<ChangedTable> changed;
    for (const RelationPtr& table : tables) {
        compared_[table->oid] = lineage_of(*table);
        const auto noted = noted_.find(table->oid);
        if (noted == noted_.end()) continue;
        DeliveredRules now = ruleset_.meaning(table);
        auto found = differences(noted->second, now);
        if (found.empty()) continue;
        changed.push_back({table, std::move(found), ruleset_.passes_by(table)});
        agreed_[table->oid] = std::move(now);
    }
    return changed;
}

void Delivered::accept(std::span<const RelationPtr> tables) {
    std::map<Oid, DeliveredRules> now;
    for (const RelationPtr& table : tables) now[table->oid] = as_of_now(table);
    keep(now);
}

DeliveredRules Delivered::as_of_now(const RelationPtr& table) const {
    DeliveredRules now = ruleset_.meaning(table);
    for (const QualifiedName& name : table->came_as) now.came_as.push_back(full_name(name));
    return now;
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
    DeliveredRules now = as_of_now(relation);
    compare_former(relation, now);
    const auto noted = noted_.find(relation->oid);
    const auto compared = compared_.find(relation->oid);
    Lineage lineage = lineage_of(*relation);
    if (noted != noted_.end() && compared == compared_.end()) compare_late(relation, now);
    if (noted != noted_.end() && compared != compared_.end() && compared->second != lineage)
        compare_moved(relation, now);
    compared_[relation->oid] = std::move(lineage);
    if (noted == noted_.end()) return keep({{relation->oid, std::move(now)}});
    keep_numbers(now, noted->second);
    const bool known = std::ranges::all_of(now.columns, [&](const DeliveredColumn& column) {
        const DeliveredColumn* one = column_named(noted->second, column.name);
        return one != nullptr && one->number == column.number;
    });
    const bool compared_all =
        std::ranges::all_of(now.came_as, [&](const std::string& name) { return holds(noted->second.came_as, name); });
    if (known && compared_all) return;
    now.mixed = noted->second.mixed;
    keep({{relation->oid, std::move(now)}});
}

// As what the files say now, and as its rows were delivered: it may have had a table above it.
std::vector<std::string> Delivered::no_longer_hidden_of(const QualifiedName& name, const RelationPtr& relation,
                                                        const DeliveredRules& now) const {
    auto found = no_longer_hidden(ruleset_.meaning_as(relation, name), now, ruleset_.passes_by(relation));
    for (const auto& [oid, noted] : noted_) {
        if (oid == relation->oid || noted.table != full_name(name)) continue;
        DeliveredRules before = noted;
        for (DeliveredColumn& column : before.columns) column.number = 0;  // those of another table
        for (std::string& one : no_longer_hidden(before, now))
            if (!holds(found, one)) found.push_back(std::move(one));
    }
    return found;
}

// A table whose rows came under another's name, and so by its rules: once for each such name.
void Delivered::compare_former(const RelationPtr& relation, const DeliveredRules& now) {
    const auto noted = noted_.find(relation->oid);
    ChangedTable changed{relation, {}, true};
    for (const QualifiedName& name : relation->came_as) {
        if (noted != noted_.end() && holds(noted->second.came_as, full_name(name))) continue;
        auto found = no_longer_hidden_of(name, relation, now);
        if (!found.empty() && changed.came_as.empty()) changed.came_as = full_name(name);
        for (std::string& one : found)
            if (!holds(changed.differences, one)) changed.differences.push_back(std::move(one));
    }
    if (!changed.differences.empty()) stop_or_accept(std::move(changed), now);
}

// A table that the replicator did not tell of when the worker was started.
void Delivered::compare_late(const RelationPtr& relation, const DeliveredRules& now) {
    auto found = differences(noted_.at(relation->oid), now);
    if (!found.empty()) stop_or_accept({relation, std::move(found), ruleset_.passes_by(relation)}, now);
}

// A table that had other tables above it, or another name, when it was compared. Where more is hidden of it now, its
// rows are mixed, unless they are copied again; what was hidden in between stays hidden, too.
void Delivered::compare_moved(const RelationPtr& relation, DeliveredRules now) {
    const DeliveredRules& noted = noted_.at(relation->oid);
    auto found = no_longer_hidden(noted, now);
    if (!found.empty()) {
        const auto agreed = agreed_.find(relation->oid);
        now.mixed = noted.mixed && on_change_ != OnRulesChange::accept;
        if (agreed != agreed_.end() && no_longer_hidden(agreed->second, now).empty())
            return keep({{relation->oid, std::move(now)}});
        return stop_or_accept({relation, std::move(found), true}, std::move(now));
    }
    if (on_change_ == OnRulesChange::accept || differences(noted, now).empty()) return;
    now.mixed = true;
    keep({{relation->oid, std::move(now)}});
}

void Delivered::stop_or_accept(ChangedTable changed, DeliveredRules now) {
    const Oid table = changed.table->oid;
    const std::vector<ChangedTable> all{std::move(changed)};
    if (on_change_ != OnRulesChange::accept)
        throw stop_error(fmt::format("unable to continue: {}", rules_changed(all)), entry_hint(all) + way_out_);
    log_(LogLevel::warning, rules_changed(all));
    keep({{table, std::move(now)}});
}

void Delivered::replaced(std::uint64_t epoch, std::span<const RelationPtr> tables) {
    if (epoch <= awaited_after_) return;
    std::map<Oid, DeliveredRules> now;
    for (const RelationPtr& table : tables) {
        compared_[table->oid] = lineage_of(*table);
        DeliveredRules meaning = as_of_now(table);
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
