#include "sinks/postgres/apply/segment.h"

#include <algorithm>

namespace pgsluice {

namespace {

bool has_ancestor(const TargetTable& table, Oid oid) {
    return std::find(table.ancestors.begin(), table.ancestors.end(), oid) != table.ancestors.end();
}

// Two mappings may write the same rows: two versions of a relation, two relations routed to one table, or a partition
// and its parent.
bool overlap(const TargetTable& a, const TargetTable& b) {
    return a.oid == b.oid || has_ancestor(a, b.oid) || has_ancestor(b, a.oid);
}

}  // namespace

Segment& PostgresSegments::start() {
    index_.clear();
    return segments_.emplace_back();
}

TableChanges& PostgresSegments::table_of(const Change& change, TargetMappings& mappings, bool keep_order) {
    const auto& mapping = mappings.at(*change.relation);
    Segment* last = segments_.empty() || segments_.back().truncate != nullptr ? &start() : &segments_.back();
    const auto found = index_.find(mapping.get());
    if (found != index_.end()) {
        TableChanges& table = last->tables[found->second];
        if (!keep_order || table.changes.back()->op == change.op) return table;
        last = &start();
    } else if (!last->tables.empty() &&
               (keep_order || std::any_of(last->tables.begin(), last->tables.end(), [&](const TableChanges& other) {
                    return overlap(other.mapping->table, mapping->table);
                }))) {
        last = &start();
    }
    index_.emplace(mapping.get(), last->tables.size());
    last->tables.push_back({mapping, {}, true});
    return last->tables.back();
}

std::span<const Segment> PostgresSegments::cut(const std::vector<Change>& changes, TargetMappings& mappings,
                                               bool keep_order) {
    segments_.clear();
    for (const Change& change : changes) {
        if (change.op == Op::message) continue;
        if (change.op == Op::truncate) {
            start().truncate = &change;
            continue;
        }
        TableChanges& table = table_of(change, mappings, keep_order);
        table.changes.push_back(&change);
        table.only_inserts = table.only_inserts && change.op == Op::insert;
    }
    return segments_;
}

}  // namespace pgsluice
