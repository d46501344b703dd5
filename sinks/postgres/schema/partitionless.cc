#include "sinks/postgres/schema/partitionless.h"

namespace pgsluice {

std::vector<PartitionlessTable> partitionless_tables(sql::Connection& source, const std::string& publication) {
    const auto rows = source.query(
        "SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_publication_rel r "
        "ON r.prpubid = p.oid JOIN pg_catalog.pg_class c ON c.oid = r.prrelid AND c.relkind = 'p' "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE p.pubname = $1 AND NOT EXISTS (SELECT FROM "
        "pg_catalog.pg_partition_tree(c.oid) t WHERE t.isleaf) ORDER BY n.nspname, c.relname",
        {sql::Param(publication)}, {3});
    std::vector<PartitionlessTable> found;
    for (int row = 0; row < rows.rows(); ++row)
        found.push_back({static_cast<Oid>(rows.integer(row, 0)), {rows.text(row, 1), rows.text(row, 2)}});
    return found;
}

}  // namespace pgsluice
