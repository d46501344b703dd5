#include "sinks/postgres/kept_rows.h"

#include "sinks/postgres/array.h"
#include "sql/quote.h"

namespace pgsluice {

std::vector<std::string> KeptRows::keep(const QualifiedName& table) {
    const auto kept = session_.connection.query(
        "WITH RECURSIVE below(oid) AS (SELECT pg_catalog.to_regclass($3)::pg_catalog.oid UNION SELECT i.inhrelid FROM "
        "below b JOIN pg_catalog.pg_inherits i ON i.inhparent = b.oid), "
        "named AS (SELECT c.oid, n.nspname, c.relname FROM below b JOIN "
        "pg_catalog.pg_class c ON c.oid = b.oid AND c.relkind IN ('r', 'p', 'f') JOIN pg_catalog.pg_namespace n ON "
        "n.oid = c.relnamespace), "
        "noted AS (INSERT INTO pgsluice.unchecked SELECT $1, $2, 'kept', oid FROM named ON CONFLICT DO NOTHING) "
        "SELECT nspname, relname FROM named UNION SELECT n.nspname, c.relname FROM below b CROSS JOIN "
        "pg_catalog.pg_partition_ancestors(b.oid) a JOIN pg_catalog.pg_class c ON c.oid = a.relid JOIN "
        "pg_catalog.pg_namespace n ON n.oid = c.relnamespace",
        {sql::Param(options_.group), sql::Param(options_.worker),
         sql::Param(sql::quote_qualified(table.schema, table.table))},
        {2});
    std::vector<std::string> names;
    for (int row = 0; row < kept.rows(); ++row)
        names.push_back(sql::quote_qualified(kept.text(row, 0), kept.text(row, 1)));
    return names;
}

std::set<Oid> KeptRows::tables() {
    const auto found = session_.connection.query(
        "SELECT u.oid FROM pgsluice.unchecked u WHERE u.\"group\" = $1 AND u.worker = $2 AND u.class = 'kept' UNION "
        "SELECT a.relid FROM pgsluice.unchecked u CROSS JOIN pg_catalog.pg_partition_ancestors(u.oid) a WHERE "
        "u.\"group\" = $1 AND u.worker = $2 AND u.class = 'kept'",
        {sql::Param(options_.group), sql::Param(options_.worker)}, {1});
    std::set<Oid> tables;
    for (int row = 0; row < found.rows(); ++row) tables.insert(static_cast<Oid>(found.integer(row, 0)));
    return tables;
}

// A partitioned table's own mark goes with the first of its partitions: theirs are what counts.
void KeptRows::forget(const std::vector<RelationPtr>& tables) {
    std::vector<std::string> names;
    for (const RelationPtr& table : tables)
        if (table) names.push_back(sql::quote_qualified(table->schema, table->table));
    session_.connection.query(
        "WITH named(oid) AS (SELECT pg_catalog.to_regclass(name)::pg_catalog.oid FROM pg_catalog.unnest($3::text[]) "
        "AS t(name)) DELETE FROM pgsluice.unchecked u WHERE u.\"group\" = $1 AND u.worker = $2 AND u.class = 'kept' "
        "AND u.oid IN (SELECT oid FROM named UNION SELECT p.relid FROM named CROSS JOIN "
        "pg_catalog.pg_partition_tree(named.oid) p UNION SELECT a.relid FROM named CROSS JOIN "
        "pg_catalog.pg_partition_ancestors(named.oid) a)",
        {sql::Param(options_.group), sql::Param(options_.worker), sql::Param(text_array(names))}, {0});
}

}  // namespace pgsluice
