#include "replicator/tables/owed.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "stream/base/failpoint.h"
#include "stream/format/markers.h"
#include "stream/recovery_hint.h"

namespace pgsluice {

namespace {

// A partition that came as its root and may become a table of its own.
bool is_apart(const TableRecord& entry) {
    return entry.reason == was_detached || (entry.reason == was_renamed && entry.delivered_oid != entry.oid);
}

void add(const std::vector<QualifiedName>& more, std::vector<QualifiedName>& names) {
    for (const QualifiedName& name : more)
        if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

}  // namespace

TableRecord OwedTables::entry_of(const Member& member, TableState state, Lsn lsn) const {
    TableRecord entry = entry_for(member, all());
    entry.state = state;
    entry.lsn = lsn;
    return entry;
}

std::vector<QualifiedName> OwedTables::came_as(const Relation& delivered) const {
    std::vector<QualifiedName> names;
    if (const TableRecord* own = records_.find(delivered.oid)) {
        if (own->delivered_oid == delivered.oid) add(own->came_as, names);
        return names;
    }
    for (const auto& [oid, entry] : all())
        if (entry.active() && entry.delivered_oid == delivered.oid) add(entry.came_as, names);
    return names;
}

std::vector<QualifiedName> OwedTables::came_as(const Relation& delivered,
                                               std::span<const sql::CatalogTable> parts) const {
    std::vector<QualifiedName> names;
    for (const sql::CatalogTable& part : parts)
        if (const TableRecord* entry = records_.find(part.oid))
            add(came_before(*entry, delivered.oid, {delivered.schema, delivered.table}), names);
    return names;
}

std::set<Oid> OwedTables::due() const {
    std::set<Oid> due;
    for (const auto& [oid, entry] : all())
        if (entry.state == TableState::copy_due) due.insert(oid);
    return due;
}

void OwedTables::take_over(std::span<const Member> members, const std::set<Oid>& due, Lsn now) {
    std::vector<TableRecord> tables;
    for (const Member& member : members) {
        if (member.capture.empty()) continue;  // it joins
        const bool is_due = due.contains(member.table.oid) || due.contains(member.named.oid);
        tables.push_back(entry_of(member, is_due ? TableState::copy_due : TableState::assumed, now));
    }
    log_(LogLevel::warning,
         fmt::format("the group has no record of its tables: it was made by an older version, or its KV bucket was "
                     "lost. Assuming that the rows of the {} tables that are published now were delivered. Tables that "
                     "were attached as partitions, re-created or added to the publication by hand may lack rows. {} "
                     "to be certain",
                     tables.size(), resnapshot_hint));
    records_.begin(std::move(tables));
}

void OwedTables::confirm(const LastMessage& last) {
    if (last.meta.kind != MessageKind::snapshot_end) return;
    const SnapshotEnd end = decode_snapshot_end(last.body);
    if (!end.called_off) end_epoch(end.epoch);
}

void OwedTables::apply(std::span<const Finding> findings) {
    std::vector<TableRecord> changed;
    for (const Finding& finding : findings) {
        if (!finding.text.empty()) log_(finding.level, finding.text);
        if (!finding.refused) changed.push_back(finding.next);
    }
    records_.set(changed);
    if (!changed.empty()) PGSLUICE_FAILPOINT("after-record");
}

void OwedTables::copy_again(std::span<const Finding> findings) {
    apply(findings);
    copies_added_ = copies_added_ || !findings.empty();
}

void OwedTables::begin(std::span<const Member> members, TableState state, Lsn lsn, std::uint64_t epoch) {
    std::vector<TableRecord> tables;
    for (const Member& member : members) {
        tables.push_back(entry_of(member, state, lsn));
        tables.back().epoch = epoch;
    }
    records_.begin(std::move(tables));
    PGSLUICE_FAILPOINT("after-record");
}

void OwedTables::begin_epoch(std::span<const Member> members, Lsn point, std::uint64_t epoch) {
    std::vector<TableRecord> tables;
    for (const Member& member : members) {
        const TableRecord* before = records_.find(member.table.oid);
        TableRecord next = entry_of(member, TableState::copy_due, point);
        next.epoch = epoch;
        if (before != nullptr) {
            next.replaces = before->replaces;
            next.reason = before->reason;
        }
        tables.push_back(std::move(next));
    }
    records_.set(tables);
    PGSLUICE_FAILPOINT("after-record");
}

void OwedTables::end_epoch(std::uint64_t epoch, const std::map<Oid, std::uint64_t>& rows) {
    change_due([&](TableRecord entry) -> std::optional<TableRecord> {
        if (entry.epoch != epoch) return std::nullopt;
        entry.state = TableState::copied;
        entry.replaces = false;
        entry.reason.clear();
        if (const auto found = rows.find(entry.oid); found != rows.end()) entry.rows = found->second;
        return entry;
    });
    forget_predecessors();
}

// Of tables that left, whose name another one has by now: the targets' rows are that one's. A partition that came under
// its root's name and was detached has them in a table of its own, if the targets detached it, too.
void OwedTables::forget_predecessors() {
    std::set<std::pair<std::string, std::string>> delivered;
    for (const auto& [oid, entry] : all())
        if (entry.active() && entry.state != TableState::copy_due)
            delivered.emplace(entry.delivered_as.schema, entry.delivered_as.table);
    std::set<Oid> superseded;
    for (const auto& [oid, entry] : all())
        if (!entry.active() && !is_apart(entry) &&
            delivered.contains({entry.delivered_as.schema, entry.delivered_as.table}))
            superseded.insert(oid);
    records_.forget(superseded);
}

void OwedTables::change_due(const std::function<std::optional<TableRecord>(TableRecord)>& next) {
    std::vector<TableRecord> changed;
    for (const auto& [oid, entry] : all()) {
        if (entry.state != TableState::copy_due) continue;
        if (auto other = next(entry)) changed.push_back(std::move(*other));
    }
    records_.set(changed);
    if (!changed.empty()) PGSLUICE_FAILPOINT("after-record");
}

}  // namespace pgsluice
