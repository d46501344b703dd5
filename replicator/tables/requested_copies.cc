#include "replicator/tables/requested_copies.h"

#include <fmt/format.h>

namespace pgsluice {

namespace {

Finding copied_again(const TableRecord& entry, std::string_view reason) {
    Finding finding{entry};
    if (entry.state == TableState::copy_due) return finding;
    finding.next.state = TableState::copy_due;
    finding.next.replaces = true;
    finding.next.epoch = 0;
    finding.next.rows.reset();
    finding.next.reason = reason;
    finding.text =
        fmt::format("table '{}.{}' is copied again: {}", entry.name.schema, entry.name.table, finding.next.reason);
    return finding;
}

Finding refused(const TableRecord& entry, const std::string& why) {
    Finding finding{entry, LogLevel::warning};
    finding.refused = true;
    finding.text = fmt::format("table '{}.{}' is not copied again: {}", entry.name.schema, entry.name.table, why);
    return finding;
}

// The oids that the changes of these tables name.
std::set<Oid> delivered_as(const std::map<Oid, TableRecord>& record, const std::set<Oid>& tables) {
    std::set<Oid> delivered;
    for (const auto& [oid, entry] : record)
        if (tables.contains(oid)) delivered.insert(entry.delivered_oid);
    return delivered;
}

}  // namespace

std::vector<Finding> requested_copies(const std::map<Oid, TableRecord>& record, const std::set<Oid>& asked, bool copies,
                                      std::string_view reason) {
    const std::set<Oid> delivered = delivered_as(record, asked);
    std::vector<Finding> findings;
    for (const auto& [oid, entry] : record) {
        if (!asked.contains(oid) && !(entry.active() && delivered.contains(entry.delivered_oid))) continue;
        if (!entry.active()) {
            findings.push_back(refused(entry, "it is no longer in the group"));
        } else if (!copies) {
            findings.push_back(refused(entry, "start the replicator with --copy-and-stream for that"));
        } else {
            findings.push_back(copied_again(entry, reason));
        }
    }
    return findings;
}

}  // namespace pgsluice
