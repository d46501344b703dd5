#include "sinks/postgres/schema/source_schema.h"

#include <fmt/format.h>

#include <set>
#include <string_view>

#include "sinks/postgres/array.h"
#include "sql/definition/definition_text.h"
#include "sql/error.h"

namespace pgsluice {

namespace {

constexpr const char* undefined_table = "42P01";

// Of CREATE OR REPLACE, REPLACE would take away what the target has.
constexpr const char* functions_query =
    "SELECT 'FUNCTION', n.nspname, p.proname, pg_catalog.regexp_replace(pg_catalog.pg_get_functiondef(p.oid), "
    "'^CREATE OR REPLACE ', 'CREATE '), '', '' "
    "FROM pg_catalog.unnest($1::oid[]) AS w(id) JOIN pg_catalog.pg_proc p ON p.oid = w.id AND p.prokind <> 'a' "
    "JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace";

// What a later version calls colllocale, an earlier one had as colliculocale, or in collcollate.
constexpr const char* collations_query =
    "SELECT 'COLLATION', n.nspname, c.collname, pg_catalog.format('CREATE COLLATION %I.%I (PROVIDER = %s, %s%s%s)', "
    "n.nspname, c.collname, CASE c.collprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END, "
    "CASE c.collprovider WHEN 'c' THEN pg_catalog.format('LC_COLLATE = %L, LC_CTYPE = %L', c.collcollate, c.collctype) "
    "ELSE pg_catalog.format('LOCALE = %L', COALESCE(j.row ->> 'colllocale', j.row ->> 'colliculocale', c.collcollate)) "
    "END, CASE WHEN c.collisdeterministic THEN '' ELSE ', DETERMINISTIC = false' END, "
    "COALESCE(', RULES = ' || pg_catalog.quote_literal(j.row ->> 'collicurules'), '')), '', '' "
    "FROM pg_catalog.unnest($1::oid[]) AS w(id) JOIN pg_catalog.pg_collation c ON c.oid = w.id "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace "
    "CROSS JOIN LATERAL (SELECT pg_catalog.to_jsonb(c)) AS j(row)";

// An expression depends on the function of a cast, not on the cast; where it has none, on the types.
constexpr const char* casts_query =
    "SELECT 'CAST', '-', t.text, pg_catalog.format('CREATE CAST (%s) %s%s', t.text, CASE c.castmethod WHEN 'f' THEN "
    "'WITH FUNCTION ' || c.castfunc::pg_catalog.regprocedure::pg_catalog.text WHEN 'i' THEN 'WITH INOUT' ELSE "
    "'WITHOUT FUNCTION' END, CASE c.castcontext WHEN 'i' THEN ' AS IMPLICIT' WHEN 'a' THEN ' AS ASSIGNMENT' ELSE '' "
    "END), '', '' FROM pg_catalog.pg_cast c CROSS JOIN LATERAL (SELECT pg_catalog.format('%s AS %s', "
    "pg_catalog.format_type(c.castsource, NULL), pg_catalog.format_type(c.casttarget, NULL))) AS t(text) "
    "WHERE c.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = "
    "'pg_catalog.pg_cast'::pg_catalog.regclass AND e.objid = c.oid AND e.deptype = 'e') AND CASE c.castmethod "
    "WHEN 'f' THEN c.castfunc = ANY ($1::oid[]) ELSE (c.castsource < 16384 OR c.castsource = ANY ($1::oid[])) AND "
    "(c.casttarget < 16384 OR c.casttarget = ANY ($1::oid[])) END ORDER BY c.oid";

std::vector<SchemaEntry> read_entries(sql::Connection& source, const char* query, const std::string& oids) {
    std::vector<SchemaEntry> entries;
    const auto rows = source.query(query, {sql::Param(oids)}, {6});
    for (int row = 0; row < rows.rows(); ++row) {
        SchemaEntry entry{rows.text(row, 2), rows.text(row, 0), rows.text(row, 1), rows.text(row, 3)};
        if (!rows.text(row, 5).empty()) entry.table = {rows.text(row, 4), rows.text(row, 5)};
        entries.push_back(std::move(entry));
    }
    return entries;
}

DefinitionMessage read_definitions(sql::Connection& source, const std::vector<NeededObject>& needed) {
    std::vector<std::string> classes;
    std::vector<std::string> oids;
    for (const NeededObject& object : needed) {
        if (object.definition.empty()) continue;
        classes.push_back(object.definition);
        oids.push_back(object.oid);
    }
    const auto rows =
        source.query(sql::definitions_query(source.server_version()), {text_array(classes), text_array(oids)}, {3});
    std::string message = R"({"version":2,"tag":"","objects":[)";
    const char* comma = "";
    for (int row = 0; row < rows.rows(); ++row) {
        if (!rows.get(row, 2)) continue;
        message += fmt::format(R"({}{{"class":"{}","oid":{},"after":{}}})", comma, rows.text(row, 0), rows.text(row, 1),
                               *rows.get(row, 2));
        comma = ",";
    }
    return decode_definitions(message + "]}");
}

std::string oids_of(const std::vector<NeededObject>& needed, const std::set<std::string_view>& kinds) {
    std::vector<std::string> oids;
    for (const NeededObject& object : needed)
        if (kinds.contains(object.kind)) oids.push_back(object.oid);
    return text_array(oids);
}

// What is read of one moment: no one may alter the tables until it is. False: one of them was dropped before it could
// be locked.
bool lock_tables(sql::Connection& source, const std::vector<TableName>& tables, int lock_wait_ms) {
    source.exec(
        fmt::format("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = {}; "
                    "SET LOCAL quote_all_identifiers = off; SET LOCAL xmlbinary = base64",
                    lock_wait_ms));
    const std::string readable = readable_tables(source, tables);
    if (readable.empty()) return true;
    try {
        source.exec("LOCK TABLE " + readable + " IN ACCESS SHARE MODE");
    } catch (const SqlError& error) {
        if (error.sqlstate() != undefined_table) throw;
        source.exec("ROLLBACK");
        return false;
    }
    return true;
}

}  // namespace

SourceSchema read_source_schema(sql::Connection& source, const std::vector<TableName>& tables, int lock_wait_ms) {
    while (!lock_tables(source, tables, lock_wait_ms)) {  // it is not among them the next time
    }
    const auto needed = needed_objects(source, tables);
    SourceSchema schema;
    schema.objects = read_definitions(source, needed);
    schema.functions = read_entries(source, collations_query, oids_of(needed, {"COLLATION"}));
    for (SchemaEntry& function : read_entries(source, functions_query, oids_of(needed, {"FUNCTION"})))
        schema.functions.push_back(std::move(function));
    schema.casts = read_entries(source, casts_query, oids_of(needed, {"FUNCTION", "TYPE"}));
    for (const NeededObject& object : needed)
        if (!object.readable) schema.unread.push_back(object);
    source.exec("COMMIT");
    return schema;
}

}  // namespace pgsluice
