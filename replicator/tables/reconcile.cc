#include "replicator/tables/reconcile.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "sql/own_schema.h"
#include "stream/full_name.h"
#include "stream/table_pattern.h"

namespace pgsluice {

namespace {

constexpr std::string_view removed = "removed from the group";

// Whether targets may hold rows of the entry's table, under the name that it is or was delivered as.
bool has_rows(const TableRecord& entry) {
    if (entry.state == TableState::copy_due) return entry.replaces;
    return entry.state != TableState::left || (entry.reason != removed && entry.reason != never_copied);
}

bool has_rows_as(const TableRecord& entry, const QualifiedName& name) {
    return (entry.delivered_as == name || entry.rows_as == name) && has_rows(entry);
}

class Comparison {
   public:
    Comparison(const std::map<Oid, TableRecord>& record, const CatalogFacts& facts) : record_(record), facts_(facts) {}

    std::vector<Finding> run() {
        std::set<Oid> members;
        for (const Member& member : facts_.members) {
            members.insert(member.table.oid);
            if (!member.has_identity) without_identity_.try_emplace(member.named.oid, &member);
        }
        for (const Member& member : facts_.members) look_at(member);
        for (const auto& [oid, entry] : record_)
            if (!members.contains(oid)) is_away(entry);
        copy_those_that_lose_rows();
        copy_whole_roots();
        std::vector<Finding> all;
        for (auto& [oid, finding] : findings_) all.push_back(std::move(finding));
        return all;
    }

   private:
    void look_at(const Member& member) {
        const auto found = record_.find(member.table.oid);
        const bool known = found != record_.end() && found->second.created_xid == member.created_xid;
        if (member.delivered_as.schema == own_schema) {  // only a partition: others are not chosen there
            if (known && found->second.active()) return leaves(found->second);
            return refuse(member, fmt::format("{}. Move it to another one", own_schema_reason));
        }
        if (!known || !found->second.active()) return joins(member);
        const TableRecord& entry = found->second;
        if (entry.state == TableState::copy_due) return still_due(member, entry);
        if (member.capture.empty() || entry.capture != member.capture)
            return copy_again(member, entry,
                              "its changes were not captured without a gap: it was detached and "
                              "attached again, or the publication was altered by hand");
        if (entry.delivered_as != member.delivered_as) return renamed(member, entry);
        if (entry.name != name_of(member)) keep_name(member, entry);
    }

    void joins(const Member& member) {
        const std::string name = full_name(member.table);
        if (!member.obstacle.empty()) return refuse(member, member.obstacle);
        // What is published already, as a new partition is with its root, cannot be left out. A table that only lies
        // in the schema is left alone when the source would then refuse UPDATE and DELETE on it, or on a partition.
        const auto lacking = without_identity_.find(member.named.oid);
        if (member.by_pattern && member.capture.empty() && lacking != without_identity_.end())
            return refuse_without_identity(member, member.has_identity ? *lacking->second : member);
        const bool replaces = takes_over_rows(member);
        Finding finding{due(member, replaces, "it joined the group")};
        if (starts_empty(member) && !replaces) {
            finding.next = born_empty(member);
            finding.text = fmt::format("table '{}' is new in the group; it held no rows yet", name);
        } else if (facts_.copies) {
            finding.text =
                fmt::format("table '{}' is new in the group{}", name,
                            replaces ? ": its rows take the place of those the targets have under its name" : "");
        } else {
            finding.level = LogLevel::warning;
            finding.text = fmt::format(
                "table '{}' is new in the group: its changes are replicated from now on, rows "
                "that it holds already are not copied (with --copy-and-stream they are)",
                name);
        }
        finding.publishes = member.capture.empty();
        add(std::move(finding));
    }

    void still_due(const Member& member, const TableRecord& entry) {
        if (starts_empty(member) && !entry.replaces && entry.epoch == 0) {
            add({born_empty(member)});
        } else {
            add({entry, LogLevel::info, "", member.capture.empty()});
        }
    }

