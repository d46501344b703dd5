#include "replicator/tables/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "replicator/source/members.h"
#include "replicator/source/session.h"
#include "replicator/tables/reconcile.h"
#include "replicator/tables/requested_copies.h"
#include "sql/own_schema.h"

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

// `looked`: the record is of now.
TableGate::Known TableGate::known(const Relation& relation, Lsn committed, bool looked) const {
    const auto found = owed_.all().find(relation.oid);
    if (found == owed_.all().end()) {
        const bool is_root = ends_.options.publish_via_partition_root && delivers_others(owed_.all(), relation);
        return is_root && looked ? Known::delivered : Known::unknown;
    }
    const TableRecord& entry = found->second;
    const bool same_name = entry.delivered_as.schema == relation.schema && entry.delivered_as.table == relation.table;
    if (entry.state == TableState::copy_due) return Known::left_out;
    // What was committed before it left is still to come, under the name it had, or the names: of one that was dropped
    // captured DDL brings each rename, and one that was taken back leaves no gap in its rows.
    if (entry.state == TableState::left) {
        const bool names_come = ends_.options.track_ddl && entry.reason == was_dropped;
        const bool comes = committed < entry.lsn && entry.reason != never_copied && (same_name || names_come);
        return comes ? Known::delivered : Known::left_out;
    }
    return same_name ? Known::delivered : Known::unknown;
}

TableVerdict TableGate::verdict(const Relation& relation, Lsn committed) {
    Known what = known(relation, committed, false);
    bool exists = false;
    if (what == Known::unknown) {
        // Asked first: what is there now, look() sees as well. A transaction becomes visible a while after its commit
        // is in the log, so what is not there may come yet.
        exists = !find_existing(ends_.source, std::vector<Oid>{relation.oid}).empty();
        if (!look()) return TableVerdict::end_session;
        what = known(relation, committed, true);
    }
    if (what == Known::delivered) return TableVerdict::publish;
    if (what == Known::left_out) return TableVerdict::leave_out;
    if (owed_.all().contains(relation.oid)) return verdict_on_other_name(relation, committed);
    if (!exists) return verdict_on_unseen(relation);
    wanted_.say_once(ends_.log, LogLevel::warning,
                     fmt::format("the source sends changes of table '{}.{}', which is not one of the group's: they are "
                                 "left out",
                                 relation.schema, relation.table));
    return TableVerdict::leave_out;
}

Lsn TableGate::published_from(Oid table) const {
    const auto found = owed_.all().find(table);
    return found == owed_.all().end() ? Lsn{} : found->second.delivered_from;
}

// One that is gone, or not to be seen yet: all that it held while it was captured comes. The record has it as one that
// left, so that a table that gets its name later, or itself when it is seen, takes the place of its rows. Where another
// one's rows are there under its name they are not mixed: gone, it matters no more; seen later, it is copied.
TableVerdict TableGate::verdict_on_unseen(const Relation& relation) {
    const QualifiedName name{relation.schema, relation.table};
    if (name.schema == own_schema || holds_rows_of_another(owed_.all(), name, relation.oid))
        return TableVerdict::leave_out;
    TableRecord entry{relation.oid, 0, "", name, name, relation.oid, TableState::left, wal_end(ends_.source)};
    entry.reason = was_dropped;
    owed_.apply(std::vector<Finding>{{entry}});
    return TableVerdict::publish;
}

