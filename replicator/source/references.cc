#include "replicator/source/references.h"

#include <utility>

namespace pgsluice {

namespace {

// A partition that refers has a constraint of its own; for each partition that is referred to there is one of the same
// table, below the one that counts.
constexpr const char* references_query = R"(
SELECT DISTINCT n.nspname, c.relname, a.attname, fn.nspname, fc.relname, fa.attname,
       a.atttypid = fa.atttypid AND a.atttypmod = fa.atttypmod, k.conname
FROM pg_catalog.pg_constraint k
CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey)) AS u(own, other)
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.own
JOIN pg_catalog.pg_class fc ON fc.oid = k.confrelid JOIN pg_catalog.pg_namespace fn ON fn.oid = fc.relnamespace
JOIN pg_catalog.pg_attribute fa ON fa.attrelid = fc.oid AND fa.attnum = u.other
WHERE k.contype = 'f' AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_constraint p WHERE p.oid = k.conparentid AND p.conrelid = k.conrelid)
ORDER BY 1, 2, 3, 4, 5, 6, 8)";

using Name = std::pair<std::string, std::string>;

std::set<Name> names_of(std::span<const Relation> tables) {
    std::set<Name> names;
    for (const Relation& table : tables) {
        names.emplace(table.schema, table.table);
        for (const QualifiedName& above : table.ancestors) names.emplace(above.schema, above.table);
    }
    return names;
}

}  // namespace

std::vector<ColumnReference> references_of(sql::Connection& connection, std::span<const Relation> tables) {
    const std::set<Name> wanted = names_of(tables);
    const auto found = connection.query(references_query, {}, {8});
    std::vector<ColumnReference> references;
    for (int row = 0; row < found.rows(); ++row) {
        if (!wanted.contains({found.text(row, 0), found.text(row, 1)})) continue;
        references.push_back({{found.text(row, 0), found.text(row, 1)},
                              found.text(row, 2),
                              {found.text(row, 3), found.text(row, 4)},
                              found.text(row, 5),
                              found.boolean(row, 6),
                              found.text(row, 7)});
    }
    return references;
}

}  // namespace pgsluice
