#include "replicator/tables/wanted.h"

#include <fmt/format.h>

#include <algorithm>

#include "replicator/source/session.h"
#include "replicator/source/tables.h"
#include "sql/error.h"
#include "sql/own_schema.h"
#include "stream/table_pattern.h"

namespace pgsluice {

namespace {

constexpr int max_said_made = 2;

std::vector<Oid> oids_of(const std::map<Oid, TableRecord>& record) {
    std::vector<Oid> oids;
    for (const auto& [oid, entry] : record) oids.push_back(oid);
    return oids;
}

}  // namespace

std::vector<sql::CatalogTable> WantedTables::resolve(sql::Connection& source, const Log& log) {
    const Log once = [&](LogLevel level, std::string_view text) { say_once(log, level, std::string(text)); };
    auto tables = resolve_tables(source, options_, once);
    remember(tables);
    return with_children_of(source, tables, once);
}

std::vector<sql::CatalogTable> WantedTables::resolve_present(sql::Connection& source, const Log& log) {
    const Log once = [&](LogLevel level, std::string_view text) { say_once(log, level, std::string(text)); };
    std::vector<sql::CatalogTable> tables;
    try {
        tables = resolve_tables(source, options_, once);
        remember(tables);
    } catch (const Error& error) {
        if (error.action() != Action::stop) throw;
        if (options_.tables.empty()) {  // a schema that has no tables now
            say_once(log, LogLevel::warning, error.what());
        } else {
            tables = one_by_one(source, log);
        }
    }
    return with_children_of(source, tables, once);
}

std::vector<sql::CatalogTable> WantedTables::with_children_of(sql::Connection& source,
                                                              const std::vector<sql::CatalogTable>& tables,
                                                              const Log& log) {
    auto all = with_children(source, tables, selection_, log);
    last_.clear();
    for (const sql::CatalogTable& table : all) last_.insert(table.oid);
    return all;
}

std::optional<QualifiedName> WantedTables::made_since(sql::Connection& source) {
    if (said_made_ == max_said_made) return std::nullopt;
    std::vector<sql::CatalogTable> tables;
    try {
        tables = with_children(source, resolve_tables(source, options_, silent_log), selection_, silent_log);
    } catch (const Error& error) {
        if (error.action() != Action::stop) throw;  // else one that is named is missing
    }
    const auto made = std::ranges::find_if(tables, [&](const auto& table) { return !last_.contains(table.oid); });
    if (made == tables.end()) return std::nullopt;
    ++said_made_;
    return QualifiedName{made->schema, made->name};
}

std::vector<sql::CatalogTable> WantedTables::one_by_one(sql::Connection& source, const Log& log) {
    std::vector<sql::CatalogTable> tables;
    TableChoice others = options_;
    others.tables.clear();
    if (!others.by_default()) tables = resolve_tables(source, others, silent_log);
    for (const std::string& text : options_.tables) {
        TableChoice one;
        one.schema = options_.schema;
        one.tables = {text};
        one.exclude_tables = options_.exclude_tables;
        try {
            for (auto& table : resolve_tables(source, one, silent_log)) {
                resolved_[text] = table.oid;
                tables.push_back(std::move(table));
            }
        } catch (const Error& error) {
            if (error.action() != Action::stop) throw;
            // Where targets do not hear of it, its rows would go to whatever table has the new name there.
            const auto before = options_.track_ddl ? resolved_.find(text) : resolved_.end();
            const auto found = before == resolved_.end() ? std::map<Oid, Existing>{}
                                                         : find_existing(source, std::vector<Oid>{before->second});
            if (found.empty()) {
                say_once(log, LogLevel::warning,
                         fmt::format("{}: it is replicated again when a table of that name is made", error.what()));
                continue;
            }
            const QualifiedName& name = found.begin()->second.name;
            if (name.schema == own_schema) continue;  // it leaves, which is said
            if (const auto table = sql::find_table(source, name.schema, name.table)) tables.push_back(*table);
            say_once(log, LogLevel::warning,
                     fmt::format("table '{}' of --tables is called '{}.{}' now and still replicated: put {} into "
                                 "--tables before the next start",
                                 text, name.schema, name.table, shell_argument({name.schema, name.table})));
        }
    }
    std::ranges::sort(tables, {}, &sql::CatalogTable::oid);
    const auto same = [](const auto& a, const auto& b) { return a.oid == b.oid; };
    tables.erase(std::unique(tables.begin(), tables.end(), same), tables.end());
    return tables;
}

void WantedTables::remember(const std::vector<sql::CatalogTable>& tables) {
    for (const std::string& text : options_.tables) {
        const TablePattern name = parse_table_pattern(text, options_.schema);
        if (name.wildcard()) continue;
        const auto found =
            std::ranges::find_if(tables, [&](const auto& table) { return name.matches(table.schema, table.name); });
        if (found != tables.end()) resolved_[text] = found->oid;
    }
}

std::vector<Finding> WantedTables::reconcile_with(sql::Connection& source, const std::map<Oid, TableRecord>& record,
                                                  const std::vector<sql::CatalogTable>& tables) const {
    auto members = find_members(source, tables, options_.names.publication, options_.publish_via_partition_root);
    for (Member& member : members) {
        const sql::CatalogTable& named = member.named;
        member.by_pattern = selection_.takes(named.schema, named.name) && !selection_.names(named.schema, named.name);
        const auto found = record.find(member.table.oid);
        const bool delivered =
            found != record.end() && found->second.active() && found->second.state != TableState::copy_due;
        if (delivered || member.capture.empty() || member.starts_empty) continue;
        // The log names the root for what comes from its partitions, so none of it can be left out.
        if (member.delivered_oid != member.table.oid && found != record.end()) continue;
        // Read after the catalog, in which it is captured: what is put into it from now on comes as changes.
        const auto since = empty_since(source, member.table.oid);
        member.starts_empty = since.has_value();
        member.empty_since = since.value_or(Lsn{});
    }
    const auto existing = find_existing(source, oids_of(record));
    // After the catalog: a table that has left had its last change delivered before this.
    const Lsn now = wal_end(source);
    return reconcile(record, {members, existing, options_.mode != ReplicatorMode::stream, options_.track_ddl, now,
                              options_.names.group});
}

void WantedTables::say_once(const Log& log, LogLevel level, const std::string& text) {
    if (said_.insert(text).second) log(level, text);
}

}  // namespace pgsluice