// Under an earlier name: so did its changes then. Where the targets have another table's rows under that name, the two
// were swapped by renaming and swapped back before anyone looked: the catalog shows nothing of it, and the rows must
// not be mixed. Nor must they come under a name that was not chosen, by a table that was chosen by name. What was
// committed before the table was copied is left out anyway.
TableVerdict TableGate::verdict_on_other_name(const Relation& relation, Lsn committed) {
    const QualifiedName name{relation.schema, relation.table};
    const TableRecord& entry = owed_.all().at(relation.oid);
    const bool may_come = name.schema != own_schema && (wanted_.takes(name) || !wanted_.takes(entry.delivered_as));
    if (ends_.options.track_ddl && name.schema != own_schema) return TableVerdict::publish;
    if (committed < entry.lsn) return may_come ? TableVerdict::publish : TableVerdict::leave_out;
    if (may_come && !holds_rows_of_another(owed_.all(), name, relation.oid)) return TableVerdict::publish;
    const std::string why = fmt::format(
        "for a while it was called '{}.{}', which {}", name.schema, name.table,
        may_come ? "is where the targets have another table's rows" : "the group's selection does not take");
    if (ends_.options.mode == ReplicatorMode::copy_and_stream) {
        copy_again({relation.oid}, why);
    } else {
        wanted_.say_once(ends_.log, LogLevel::warning,
                         fmt::format("table '{}.{}' misses changes (with --copy-and-stream it is copied again): {}",
                                     entry.name.schema, entry.name.table, why));
    }
    return TableVerdict::leave_out;
}

std::set<Oid> TableGate::recorded(const std::set<Oid>& tables, bool active) const {
    std::set<Oid> found;
    for (const auto& [oid, entry] : owed_.all())
        if (entry.active() == active && tables.contains(oid)) found.insert(oid);
    return found;
}

void TableGate::copy_again(const std::set<Oid>& tables, std::string_view reason) {
    owed_.copy_again(requested_copies(owed_.all(), tables, true, reason));
    if (monitor_ != nullptr) monitor_->update(owed_.all());
}

bool TableGate::session_must_end() {
    if (monitor_ == nullptr) return false;
    if (owed_.copies_added()) {
        ends_.log(LogLevel::info, "tables are to be copied again: starting a new session for that");
        return true;
    }
    if (ends_.housekeeper.copies_requested()) {
        ends_.log(LogLevel::info, "tables are to be copied again: starting a new session for that");
        return true;
    }
    if (monitor_->publication_altered()) {
        ends_.log(LogLevel::info, "the publication was altered: starting a new session, which puts that right");
        return true;
    }
    return monitor_->differs() && !look();
}

std::vector<Finding> TableGate::differences() {
    const auto tables = wanted_.resolve_present(ends_.source, ends_.log);
    auto findings = wanted_.reconcile_with(ends_.source, owed_.all(), tables);
    std::erase_if(findings, [&](const Finding& finding) {
        const auto known = owed_.all().find(finding.next.oid);
        return finding.refused || (known != owed_.all().end() && known->second == finding.next);
    });
    return findings;
}

bool TableGate::is_void(const std::set<Oid>& roots, std::string_view reason) {
    std::set<Oid> leaves;
    for (const auto& [oid, entry] : owed_.all()) {
        if (!entry.active() || oid == entry.delivered_oid || !roots.contains(entry.delivered_oid)) continue;
        if (entry.state == TableState::copy_due) return true;
        leaves.insert(oid);
    }
    return !leaves.empty() &&
           becomes_void(leaves, reason, [&](const TableRecord& next) { return roots.contains(next.delivered_oid); });
}

bool TableGate::is_void(Oid table, std::string_view reason) {
    const auto found = owed_.all().find(table);
    if (found == owed_.all().end()) return false;
    if (found->second.state == TableState::copy_due) return true;
    return becomes_void({table}, reason, [&](const TableRecord& next) { return next.oid == table; });
}

bool TableGate::becomes_void(const std::set<Oid>& tables, std::string_view reason,
                             const std::function<bool(const TableRecord& next)>& is_of_them) {
    const bool due = std::ranges::any_of(differences(), [&](const Finding& finding) {
        return finding.next.state == TableState::copy_due && is_of_them(finding.next);
    });
    if (due) copy_again(active(tables), reason);
    return due;
}

bool TableGate::look() {
    const auto findings = differences();
    if (std::ranges::any_of(findings, [](const Finding& finding) { return finding.needs_restart(); })) {
        ends_.log(LogLevel::info, "the group's tables have changed: starting a new session, which takes that in");
        return false;
    }
    owed_.apply(findings);
    if (monitor_ != nullptr) monitor_->update(owed_.all());
    return true;
}

}  // namespace pgsluice