    void copy_again(const Member& member, const TableRecord& entry, std::string why) {
        if (!member.obstacle.empty()) return leave_with_gap(member, why);
        Finding finding{due(member, has_rows(entry), std::move(why))};
        finding.level = LogLevel::warning;
        finding.text = fmt::format("table '{}' {}: {}", full_name(member.table),
                                   facts_.copies ? "is copied again"
                                                 : "misses changes (with --copy-and-stream it is "
                                                   "copied again)",
                                   finding.next.reason);
        finding.publishes = member.capture.empty();
        add(std::move(finding));
    }

    void renamed(const Member& member, const TableRecord& entry) {
        const std::string name = full_name(member.delivered_as);
        if (!facts_.renames_travel && takes_over_rows(member))
            return copy_again(member, entry,
                              fmt::format("it has the name of a table whose rows the targets hold (it was '{}')",
                                          full_name(entry.delivered_as)));
        TableRecord next = with_names(entry, member);
        Finding finding{next, LogLevel::info,
                        fmt::format("table '{}' is called '{}' now", full_name(entry.delivered_as), name)};
        if (!facts_.renames_travel) {
            finding.next.rows_as = entry.rows_as.table.empty() ? entry.delivered_as : entry.rows_as;
            if (finding.next.rows_as == member.delivered_as) finding.next.rows_as = {};  // its name again
        }
        if (!finding.next.rows_as.table.empty()) {
            finding.level = LogLevel::warning;
            finding.text += fmt::format(
                ", and that is where its changes go: rename it on the targets, too, or have it copied there (pgsluice "
                "resnapshot --group {} --tables {})",
                facts_.group, shell_argument(member.delivered_as));
        }
        add(std::move(finding));
    }

    // A renamed table's rows may still be where another one's go now.
    void copy_those_that_lose_rows() {
        for (const Member& member : facts_.members) {
            const auto entry = record_.find(member.table.oid);
            const auto finding = findings_.find(member.table.oid);
            const bool known = entry != record_.end() && entry->second.created_xid == member.created_xid;
            if (!known || !entry->second.active()) continue;
            const TableRecord& next = finding == findings_.end() ? entry->second : finding->second.next;
            if (next.rows_as.table.empty() || next.state == TableState::copy_due) continue;
            const auto taker = std::ranges::find_if(facts_.members, [&](const Member& other) {
                return other.delivered_as == next.rows_as && other.delivered_oid != member.delivered_oid;
            });
            if (taker == facts_.members.end()) continue;
            copy_again(member, entry->second,
                       fmt::format("another table is called '{}' now, which is where the targets have its rows",
                                   full_name(next.rows_as)));
        }
    }

    void keep_name(const Member& member, const TableRecord& entry) { add({with_names(entry, member)}); }

    [[nodiscard]] const Existing* existing(const TableRecord& entry) const {
        const auto found = facts_.existing.find(entry.oid);
        const bool same = found != facts_.existing.end() && found->second.created_xid == entry.created_xid;
        return same ? &found->second : nullptr;
    }

    void is_away(const TableRecord& entry) {
        if (entry.active()) return leaves(entry);
        const bool may_come = entry.reason == was_detached || entry.reason == was_renamed;
        if (!may_come || existing(entry) != nullptr) return;
        TableRecord next = entry;  // none that can come back
        next.reason = was_dropped;
        add({next});
    }

    void leaves(const TableRecord& entry) {
        TableRecord next = entry;
        next.state = TableState::left;
        next.lsn = facts_.now;
        next.replaces = false;
        const Existing* exists = existing(entry);
        const bool came_with_another = entry.capture.find('/') != std::string::npos;
        next.reason = exists == nullptr            ? was_dropped
                      : exists->name != entry.name ? was_renamed
                      : came_with_another          ? was_detached
                                                   : removed;
        if (exists != nullptr) next.name = exists->name;
        const std::string text = left_text(entry, next);
        if (!has_rows(entry)) next.reason = std::string(never_copied);
        Finding finding{next, exists != nullptr || keeps_rows_of_another(entry) ? LogLevel::warning : LogLevel::info};
        finding.text = text;
        finding.publishes = exists != nullptr && !came_with_another;
        add(std::move(finding));
    }

