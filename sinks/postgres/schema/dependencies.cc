#include "sinks/postgres/schema/dependencies.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "sinks/postgres/array.h"

namespace pgsluice {

namespace {

// $1, $2: schemas and names of the tables given. `wanted` are the tables.
constexpr const char* tree =
    "WITH RECURSIVE given AS ("
    "  SELECT c.oid FROM unnest($1::text[], $2::text[]) AS w(s, t) JOIN pg_namespace n ON n.nspname = w.s "
    "  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.t AND c.relkind IN ('r', 'p')), "
    "down AS ("
    "  SELECT oid FROM given"
    "  UNION SELECT i.inhrelid FROM down CROSS JOIN LATERAL ("
    "    SELECT i.inhrelid FROM pg_class c JOIN pg_inherits i ON i.inhparent = c.oid"
    "    WHERE c.oid = down.oid AND c.relkind = 'p' OFFSET 0) AS i), "
    "wanted AS ("
    "  SELECT oid FROM down"
    "  UNION SELECT i.inhparent FROM wanted CROSS JOIN LATERAL ("
    "    SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = wanted.oid OFFSET 0) AS i)";

constexpr const char* tables_query =
    ", used AS ("
    "  SELECT d.refobjid AS oid FROM wanted CROSS JOIN LATERAL ("
    "    SELECT d.refobjid FROM pg_attrdef a"
    "    JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = a.oid"
    "    AND d.refclassid = 'pg_class'::regclass JOIN pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'"
    "    WHERE a.adrelid = wanted.oid OFFSET 0) AS d) "
    "SELECT DISTINCT "
    "'\"' || replace(n.nspname, '\"', '\"\"') || '\".\"' || replace(c.relname, '\"', '\"\"') || '\"' "
    "FROM (SELECT oid FROM wanted UNION SELECT oid FROM used) x JOIN pg_class c ON c.oid = x.oid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace";

constexpr const char* sequences_query =
    ", used AS ("
    "  SELECT d.oid FROM wanted CROSS JOIN LATERAL ("
    "    SELECT d.objid FROM pg_depend d WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = wanted.oid"
    "    AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')"
    "    UNION SELECT d.refobjid FROM pg_attrdef a JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass"
    "    AND d.objid = a.oid AND d.refclassid = 'pg_class'::regclass WHERE a.adrelid = wanted.oid) AS d(oid)) "
    "SELECT '\"' || replace(n.nspname, '\"', '\"\"') || '\".\"' || replace(c.relname, '\"', '\"\"') || '\"' "
    "FROM used JOIN pg_class c ON c.oid = used.oid AND c.relkind = 'S' JOIN pg_namespace n ON n.oid = c.relnamespace";

constexpr const char* columns_query =
    " SELECT n.nspname, c.relname, a.attname FROM wanted JOIN pg_class c ON c.oid = wanted.oid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid "
    "WHERE a.attnum > 0 AND NOT a.attisdropped AND (a.attnotnull OR a.atthasdef) AND a.attidentity = '' "
    "AND a.attgenerated = '' AND a.attname <> ALL ($3::text[])";

constexpr const char* lockers_query =
    " SELECT DISTINCT l.pid, coalesce(nullif(a.application_name, ''), a.backend_type, 'a prepared transaction'), "
    "n.nspname, c.relname, l.granted FROM wanted JOIN pg_locks l ON l.locktype = 'relation' AND l.relation = "
    "wanted.oid "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND l.mode = 'AccessExclusiveLock' LEFT JOIN pg_stat_activity a ON a.pid = l.pid "
    "JOIN pg_class c ON c.oid = wanted.oid JOIN pg_namespace n ON n.oid = c.relnamespace LIMIT 5";

// From the tables on: what an object refers to, other tables apart, and what it consists of (a table of defaults,
// constraints, indexes, triggers, owned sequences; a composite type of a relation; an operator family of operators).
constexpr const char* need =
    ", need AS ("
    "  SELECT 'pg_class'::regclass::oid AS class, oid AS object FROM wanted"
    "  UNION SELECT 'pg_type'::regclass::oid, t.oid FROM unnest($3::oid[]) AS t(oid)"
    "  UNION SELECT next.class, next.object FROM need CROSS JOIN LATERAL ("
    "    SELECT d.refclassid, d.refobjid FROM pg_depend d WHERE d.classid = need.class AND d.objid = need.object"
    "    AND NOT (d.refclassid = 'pg_class'::regclass AND EXISTS (SELECT FROM pg_class c WHERE c.oid = d.refobjid"
    "      AND c.relkind IN ('r', 'p', 'v', 'm', 'f')))"
    "    UNION ALL"
    "    SELECT d.classid, d.objid FROM pg_depend d WHERE d.refclassid = need.class AND d.refobjid = need.object"
    "    AND d.deptype IN ('a', 'i') AND (d.classid IN ('pg_attrdef'::regclass, 'pg_constraint'::regclass,"
    "      'pg_trigger'::regclass, 'pg_amop'::regclass, 'pg_amproc'::regclass, 'pg_statistic_ext'::regclass)"
    "      OR d.classid = 'pg_class'::regclass AND EXISTS (SELECT FROM pg_class c WHERE c.oid = d.objid"
    "        AND c.relkind IN ('i', 'I', 'S', 'c')))"
    "  ) AS next(class, object)), ";

constexpr const char* named =
    "named(kind, catalog, oid, schema, name) AS ("
    "  SELECT 'SCHEMA', 'pg_namespace'::regclass, oid, 0, nspname FROM pg_namespace"
    "  UNION ALL SELECT 'EXTENSION', 'pg_extension'::regclass, oid, 0, extname FROM pg_extension"
    "  UNION ALL SELECT 'LANGUAGE', 'pg_language'::regclass, oid, 0, lanname FROM pg_language"
    "  UNION ALL SELECT 'TYPE', 'pg_type'::regclass, oid, typnamespace, typname FROM pg_type"
    "  UNION ALL SELECT 'FUNCTION', 'pg_proc'::regclass, oid, pronamespace, proname FROM pg_proc"
    "  UNION ALL SELECT 'OPERATOR', 'pg_operator'::regclass, oid, oprnamespace, oprname FROM pg_operator"
    "  UNION ALL SELECT 'OPERATOR CLASS', 'pg_opclass'::regclass, oid, opcnamespace, opcname FROM pg_opclass"
    "  UNION ALL SELECT 'OPERATOR FAMILY', 'pg_opfamily'::regclass, oid, opfnamespace, opfname FROM pg_opfamily"
    "  UNION ALL SELECT 'COLLATION', 'pg_collation'::regclass, oid, collnamespace, collname FROM pg_collation"
    "  UNION ALL SELECT 'TEXT SEARCH', 'pg_ts_config'::regclass, oid, cfgnamespace, cfgname FROM pg_ts_config"
    "  UNION ALL SELECT 'TEXT SEARCH', 'pg_ts_dict'::regclass, oid, dictnamespace, dictname FROM pg_ts_dict"
    "  UNION ALL SELECT 'TEXT SEARCH', 'pg_ts_parser'::regclass, oid, prsnamespace, prsname FROM pg_ts_parser"
    "  UNION ALL SELECT 'TEXT SEARCH', 'pg_ts_template'::regclass, oid, tmplnamespace, tmplname FROM pg_ts_template) ";

constexpr const char* needed_query =
    "SELECT named.kind, coalesce(n.nspname, '-'), named.name FROM need "
    "JOIN named ON named.catalog = need.class AND named.oid = need.object "
    "LEFT JOIN pg_namespace n ON n.oid = named.schema";

// Objects of an extension come with it; those with numbers below 16384 are PostgreSQL's own. An aggregate is a function
// whose definition PostgreSQL does not print; the base type that an array, a multirange or a table is, is no object of
// its own.
constexpr const char* objects_query =
    ", "
    "objects(class, oid) AS ("
    "  SELECT need.class, need.object FROM need WHERE need.object >= 16384 AND NOT EXISTS (SELECT FROM pg_depend e"
    "    WHERE e.classid = need.class AND e.objid = need.object AND e.deptype = 'e')), "
    "kinds(oid, kind, definition, readable) AS ("
    "  SELECT o.oid, 'TABLE', CASE WHEN c.relkind IN ('r', 'p') THEN 'table' WHEN c.relkind IN ('i', 'I') THEN 'index' "
    "    WHEN c.relkind = 'S' THEN 'sequence' ELSE '' END, true"
    "  FROM objects o JOIN pg_class c ON c.oid = o.oid WHERE o.class = 'pg_class'::regclass"
    "  UNION ALL SELECT o.oid, 'TYPE', 'type', t.typtype <> 'b' OR t.typcategory = 'A'"
    "  FROM objects o JOIN pg_type t ON t.oid = o.oid WHERE o.class = 'pg_type'::regclass"
    "  UNION ALL SELECT o.oid, 'FUNCTION', '', p.prokind <> 'a'"
    "  FROM objects o JOIN pg_proc p ON p.oid = o.oid WHERE o.class = 'pg_proc'::regclass"
    "  UNION ALL SELECT o.oid, k.kind, k.definition, k.readable FROM objects o JOIN (VALUES"
    "    ('pg_namespace'::regclass, 'SCHEMA', 'schema', true), ('pg_extension', 'EXTENSION', 'extension', true),"
    "    ('pg_statistic_ext', 'STATISTICS', 'statistics', true), ('pg_collation', 'COLLATION', '', true),"
    "    ('pg_trigger', 'TRIGGER', 'trigger', true), ('pg_language', 'LANGUAGE', '', false),"
    "    ('pg_operator', 'OPERATOR', '', false), ('pg_opclass', 'OPERATOR CLASS', '', false),"
    "    ('pg_opfamily', 'OPERATOR FAMILY', '', false), ('pg_ts_config', 'TEXT SEARCH', '', false),"
    "    ('pg_ts_dict', 'TEXT SEARCH', '', false), ('pg_ts_parser', 'TEXT SEARCH', '', false),"
    "    ('pg_ts_template', 'TEXT SEARCH', '', false)) AS k(class, kind, definition, readable) ON k.class = o.class) "
    "SELECT k.kind, k.definition, k.oid::text, k.readable, coalesce(n.nspname, '-'), coalesce(named.name, '') "
    "FROM kinds k LEFT JOIN named ON named.kind = k.kind AND named.oid = k.oid "
    "LEFT JOIN pg_namespace n ON n.oid = named.schema ORDER BY k.kind, k.oid";

constexpr const char* readable_query =
    " SELECT coalesce(string_agg(DISTINCT 'ONLY ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname), ', '), "
    "'') FROM wanted JOIN pg_class c ON c.oid = wanted.oid JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE has_table_privilege(c.oid, 'SELECT')";

constexpr const char* has_query =
    " SELECT EXISTS (SELECT FROM named LEFT JOIN pg_namespace n ON n.oid = named.schema WHERE named.kind = $1 AND "
    "coalesce(n.nspname, '-') = $2 AND named.name = $3)";

// Of an entry's type in a dump; empty for what is never made because a table needs it.
std::string_view kind_of(const std::string& type) {
    static const std::map<std::string_view, std::string_view> kinds{
        {"SCHEMA", "SCHEMA"},
        {"EXTENSION", "EXTENSION"},
        {"PROCEDURAL LANGUAGE", "LANGUAGE"},
        {"TYPE", "TYPE"},
        {"SHELL TYPE", "TYPE"},
        {"DOMAIN", "TYPE"},
        {"FUNCTION", "FUNCTION"},
        {"PROCEDURE", "FUNCTION"},
        {"AGGREGATE", "FUNCTION"},
        {"OPERATOR", "OPERATOR"},
        {"OPERATOR CLASS", "OPERATOR CLASS"},
        {"OPERATOR FAMILY", "OPERATOR FAMILY"},
        {"COLLATION", "COLLATION"},
        {"TEXT SEARCH CONFIGURATION", "TEXT SEARCH"},
        {"TEXT SEARCH DICTIONARY", "TEXT SEARCH"},
        {"TEXT SEARCH PARSER", "TEXT SEARCH"},
        {"TEXT SEARCH TEMPLATE", "TEXT SEARCH"},
    };
    const auto found = kinds.find(type);
    return found == kinds.end() ? std::string_view() : found->second;
}

struct NameArrays {
    explicit NameArrays(const std::vector<TableName>& tables) {
        std::vector<std::string> schema_list;
        std::vector<std::string> name_list;
        for (const auto& [schema, name] : tables) {
            schema_list.push_back(schema);
            name_list.push_back(name);
        }
        schemas = text_array(schema_list);
        names = text_array(name_list);
    }
    std::string schemas;
    std::string names;
};

std::string oid_array(const std::vector<Oid>& types) {
    std::vector<std::string> oids;
    for (const Oid type : types) oids.push_back(std::to_string(type));
    return text_array(oids);
}

std::vector<std::string> names_from(sql::Connection& source, const char* query, const std::vector<TableName>& tables) {
    const NameArrays given(tables);
    return source.query(std::string(tree) + query, {given.schemas, given.names}, {1}).texts(0);
}

}  // namespace

std::vector<std::string> tables_to_make(sql::Connection& source, const std::vector<TableName>& tables) {
    return names_from(source, tables_query, tables);
}

std::vector<std::string> sequences_of(sql::Connection& source, const std::vector<TableName>& tables) {
    return names_from(source, sequences_query, tables);
}

std::vector<std::pair<TableName, std::string>> columns_without_value(sql::Connection& source, const TableName& table,
                                                                     const std::vector<std::string>& columns) {
    const NameArrays given({table});
    const auto rows =
        source.query(std::string(tree) + columns_query, {given.schemas, given.names, text_array(columns)}, {3});
    std::vector<std::pair<TableName, std::string>> found;
    for (int row = 0; row < rows.rows(); ++row)
        found.push_back({{rows.text(row, 0), rows.text(row, 1)}, rows.text(row, 2)});
    return found;
}

std::string who_locks(sql::Connection& source, const std::vector<TableName>& tables) {
    const NameArrays given(tables);
    const auto rows = source.query(std::string(tree) + lockers_query, {given.schemas, given.names}, {5});
    std::string text;
    for (int row = 0; row < rows.rows(); ++row) {
        text += fmt::format("{}pid {} ({}) {} '{}.{}'", text.empty() ? "" : "; ", rows.get(row, 0).value_or("0"),
                            rows.text(row, 1), rows.boolean(row, 4) ? "has locked" : "is waiting to lock",
                            rows.text(row, 2), rows.text(row, 3));
    }
    return text;
}

void refuse_locked(sql::Connection& source, const std::vector<TableName>& tables, const char* who, int lock_wait_ms) {
    const std::string lockers = who_locks(source, tables);
    if (lockers.empty()) return;
    throw retry_error(fmt::format("unable to copy the source's schema: {} has waited {} s for a lock: {}", who,
                                  lock_wait_ms / 1000, lockers),
                      "Let that session finish, or end it (SELECT pg_cancel_backend(pid) on the source). It may be "
                      "waiting for the copy, and with a full stream the copy waits for this worker.");
}

std::vector<NeededObject> needed_objects(sql::Connection& source, const std::vector<TableName>& tables) {
    const NameArrays given(tables);
    const auto rows = source.query(std::string(tree) + need + named + objects_query,
                                   {given.schemas, given.names, oid_array({})}, {6});
    std::vector<NeededObject> found;
    for (int row = 0; row < rows.rows(); ++row)
        found.push_back({rows.text(row, 0), rows.text(row, 1), rows.text(row, 2), rows.boolean(row, 3),
                         rows.text(row, 4), rows.text(row, 5)});
    return found;
}

bool has_object(sql::Connection& target, const NeededObject& object) {
    return target
        .query(fmt::format("WITH {}{}", named, has_query), {object.kind, object.schema, object.name}, {1, 1, 1})
        .boolean(0, 0);
}

std::string readable_tables(sql::Connection& source, const std::vector<TableName>& tables) {
    const NameArrays given(tables);
    return source.query(std::string(tree) + readable_query, {given.schemas, given.names}, {1, 1, 1}).text(0, 0);
}

SchemaDependencies::SchemaDependencies(sql::Connection& source, const std::vector<TableName>& tables,
                                       const std::vector<Oid>& types) {
    const NameArrays given(tables);
    const auto rows = source.query(std::string(tree) + need + named + needed_query,
                                   {given.schemas, given.names, oid_array(types)}, {3});
    for (int row = 0; row < rows.rows(); ++row)
        objects_.emplace(rows.text(row, 0), rows.text(row, 1), rows.text(row, 2));
}

bool SchemaDependencies::contains(const SchemaEntry& entry) const {
    const std::string kind(kind_of(entry.type));
    const std::string name = kind == "FUNCTION" ? entry.name.substr(0, entry.name.find('(')) : entry.name;
    return objects_.contains({kind, entry.schema, name});
}

bool SchemaDependencies::may_contain(const SchemaEntry& entry) { return !kind_of(entry.type).empty(); }

}  // namespace pgsluice
