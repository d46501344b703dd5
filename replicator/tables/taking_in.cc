#include "replicator/tables/taking_in.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>

#include "replicator/source/members.h"
#include "replicator/source/publication.h"
#include "replicator/source/table_selection.h"
#include "replicator/tables/reconcile.h"
#include "replicator/tables/requested_copies.h"
#include "stream/format/markers.h"
#include "stream/group/copy_request.h"
#include "stream/recovery_hint.h"

namespace pgsluice {

namespace {

// A group without a record, of an older build.
void take_over(const TakingIn& with) {
    const std::string& publication = with.options.names.publication;
    const std::set<Oid> due = noted_due(with.source, publication);
    const MessageMeta& last = with.last.meta;
    const bool copied =
        last.added && last.kind == MessageKind::snapshot_end && !decode_snapshot_end(with.last.body).called_off;
    const auto published = published_tables(with.source, publication);
    with.owed.take_over(find_members(with.source, published, publication, with.options.publish_via_partition_root),
                        copied ? std::set<Oid>{} : due, with.wal_end);
    if (!due.empty()) forget_noted_due(with.source, publication);
}

void take_in_requests(const TakingIn& with) {
    const CopyRequest request = find_copy_request(with.broker, with.options.names);
    if (request.garbled)
        with.log(LogLevel::warning,
                 "the KV key 'copy_request' cannot be read, so another program wrote it. If you asked for tables to be "
                 "copied again with pgsluice resnapshot, ask again");
    if (request.tables.empty()) return;
    with.owed.apply(
        requested_copies(with.owed.all(), request.tables, with.options.mode == ReplicatorMode::copy_and_stream));
    end_copy_request(with.broker, with.options.names, request);
}

// Partitioned tables that cannot be told to have a key before they have partitions.
void leave_empty_roots(const ReplicatorOptions& options, sql::Connection& source, WantedTables& wanted, const Log& log,
                       const std::vector<sql::CatalogTable>& tables, std::set<Oid>& refused) {
    const TableSelection selection = selection_of(options);
    for (const Oid oid : unpublished_without_key(source, tables, options.names.publication)) {
        const auto table = std::ranges::find(tables, oid, &sql::CatalogTable::oid);
        if (selection.names(table->schema, table->name)) continue;
        wanted.say_once(log, LogLevel::info,
                        fmt::format("partitioned table '{}.{}' has neither a primary key nor partitions yet: it is "
                                    "taken in when its partitions have a replica identity",
                                    table->schema, table->name));
        refused.insert(oid);
    }
}

void remove(const std::set<Oid>& refused, std::vector<sql::CatalogTable>& tables) {
    std::erase_if(tables, [&](const auto& table) { return refused.contains(table.oid); });
}

void leave_refused(const TakingIn& with, std::span<const Finding> findings, std::vector<sql::CatalogTable>& tables) {
    std::set<Oid> refused;
    const TableSelection selection = selection_of(with.options);
    for (const Finding& finding : findings) {
        const bool named = selection.names(finding.next.name.schema, finding.next.name.table);
        if (finding.refused && finding.next.capture.empty() && (with.again || !named))
            refused.insert(finding.leaves_out);
    }
    leave_empty_roots(with.options, with.source, with.wanted, with.log, tables, refused);
    remove(refused, tables);
}

// Whatever it did not publish meanwhile is not in the log's changes.
void warn_of_altered_publication(const TakingIn& with) {
    const std::string& name = with.options.names.publication;
    const std::string& known = with.owed.publication();
    if (known.empty() || known == publication_version(with.source, name)) return;
    with.log(LogLevel::warning,
             fmt::format("publication '{}' was altered by hand, or made again: changes that it did not publish "
                         "meanwhile are missing in the stream. {} to be certain",
                         name, resnapshot_hint));
}

}  // namespace

void take_in_changes(const TakingIn& with, std::vector<sql::CatalogTable>& tables) {
    if (with.owed.kept())
        with.owed.confirm(with.last);
    else
        take_over(with);
    take_in_requests(with);
    const auto findings = with.wanted.reconcile_with(with.source, with.owed.all(), tables);
    with.owed.apply(findings);
    leave_refused(with, findings, tables);
    warn_of_altered_publication(with);
}

void keep_left_out(const StartingOver& with, std::vector<sql::CatalogTable>& tables) {
    if (with.owed.all().empty()) return;
    std::set<Oid> refused;
    for (const Finding& finding : with.wanted.reconcile_with(with.source, with.owed.all(), tables)) {
        if (!finding.lacks_identity) continue;
        with.wanted.say_once(with.log, finding.level, finding.text);
        refused.insert(finding.leaves_out);
    }
    leave_empty_roots(with.options, with.source, with.wanted, with.log, tables, refused);
    remove(refused, tables);
}

}  // namespace pgsluice
