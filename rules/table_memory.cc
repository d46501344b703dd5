#include "rules/table_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "rules/redefined.h"
#include "stream/full_name.h"

namespace pgsluice::rules {
namespace {

constexpr std::size_t none = static_cast<std::size_t>(-1);

const Column* column_named(const Relation& relation, const std::string& name) {
    const auto found = std::ranges::find(relation.columns, name, &Column::name);
    return found == relation.columns.end() ? nullptr : &*found;
}

// Whether they are the same to a rule.
bool same(const Relation& a, const Relation& b) {
    const bool numbers = is_numbered(a) && is_numbered(b);
    return a.schema == b.schema && a.table == b.table &&
           std::ranges::equal(a.columns, b.columns, [&](const Column& one, const Column& other) {
               return one.name == other.name && one.type_oid == other.type_oid &&
                      (!numbers || one.number == other.number);
           });
}

// The newest definition that came at or before the position.
std::size_t in_force(const TableHistory& table, const Position& position) {
    std::size_t found = none;
    for (std::size_t i = 0; i < table.accepted.size() && table.accepted[i].from <= position; ++i) found = i;
    return found;
}

// Columns with a rule other than keep, beside `more`.
std::vector<std::string> with_rule(const TableRules& rules, std::vector<std::string> more = {}) {
    for (const Rule& rule : rules.rules)
        if (rule.kind != Rule::Kind::keep) more.push_back(rule.column);
    std::ranges::sort(more);
    more.erase(std::unique(more.begin(), more.end()), more.end());
    return more;
}

// What was expected of a table before its first row came.
bool is_expected(const PastDefinition& one) { return one.from == Position{}; }

bool is_accepted(const TableHistory* table, const Relation& relation) {
    return table != nullptr && std::ranges::any_of(table->accepted, [&](const PastDefinition& one) {
               return !is_expected(one) && same(one.relation, relation);
           });
}

std::map<std::int16_t, std::string> names_with(std::map<std::int16_t, std::string> names, const Relation& relation) {
    for (const Column& column : relation.columns)
        if (column.number != 0) names[column.number] = column.name;
    return names;
}

// After the definition in force, unless it is the same; later ones that were met before will come again. False when
// nothing changed.
bool place(TableHistory& table, PastDefinition met) {
    const std::size_t before = in_force(table, met.from);
    const std::size_t next = before == none ? 0 : before + 1;
    if (before != none && same(table.accepted[before].relation, met.relation)) {
        PastDefinition& last = table.accepted[before];
        met.from = last.from;
        if (!is_numbered(met.relation)) met.relation = last.relation;
        if (next < table.accepted.size() || last == met) return false;
        last = std::move(met);
        return true;
    }
    if (next < table.accepted.size() && same(table.accepted[next].relation, met.relation)) {
        return std::exchange(table.accepted[next].from, met.from) != met.from;
    }
    table.accepted.resize(next);
    table.accepted.push_back(std::move(met));
    table.refused.reset();
    return true;
}

}  // namespace

void TableMemory::recall(std::map<Oid, TableHistory> seen, Keep keep) {
    seen_ = std::move(seen);
    keep_ = std::move(keep);
}

const TableHistory* TableMemory::seen(Oid table) const {
    const auto found = seen_.find(table);
    return found == seen_.end() ? nullptr : &found->second;
}

TableMemory::Newest TableMemory::newest(const Relation& relation) const {
    const TableHistory* table = seen(relation.oid);
    const auto unless_same = [&](const Relation& one, bool sure) {
        return same(one, relation) ? Newest{} : Newest{&one, sure};
    };
    const bool accepted = is_accepted(table, relation);
    if (table != nullptr && table->refused && !same(*table->refused, relation)) return {&*table->refused, accepted};
    const auto known = known_.find(relation.oid);
    if (known != known_.end() && !is_accepted(table, known->second)) return unless_same(known->second, false);
    return accepted ? unless_same(table->accepted.back().relation, true) : Newest{};
}

// Whether the rule is for a column that only the newest definition has. Where it is not sure that this is older, its
// column must not be that one under another name, unless a rule hides it under that, too.
bool TableMemory::is_of_newest(const Rule& rule, const TableRules& rules, const Relation& relation) const {
    const auto [now, sure] = newest(relation);
    const Column* column = now == nullptr ? nullptr : column_named(*now, rule.column);
    if (column == nullptr || sure) return column != nullptr;
    if (!is_numbered(relation) || column->number == 0) return false;
    const auto here = std::ranges::find(relation.columns, column->number, &Column::number);
    return here == relation.columns.end() || std::ranges::any_of(rules.rules, [&](const Rule& other) {
               return other.column == here->name && other.kind != Rule::Kind::keep;
           });
}

// The replicator may now lack column numbers that it knew before.
const Relation& TableMemory::numbered(const Relation& relation) const {
    const TableHistory* table = seen(relation.oid);
    if (table == nullptr || is_numbered(relation)) return relation;
    const auto twin =
        std::ranges::find_if(table->accepted, [&](const PastDefinition& one) { return same(one.relation, relation); });
    return twin == table->accepted.end() ? relation : twin->relation;
}

TableRules TableMemory::fitted(const TableRules& rules, const Relation& as_told) const {
    const Relation& relation = numbered(as_told);
    TableRules fitted = rules;
    fitted.rules.clear();
    for (const Rule& rule : rules.rules)
        for (const std::string& column : columns_of(rule, rules, relation))
            (fitted.rules.emplace_back(rule)).column = column;
    return fitted;
}

// The columns that the rule holds for. Where it is not sure which of two is meant, it is both.
std::vector<std::string> TableMemory::columns_of(const Rule& rule, const TableRules& rules,
                                                 const Relation& relation) const {
    bool by_name = column_named(relation, rule.column) != nullptr || !is_of_newest(rule, rules, relation);
    std::vector<std::string> columns;
    if (rule.was.empty()) {
        if (by_name) columns.push_back(rule.column);
        return columns;
    }
    const auto [other, sure] = newest(relation);
    const Column* now = column_named(other == nullptr ? relation : *other, rule.column);
    if (is_numbered(relation) && now != nullptr && now->number != 0) {
        const auto then = std::ranges::find(relation.columns, now->number, &Column::number);
        const bool renamed = then != relation.columns.end() && then->name == rule.was;
        if (renamed) columns.push_back(rule.was);
        if (renamed && column_named(relation, rule.column) == nullptr) by_name = false;
        if (sure && (renamed || then == relation.columns.end())) by_name = false;
    } else if (column_named(relation, rule.was) != nullptr &&
               (other != nullptr || column_named(relation, rule.column) == nullptr)) {
        columns.push_back(rule.was);
        by_name = column_named(relation, rule.column) != nullptr;
    }
    if (by_name) columns.push_back(rule.column);
    return columns;
}

void TableMemory::expect(const Relation& relation, const TableRules* rules) {
    TableHistory& table = seen_[relation.oid];
    if (!table.accepted.empty() || table.refused) return;
    const TableRules fit = rules == nullptr ? TableRules{} : fitted(*rules, relation);
    table.accepted.push_back({{}, relation, with_rule(fit), names_with({}, relation)});
    keep(relation.oid);
}

void TableMemory::accept(const Relation& relation, const Position& position, const TableRules* rules) {
    TableHistory& table = seen_[relation.oid];
    const std::size_t before = in_force(table, position);
    const TableRules fit = rules == nullptr ? TableRules{} : fitted(*rules, relation);
    const TableRules& wanted = rules == nullptr ? fit : *rules;
    PastDefinition met{position, relation, with_rule(fit), names_with({}, relation)};
    if (before == none || is_expected(table.accepted[before])) {
        if (before != none)
            check_known(table.accepted[before].relation, relation, wanted, table.accepted[before].ruled);
        if (const PastDefinition* other = sibling(relation, position)) check_partition(*other, relation, wanted);
    } else {
        const PastDefinition& last = table.accepted[before];
        check_redefined(last, relation, wanted,
                        rules == nullptr ? last.ruled : with_rule(fitted(*rules, last.relation), last.ruled));
        if (newest(relation).relation != nullptr) check_still_ruled(last, relation, met.ruled);
        met.names = names_with(last.names, relation);
    }
    add(table, std::move(met));
}

const PastDefinition* TableMemory::sibling(const Relation& relation, const Position& position) const {
    const PastDefinition* found = nullptr;
    if (relation.ancestors.empty()) return found;
    for (const auto& [oid, table] : seen_) {
        const std::size_t at = in_force(table, position);
        if (at == none || oid == relation.oid) continue;
        const PastDefinition& one = table.accepted[at];
        const auto& above = one.relation.ancestors;
        if (above.empty() || above.back() != relation.ancestors.back()) continue;
        if (found == nullptr || found->from < one.from) found = &one;
    }
    return found;
}

void TableMemory::check_still_ruled(const PastDefinition& before, const Relation& relation,
                                    const std::vector<std::string>& ruled) {
    for (const std::string& name : before.ruled) {
        if (column_named(relation, name) == nullptr || std::ranges::binary_search(ruled, name)) continue;
        throw stop_error(
            fmt::format("unable to continue table '{}': rows from before it was altered are still to come, and "
                        "column '{}' had a rule then",
                        full_name(relation), name),
            fmt::format(
                "If the column has another name now, add was: {} to the rule of its new name. Otherwise keep its "
                "rule until these rows have passed.",
                name));
    }
}

void TableMemory::add(TableHistory& table, PastDefinition met) {
    const Oid oid = met.relation.oid;
    bool changed = false;
    if (!table.accepted.empty() && is_expected(table.accepted[0])) {
        table.accepted.erase(table.accepted.begin());
        changed = true;
    }
    const bool passed_refused = table.refused && same(*table.refused, met.relation);
    if (place(table, std::move(met))) changed = true;
    if (passed_refused) {
        table.refused.reset();
        changed = true;
    }
    while (table.accepted.size() > 1 && table.accepted[1].from <= applied_) {
        table.accepted.erase(table.accepted.begin());
        changed = true;
    }
    if (changed) keep(oid);
}

void TableMemory::accept_unnamed(const Relation& relation, const Position& position) {
    const auto found = seen_.find(relation.oid);
    if (found == seen_.end()) return;
    const std::size_t before = in_force(found->second, position);
    const Relation* last = before == none ? nullptr : &found->second.accepted[before].relation;
    const bool expected = before != none && is_expected(found->second.accepted[before]);
    if (last != nullptr && full_name(*last) != full_name(relation)) {
        if (!expected)
            throw stop_error(fmt::format("unable to continue table '{}': its name was '{}' before, and the rules and "
                                         "routing files have only that name",
                                         full_name(relation), full_name(*last)),
                             "Add the table's new name to the files and start again.");
        throw stop_error(fmt::format("unable to continue table '{}': the rules and routing files have it only as '{}', "
                                     "its name when the worker was started",
                                     full_name(relation), full_name(*last)),
                         "Put both names of the table into the files and start again.");
    }
    const Relation* next = newest(relation).relation;
    if (next != nullptr && full_name(*next) != full_name(relation))
        throw stop_error(
            fmt::format("unable to continue table '{}': rows from before it was renamed to '{}' are still to "
                        "come, and the rules and routing files no longer have the old name",
                        full_name(relation), full_name(*next)),
            "Keep both names of the table in the files until these rows have passed.");
    if (next != nullptr && before != none) check_still_ruled(found->second.accepted[before], relation, {});
    seen_.erase(found);
    keep(relation.oid);
}

void TableMemory::refuse(const Relation& relation) {
    TableHistory& table = seen_[relation.oid];
    if (is_accepted(&table, relation)) return;
    if (table.refused && same(*table.refused, relation)) return;
    table.refused = relation;
    keep(relation.oid);
}

void TableMemory::keep(Oid table) const {
    if (keep_) keep_(table, seen(table));
}

}  // namespace pgsluice::rules
