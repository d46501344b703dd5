#include "replicator/table_gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "replicator/source/session.h"

namespace pgsluice {

namespace {

// A root that is published in place of its partitions.
bool delivers_others(const std::map<Oid, TableRecord>& record, const Relation& relation) {
    return std::ranges::any_of(record, [&](const auto& each) {
        const TableRecord& entry = each.second;
        return entry.oid != relation.oid && entry.active() && entry.delivered_as.schema == relation.schema &&
               entry.delivered_as.table == relation.table;
    });
}

}  // namespace

TableGate::Known TableGate::known(const Relation& relation, Lsn committed) const {
    const auto found = owed_.all().find(relation.oid);
    if (found == owed_.all().end()) {
        const bool is_root = ends_.options.publish_via_partition_root && delivers_others(owed_.all(), relation);
        return is_root && committed < looked_at_ ? Known::delivered : Known::unknown;
    }
    const TableRecord& entry = found->second;
    const bool same_name = entry.delivered_as.schema == relation.schema && entry.delivered_as.table == relation.table;
    if (entry.state == TableState::copy_due) return Known::left_out;
    // What was committed before it left is still to come, under the name it had.
    if (entry.state == TableState::left)
        return same_name && committed < entry.lsn && entry.reason != never_copied ? Known::delivered : Known::left_out;
    return same_name ? Known::delivered : Known::unknown;
}

TableVerdict TableGate::verdict(const Relation& relation, Lsn committed) {
    Known what = known(relation, committed);
    if (what == Known::unknown && committed >= looked_at_) {
        if (!look()) return TableVerdict::end_session;
        what = known(relation, committed);
    }
    if (what == Known::delivered) return TableVerdict::publish;
    if (what == Known::left_out) return TableVerdict::leave_out;
    const std::vector<Oid> oid{relation.oid};
    const auto existing = find_existing(ends_.source, oid);
    // One that is gone: all that it held while it was captured comes, and it held nothing else that is still there. One
    // under an earlier name: so did its changes then.
    if (existing.empty() || owed_.all().contains(relation.oid)) return TableVerdict::publish;
    const auto tables = wanted_.resolve_present(ends_.source, ends_.log);
    const bool wanted = std::ranges::any_of(tables, [&](const auto& table) { return table.oid == relation.oid; });
    return wanted ? TableVerdict::publish : TableVerdict::leave_out;
}

bool TableGate::session_must_end() {
    if (monitor_ == nullptr) return false;
    if (ends_.housekeeper.copies_requested()) {
        ends_.log(LogLevel::info, "tables are to be copied again: starting a new session for that");
        return true;
    }
    return monitor_->differs() && !look();
}

bool TableGate::look() {
    const Lsn now = wal_end(ends_.source);
    const auto tables = wanted_.resolve_present(ends_.source, ends_.log);
    auto findings = wanted_.reconcile_with(ends_.source, owed_.all(), tables);
    std::erase_if(findings, [&](const Finding& finding) {
        const auto known = owed_.all().find(finding.next.oid);
        return finding.refused || (known != owed_.all().end() && known->second == finding.next);
    });
    if (std::ranges::any_of(findings, [](const Finding& finding) { return finding.needs_restart(); })) {
        ends_.log(LogLevel::info, "the group's tables have changed: starting a new session, which takes that in");
        return false;
    }
    owed_.apply(findings);
    looked_at_ = now;
    if (monitor_ != nullptr) monitor_->update(owed_.all());
    return true;
}

}  // namespace pgsluice