    // Its rows stay among those of a table that continues.
    static bool keeps_rows_of_another(const TableRecord& entry) {
        return entry.delivered_oid != entry.oid && has_rows(entry);
    }

    static std::string left_text(const TableRecord& entry, const TableRecord& next) {
        const std::string name = full_name(entry.name);
        const std::string rows = entry.delivered_as == entry.name
                                     ? "the targets keep the rows they have of it"
                                     : fmt::format("the targets keep its rows in '{}'", full_name(entry.delivered_as));
        if (next.reason == was_dropped)
            return fmt::format("table '{}' is no longer replicated: it was dropped{}", name,
                               keeps_rows_of_another(entry) ? "; " + rows : "");
        if (next.name.schema == own_schema)
            return fmt::format(
                "table '{}' is no longer replicated: it is called '{}' now, and {}; {}. Move it to another "
                "schema to continue with it",
                name, full_name(next.name), own_schema_reason, rows);
        if (next.reason == was_renamed)
            return fmt::format(
                "table '{}' is no longer replicated: it is called '{}' now, which is not in the group; "
                "{}. Name it in --tables to continue with it",
                name, full_name(next.name), rows);
        if (next.reason == was_detached)
            return fmt::format(
                "table '{}' is no longer replicated: it was detached from its table; {}. Name it in "
                "--tables to keep it",
                name, rows);
        return fmt::format("table '{}' is no longer replicated: {}", name, rows);
    }

    static bool starts_empty(const Member& member) { return member.starts_empty && !member.capture.empty(); }

    void refuse_without_identity(const Member& member, const Member& lacking) {
        const std::string name = full_name(lacking.table);
        const std::string who =
            lacking.table.oid == member.table.oid
                ? "it has"
                : fmt::format("partition '{}' of its table '{}' has", name, full_name(member.named));
        refuse(member, fmt::format("{} no replica identity, and once it is published the source refuses UPDATE and "
                                   "DELETE on it. Give it a primary key, or run ALTER TABLE {} REPLICA IDENTITY FULL",
                                   who, name));
        Finding& finding = findings_[member.table.oid];
        finding.leaves_out = member.named.oid;
        finding.lacks_identity = true;
    }

    // The record stays as it is: once it can be copied, it is.
    void leave_with_gap(const Member& member, const std::string& why) {
        refuse(member, member.obstacle);
        if (member.capture.empty()) return;  // none of its changes come
        findings_[member.table.oid].text =
            fmt::format("table '{}' misses changes and is not copied again, though later changes come: {}; {}.",
                        full_name(member.table), why, member.obstacle);
    }

    void refuse(const Member& member, const std::string& why) {
        Finding finding{due(member, false, why)};
        finding.leaves_out = member.table.oid;
        finding.level = LogLevel::warning;
        finding.text = fmt::format("table '{}' is not replicated: {}.", full_name(member.table), why);
        finding.refused = true;
        add(std::move(finding));
    }

    // Whether targets hold rows that were delivered as the member is delivered, but are not of the same table's, or
    // not up to date.
    [[nodiscard]] bool takes_over_rows(const Member& member) const {
        return std::ranges::any_of(record_, [&](const auto& each) {
            const TableRecord& entry = each.second;
            if (left_with_its_rows(entry, member)) return true;
            if (!has_rows_as(entry, member.delivered_as)) return false;
            if (entry.oid == member.table.oid) return !entry.active() || entry.created_xid != member.created_xid;
            return !shares_target(entry, member);
        });
    }

