#include "sinks/postgres/segment.h"

#include <algorithm>

namespace pgsluice {

namespace {

bool has_ancestor(const TargetTable& table, Oid oid) {
    return std::find(table.ancestors.begin(), table.ancestors.end(), oid) != table.ancestors.end();
}

// Two plans may write the same rows: two versions of a relation, two relations routed to one table, or a partition
// and its parent.
bool overlap(const TargetTable& a, const TargetTable& b) {
    return a.oid == b.oid || has_ancestor(a, b.oid) || has_ancestor(b, a.oid);
}

}  // namespace

Segment& PostgresSegments::start() {
    index_.clear();
    return segments_.emplace_back();
}

TableChanges& PostgresSegments::table_of(const Change& change, PostgresPlans& plans, bool keep_order) {
    const auto& plan = plans.at(*change.relation);
    Segment* last = segments_.empty() || segments_.back().truncate != nullptr ? &start() : &segments_.back();
    const auto found = index_.find(plan.get());
    if (found != index_.end()) {
        TableChanges& table = last->tables[found->second];
        if (!keep_order || table.changes.back()->op == change.op) return table;
        last = &start();
    } else if (!last->tables.empty() &&
               (keep_order || std::any_of(last->tables.begin(), last->tables.end(), [&](const TableChanges& other) {
                    return overlap(other.plan->table, plan->table);
                }))) {
        last = &start();
    }
    index_.emplace(plan.get(), last->tables.size());
    last->tables.push_back({plan, {}, true});
    return last->tables.back();
}

std::span<const Segment> PostgresSegments::cut(const std::vector<Change>& changes, PostgresPlans& plans,
                                               bool keep_order) {
    segments_.clear();
    for (const Change& change : changes) {
        if (change.op == Op::message) continue;
        if (change.op == Op::truncate) {
            start().truncate = &change;
            continue;
        }
        TableChanges& table = table_of(change, plans, keep_order);
        table.changes.push_back(&change);
        table.only_inserts = table.only_inserts && change.op == Op::insert;
    }
    return segments_;
}

}  // namespace pgsluice
