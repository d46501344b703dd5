#include "sinks/postgres/ddl/noted_indexes.h"

#include "sinks/postgres/array.h"
#include "sql/quote.h"

namespace pgsluice {

std::string NotedIndexes::add(sql::Connection& connection, const DerivedStatement& statement,
                              const DdlPlace& place) const {
    const std::string position = to_string(place.position);
    const std::string number = std::to_string(place.number);
    const auto added = connection.query(
        "INSERT INTO pgsluice.index_builds (\"group\", worker, schema, \"table\", name, definition, position, number) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8::pg_catalog.int8) RETURNING id",
        {options_.group, options_.worker, statement.table->schema, statement.table->table, statement.built_index,
         statement.text, position, number},
        {1, 1, 1});
    return added.text(0, 0);
}

void NotedIndexes::remove(sql::Connection& connection, const std::string& id) const {
    connection.query("DELETE FROM pgsluice.index_builds WHERE id = $1::pg_catalog.int8", {id}, {0});
}

std::optional<NotedIndex> NotedIndexes::first(sql::Connection& connection) const {
    const auto found = connection.query(
        "SELECT id, schema, \"table\", name, definition, position, number FROM pgsluice.index_builds "
        "WHERE \"group\" = $1 AND worker = $2 ORDER BY id LIMIT 1",
        {options_.group, options_.worker}, {7});
    if (found.rows() == 0) return std::nullopt;
    const Position position = parse_position(found.text(0, 5)).value_or(Position{});
    return NotedIndex{found.text(0, 0),
                      {found.text(0, 1), found.text(0, 2)},
                      found.text(0, 3),
                      found.text(0, 4),
                      {position, static_cast<std::size_t>(found.integer(0, 6))}};
}

bool NotedIndexes::concern(sql::Connection& connection, const std::vector<QualifiedName>& tables) const {
    std::vector<std::string> names;
    for (const QualifiedName& table : tables) names.push_back(sql::quote_qualified(table.schema, table.table));
    return connection
        .query(
            "WITH RECURSIVE built(oid) AS ("
            "  SELECT pg_catalog.to_regclass(pg_catalog.format('%I.%I', schema, \"table\"))::pg_catalog.oid "
            "  FROM pgsluice.index_builds WHERE \"group\" = $1 AND worker = $2), "
            "up(oid) AS ("
            "  SELECT oid FROM built UNION "
            "  SELECT i.inhparent FROM up JOIN pg_catalog.pg_inherits i ON i.inhrelid = up.oid), "
            "met(oid) AS ("
            "  SELECT oid FROM up UNION "
            "  SELECT pg_catalog.unnest(ARRAY[k.conrelid, k.confrelid]) FROM up "
            "  JOIN pg_catalog.pg_constraint k ON k.contype = 'f' AND up.oid IN (k.conrelid, k.confrelid)) "
            "SELECT EXISTS (SELECT FROM built WHERE oid IS NULL) OR EXISTS ("
            "  SELECT FROM pg_catalog.unnest($3::pg_catalog.text[]) AS n (name) "
            "  JOIN met ON met.oid = pg_catalog.to_regclass(n.name)::pg_catalog.oid)",
            {options_.group, options_.worker, text_array(names)}, {1, 1, 1})
        .boolean(0, 0);
}

}  // namespace pgsluice