    // A partition that was detached, on the targets too, and so has there what was delivered as its root's.
    [[nodiscard]] bool left_with_its_rows(const TableRecord& entry, const Member& member) const {
        return facts_.renames_travel && entry.oid == member.table.oid && entry.created_xid == member.created_xid &&
               !entry.active() && has_rows(entry);
    }

    // Leaves that are delivered as one root.
    static bool shares_target(const TableRecord& entry, const Member& member) {
        return member.delivered_oid != member.table.oid && entry.delivered_oid == member.delivered_oid;
    }

    // What is delivered as one table is copied as one.
    void copy_whole_roots() {
        std::set<Oid> roots;
        for (const Member& member : facts_.members) {
            const auto found = findings_.find(member.table.oid);
            if (found == findings_.end() || found->second.refused || member.delivered_oid == member.table.oid) continue;
            if (found->second.next.state == TableState::copy_due) roots.insert(member.delivered_oid);
        }
        if (roots.empty()) return;
        for (const Member& member : facts_.members) {
            if (!roots.contains(member.delivered_oid)) continue;
            const bool filled = std::ranges::any_of(
                record_, [&](const auto& each) { return has_rows_as(each.second, member.delivered_as); });
            Finding& finding = findings_[member.table.oid];
            const auto entry = record_.find(member.table.oid);
            const bool already = entry != record_.end() && entry->second.created_xid == member.created_xid &&
                                 entry->second.state == TableState::copy_due;
            if (finding.refused || already) {
                if (already && finding.next.oid == 0) finding.next = entry->second;
                continue;
            }
            finding.next =
                due(member, filled || finding.next.replaces,
                    fmt::format("it is delivered as '{}', which is copied as a whole", full_name(member.delivered_as)));
            finding.publishes = finding.publishes || member.capture.empty();
        }
    }

    [[nodiscard]] TableRecord due(const Member& member, bool replaces, std::string why) const {
        TableRecord next = entry_for(member, record_);
        next.state = facts_.copies ? TableState::copy_due : TableState::not_copied;
        next.lsn = facts_.now;
        next.replaces = facts_.copies && replaces;
        next.reason = std::move(why);
        return next;
    }

    [[nodiscard]] TableRecord born_empty(const Member& member) const {
        TableRecord next = due(member, false, "");
        next.state = TableState::born_empty;
        next.delivered_from = member.empty_since;
        return next;
    }

    static QualifiedName name_of(const Member& member) { return {member.table.schema, member.table.name}; }

    static TableRecord with_names(const TableRecord& entry, const Member& member) {
        TableRecord next = entry;
        next.name = name_of(member);
        next.delivered_as = member.delivered_as;
        next.delivered_oid = member.delivered_oid;
        next.came_as = came_before(entry, member.delivered_oid, member.delivered_as);
        return next;
    }

    void add(Finding finding) { findings_[finding.next.oid] = std::move(finding); }

    const std::map<Oid, TableRecord>& record_;
    const CatalogFacts& facts_;
    std::map<Oid, const Member*> without_identity_;  // the first such member, by the table that brings it in
    std::map<Oid, Finding> findings_;
};

}  // namespace

bool holds_rows_of_another(const std::map<Oid, TableRecord>& record, const QualifiedName& name, Oid table) {
    return std::ranges::any_of(record,
                               [&](const auto& each) { return each.first != table && has_rows_as(each.second, name); });
}

TableRecord entry_for(const Member& member, const std::map<Oid, TableRecord>& record) {
    TableRecord entry{member.table.oid,    member.created_xid,
                      member.capture,      {member.table.schema, member.table.name},
                      member.delivered_as, member.delivered_oid};
    const auto before = record.find(entry.oid);
    if (before != record.end() && before->second.created_xid == entry.created_xid)
        entry.came_as = came_before(before->second, entry.delivered_oid, entry.delivered_as);
    return entry;
}

std::vector<Finding> reconcile(const std::map<Oid, TableRecord>& record, const CatalogFacts& facts) {
    return Comparison(record, facts).run();
}

}  // namespace pgsluice
