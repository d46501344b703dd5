#include "sinks/postgres/history/copied_versions.h"

#include <fmt/format.h>

#include "sinks/postgres/history/version_statements.h"
#include "sinks/postgres/own_rows.h"
#include "sinks/postgres/statements.h"
#include "sql/quote.h"

namespace pgsluice {

namespace {

// FNV-1a: the names of group and worker are too long for a table's.
std::uint64_t number_of(const std::string& text) {
    std::uint64_t number = 0xcbf29ce484222325ULL;
    for (const char c : text) number = (number ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return number;
}

std::string prefix_of(const std::string& group, const std::string& worker) {
    return fmt::format("copy_{:016x}_", number_of(group + ' ' + worker));
}

}  // namespace

std::string CopiedVersions::place(const PostgresSinkOptions& options, const Relation& relation) {
    return sql::quote_qualified("pgsluice", prefix_of(options.group, options.worker) + std::to_string(relation.oid));
}

void CopiedVersions::drop_all() { drop_all(session_.connection, options_.group, options_.worker); }

void CopiedVersions::drop_all(sql::Connection& connection, const std::string& group, const std::string& worker) {
    const auto found = connection.query(
        "SELECT relname FROM pg_catalog.pg_class WHERE relnamespace = 'pgsluice'::pg_catalog.regnamespace AND relkind "
        "= 'r' AND pg_catalog.starts_with(relname, $1)",
        {sql::Param(prefix_of(group, worker))}, {1});
    for (int row = 0; row < found.rows(); ++row)
        connection.exec("DROP TABLE " + sql::quote_qualified("pgsluice", found.text(row, 0)));
}

void CopiedVersions::prepare(const std::vector<RelationPtr>& tables) {
    drop_all();
    for (const RelationPtr& table : tables) {
        if (!table || !mappings_.at(*table)->keeps_history()) continue;
        session_.connection.exec(text_copy(*mappings_.at(*table), place(options_, *table)));
    }
}

void CopiedVersions::merge(const std::vector<RelationPtr>& tables,
                           const std::map<std::uint32_t, std::set<std::string>>& shared, std::int64_t time_us) {
    struct Fillers {
        std::vector<const Relation*> tables;
        bool all = true;
    };
    std::map<OwnRows, Fillers> places;
    for (std::uint32_t i = 0; i < tables.size(); ++i) {
        if (!tables[i]) continue;
        const TargetMapping& mapping = *mappings_.at(*tables[i]);
        if (!mapping.keeps_history()) continue;
        Fillers& fillers = places[OwnRows::of(mapping.table.name, *tables[i])];
        fillers.tables.push_back(tables[i].get());
        if (shared.contains(i)) fillers.all = false;
        // Before the settings below, so that the plans of the looks, which stay, are not made with them.
        session_.owner_to_write_as(written_table(mapping));
    }
    // All rows are compared with all: by the session's nested loops, in the square of their number. And no index may be
    // scanned but for a bitmap (TargetMapping::row_by_row).
    session_.connection.exec(
        "SET LOCAL enable_seqscan = on; SET LOCAL enable_bitmapscan = on; SET LOCAL enable_hashjoin = on; SET LOCAL "
        "enable_mergejoin = on; SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off");
    for (const auto& [place, fillers] : places) merge(fillers.tables, timestamptz_text(time_us), fillers.all);
    drop_all();
}

void CopiedVersions::merge(const std::vector<const Relation*>& tables, const std::string& time, bool whole) {
    const auto owner = session_.owner_to_write_as(written_table(*mappings_.at(*tables.front())));
    std::vector<CopiedRows> copies;
    for (const Relation* table : tables) copies.push_back({mappings_.at(*table).get(), readable(*table, owner)});
    for (const std::string& statement : merge_copied_versions(copies, time, whole)) {
        if (owner)
            session_.run_as(*owner, statement);
        else
            session_.connection.exec(statement);
    }
}

// Where the rows of this table were loaded, or a copy for an owner, who cannot look into our schema.
std::string CopiedVersions::readable(const Relation& relation, const std::optional<std::string>& owner) {
    std::string from = place(options_, relation);
    if (owner) {
        const std::string temporary = fmt::format("pgsluice_versions_{}", relation.oid);
        session_.connection.exec(
            fmt::format("CREATE TEMP TABLE {0} ON COMMIT DROP AS TABLE {1}; GRANT SELECT ON "
                        "pg_temp.{0} TO {2}",
                        temporary, from, sql::quote_identifier(*owner)));
        from = "pg_temp." + temporary;
    }
    session_.connection.exec("ANALYZE " + from);
    return from;
}

}  // namespace pgsluice
