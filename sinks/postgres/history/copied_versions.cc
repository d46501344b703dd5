#include "sinks/postgres/history/copied_versions.h"

#include <fmt/format.h>

#include "sinks/postgres/history/version_statements.h"
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

std::string prefix_of(const PostgresSinkOptions& options) {
    return fmt::format("copy_{:016x}_", number_of(options.group + ' ' + options.worker));
}

}  // namespace

std::string CopiedVersions::place(const PostgresSinkOptions& options, const Relation& relation) {
    return sql::quote_qualified("pgsluice", prefix_of(options) + std::to_string(relation.oid));
}

void CopiedVersions::drop_all() {
    const auto found = session_.connection.query(
        "SELECT relname FROM pg_catalog.pg_class WHERE relnamespace = 'pgsluice'::pg_catalog.regnamespace AND relkind "
        "= "
        "'r' AND pg_catalog.starts_with(relname, $1)",
        {sql::Param(prefix_of(options_))}, {1});
    for (int row = 0; row < found.rows(); ++row)
        session_.connection.exec("DROP TABLE " + sql::quote_qualified("pgsluice", found.text(row, 0)));
}

void CopiedVersions::prepare(const std::vector<RelationPtr>& tables) {
    drop_all();
    for (const RelationPtr& table : tables) {
        if (!table || !mappings_.at(*table)->keeps_history()) continue;
        session_.connection.exec(text_copy(*mappings_.at(*table), place(options_, *table)));
    }
}

void CopiedVersions::merge(const std::vector<RelationPtr>& tables, std::int64_t time_us) {
    std::vector<const Relation*> kept;
    for (const RelationPtr& table : tables)
        if (table && mappings_.at(*table)->keeps_history()) kept.push_back(table.get());
    // Before the settings below, so that the plans of the looks, which stay, are not made with them.
    for (const Relation* table : kept) session_.owner_to_write_as(written_table(*mappings_.at(*table)));
    // All rows are compared with all: by the session's nested loops, in the square of their number. And no index may be
    // scanned but for a bitmap (TargetMapping::row_by_row).
    session_.connection.exec(
        "SET LOCAL enable_seqscan = on; SET LOCAL enable_bitmapscan = on; SET LOCAL enable_hashjoin = on; SET LOCAL "
        "enable_mergejoin = on; SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off");
    for (const Relation* table : kept) merge(*table, timestamptz_text(time_us));
    drop_all();
}

void CopiedVersions::merge(const Relation& relation, const std::string& time) {
    const TargetMapping& mapping = *mappings_.at(relation);
    std::string from = place(options_, relation);
    const auto owner = session_.owner_to_write_as(written_table(mapping));
    if (owner) {  // who cannot look into our schema
        const std::string temporary = fmt::format("pgsluice_versions_{}", relation.oid);
        session_.connection.exec(
            fmt::format("CREATE TEMP TABLE {0} ON COMMIT DROP AS TABLE {1}; GRANT SELECT ON "
                        "pg_temp.{0} TO {2}",
                        temporary, from, sql::quote_identifier(*owner)));
        from = "pg_temp." + temporary;
    }
    session_.connection.exec("ANALYZE " + from);
    for (const std::string& statement : merge_copied_versions(mapping, from, time)) {
        if (owner)
            session_.run_as(*owner, statement);
        else
            session_.connection.exec(statement);
    }
}

}  // namespace pgsluice
