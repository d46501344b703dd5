#include "sinks/postgres/rights/foreign_code.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sinks/postgres/array.h"

namespace pgsluice {

namespace {

// Parameters: $1 the table's oid, $2 what `tgenabled` is for triggers that fire for us beside A, $3 whether to look at
// partitions; and where code is looked at, $4 the table's name, $5 the columns that are written, $6 the GiST indexes
// there may be (783 is GiST), $7 the names of the tied tables that are locked.

// Trigger functions of foreign keys, and those of them that cascade or set.
constexpr const char* of_key = "g.tgfoid BETWEEN 1644 AND 1655";
constexpr const char* of_writing_key = "g.tgfoid = ANY ('{1646,1647,1650,1651,1652,1653}')";
// Of a table k: may the current role lock it, and has it.
constexpr const char* may_lock =
    "has_table_privilege(k.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') AND has_schema_privilege(k.relnamespace, 'USAGE')";
constexpr const char* is_locked =
    "EXISTS (SELECT FROM unnest((SELECT $7::text[])) AS n WHERE to_regclass(n) = k.oid::regclass)";

// Foreign keys that fire tie tables to it. Where they cascade or set, rows of those tables are written. All others are
// only read, which planning can run code for. PostgreSQL does both as those tables' owners, but what their code leaves
// is ours: AFTER triggers before version 18, deferred ones, settings.
//
// `o` are the tables whose code counts, `l` those of the tied ones that are to be locked.
//
// This is asked with each batch. The planner takes `o` and what follows from it for thousands of rows, and would read
// whole catalogs; LATERAL and OFFSET 0 make it look up each row by its index. It takes unnest() for ten, so that `y`
// clears no hash table of megabytes each time. Parameters that its estimates depend on are in subqueries, which hide
// their values: else a custom plan looks cheaper than the generic one, and is made anew each time, for milliseconds.
constexpr const char* tables = R"(
WITH RECURSIVE o (oid, key_only, tied, written) AS (
    (SELECT unnest(CASE WHEN (SELECT $3::bool) THEN ARRAY(SELECT relid::oid FROM pg_partition_tree($1::oid))
                        ELSE ARRAY[$1::oid] END), false, false, true
     UNION ALL SELECT relid, true, false, false FROM pg_partition_ancestors($1::oid) WHERE relid <> $1::oid)
  UNION
    SELECT u.* FROM o CROSS JOIN LATERAL (
        SELECT g.tgconstrrelid, false, true, {of_writing_key}
        FROM pg_catalog.pg_trigger g WHERE o.written AND g.tgrelid = o.oid AND g.tgenabled IN ('A', (SELECT $2::"char"))
            AND {of_key} AND g.tgconstrrelid <> 0
      UNION ALL
        SELECT i.inhrelid, false, true, o.written FROM pg_catalog.pg_inherits i
        JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
        WHERE o.tied AND NOT o.key_only AND i.inhparent = o.oid AND c.relispartition
      UNION ALL
        SELECT i.inhparent, true, true, false FROM pg_catalog.pg_inherits i
        JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid WHERE o.tied AND i.inhrelid = o.oid AND c.relispartition) AS u
), l (oid, name) AS (
    SELECT k.oid, k.name
    FROM (SELECT oid, bool_or(written) AS written FROM o WHERE NOT key_only GROUP BY oid HAVING bool_and(tied)) AS o
    CROSS JOIN LATERAL (
        SELECT k.oid, format('%I.%I', n.nspname, k.relname) AS name
        FROM pg_catalog.pg_class k JOIN pg_catalog.pg_namespace n ON n.oid = k.relnamespace
        WHERE k.oid = o.oid AND {may_lock} OFFSET 0) AS k
    ORDER BY o.written DESC, k.oid LIMIT {max_tied}
))";

// What an expression calls is read from its tree: pg_depend does not mention PostgreSQL's own functions, and some of
// those run any SQL (query_to_xml). Objects of users have numbers from 16384 on. Of PostgreSQL's own functions those
// count as harmless that are immutable, or stable and about date and time, or named here. What a tree's text holds of
// user-given names has no unescaped brace, and can only make the look stricter.
constexpr const char* code = R"(, t AS MATERIALIZED (
    SELECT c.*, o.key_only, o.tied, o.written FROM o CROSS JOIN LATERAL (
        SELECT c.oid, c.relowner, c.relchecks, c.relhastriggers, c.relhasrules,
               c.relispartition OR c.relkind = 'p' AS moves, format('%s.%s', n.nspname, c.relname) AS name,
               pg_has_role(c.relowner, current_user, 'MEMBER') AS ours
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = o.oid OFFSET 0) AS c
), g AS (
    SELECT t.oid AS of, t.ours, g.tgname, g.tgqual, g.tgfoid FROM t CROSS JOIN LATERAL (
        SELECT g.tgname, g.tgqual, g.tgfoid, g.tgtype FROM pg_catalog.pg_trigger g
        WHERE g.tgrelid = t.oid AND g.tgenabled IN ('A', (SELECT $2::"char")) OFFSET 0) AS g
    WHERE t.written AND t.relhastriggers AND (NOT t.tied OR g.tgtype & 24 <> 0 OR t.moves)
), y (of, oid, attname) AS (
    SELECT u.* FROM (
        SELECT array_agg(t.oid) AS ofs, array_agg(a.atttypid) AS types, array_agg(a.attname) AS names
        FROM t CROSS JOIN LATERAL (
            SELECT a.atttypid, a.attname FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid >= 16384 OFFSET 0) AS a
        WHERE t.written AND (t.oid = $1::oid OR t.tied)) AS x
    CROSS JOIN LATERAL unnest(x.ofs, x.types, x.names) AS u
  UNION
    SELECT y.of, u.oid, y.attname FROM y CROSS JOIN LATERAL (
        SELECT p.oid, p.typelem, p.typbasetype, p.typrelid FROM pg_catalog.pg_type p WHERE p.oid = y.oid OFFSET 0) AS p
    CROSS JOIN LATERAL (
        SELECT p.typelem UNION ALL SELECT p.typbasetype
        UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = p.oid
        UNION ALL SELECT r.rngtypid FROM pg_catalog.pg_range r WHERE r.rngmultitypid = p.oid
        UNION ALL SELECT b.atttypid FROM pg_catalog.pg_attribute b
                  WHERE p.typrelid <> 0 AND b.attrelid = p.typrelid AND b.attnum > 0 AND NOT b.attisdropped) AS u (oid)
    WHERE u.oid >= 16384
), e (oid, ours, what, tree) AS (
    SELECT t.oid, t.ours, format('constraint ''%s''', k.conname), k.conbin::text FROM t CROSS JOIN LATERAL (
        SELECT k.conname, k.conbin FROM pg_catalog.pg_constraint k
        WHERE k.conrelid = t.oid AND k.contype = 'c' OFFSET 0) AS k
    WHERE t.relchecks > 0 AND t.written
  UNION ALL
    SELECT t.oid, t.ours, format('index ''%s''', i.relname), concat(i.indexprs::text, i.indpred::text)
    FROM t CROSS JOIN LATERAL (
        SELECT x.relname, i.indexprs, i.indpred
        FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
        WHERE i.indrelid = t.oid AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL) OFFSET 0) AS i
    WHERE NOT t.key_only
  UNION ALL
    SELECT t.oid, t.ours, format('statistics object ''%s''', s.stxname), s.stxexprs::text FROM t CROSS JOIN LATERAL (
        SELECT s.stxname, s.stxexprs FROM pg_catalog.pg_statistic_ext s
        WHERE s.stxrelid = t.oid AND s.stxexprs IS NOT NULL OFFSET 0) AS s
    WHERE NOT t.key_only
  UNION ALL
    SELECT t.oid, t.ours, format(CASE d.attgenerated WHEN '' THEN 'the default of column ''%s'''
                                                     ELSE 'generated column ''%s''' END, d.attname), d.adbin::text
    FROM t CROSS JOIN LATERAL (
        SELECT d.oid, d.adbin, d.adrelid, a.attname, a.attnum, a.attgenerated
        FROM pg_catalog.pg_attrdef d
        JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
        WHERE d.adrelid = t.oid OFFSET 0) AS d
    WHERE t.written AND (d.attgenerated <> '' OR (NOT t.tied AND t.oid = $1::oid AND d.attnum <> ALL ((SELECT $5::int2[])::int2[])
            OR t.tied AND EXISTS (
                SELECT FROM pg_catalog.pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'f'
                    AND 'd' IN (k.confdeltype, k.confupdtype) AND d.attnum = ANY (k.conkey) OFFSET 0))
        AND NOT (pg_get_expr(d.adbin, d.adrelid) ~ '^nextval\(''[^'']+''::regclass\)$' AND EXISTS (
            SELECT FROM pg_catalog.pg_depend p JOIN pg_catalog.pg_class s ON s.oid = p.refobjid
            WHERE p.classid = 'pg_catalog.pg_attrdef'::regclass AND p.objid = d.oid
                AND p.refclassid = 'pg_catalog.pg_class'::regclass AND s.relkind = 'S' AND s.relowner = t.relowner
            OFFSET 0)))
  UNION ALL
    SELECT t.oid, t.ours, 'the partition key', p.partexprs::text FROM t CROSS JOIN LATERAL (
        SELECT p.partexprs FROM pg_catalog.pg_partitioned_table p
        WHERE p.partrelid = t.oid AND p.partexprs IS NOT NULL OFFSET 0) AS p
  UNION ALL
    SELECT g.of, g.ours, format('the condition of trigger ''%s''', g.tgname), g.tgqual::text
    FROM g WHERE g.tgqual IS NOT NULL
  UNION ALL
    SELECT y.of, true, format('domain %s of column ''%s''', y.oid::regtype, y.attname), k.conbin::text
    FROM y CROSS JOIN LATERAL (
        SELECT k.conbin FROM pg_catalog.pg_constraint k
        WHERE k.contypid = y.oid AND k.contype = 'c' OFFSET 0) AS k
), found (oid, what) AS (
    SELECT g.of, format('trigger ''%s'' calls %s of ''%s''', g.tgname, p.oid::regprocedure, pg_get_userbyid(p.proowner))
    FROM g CROSS JOIN LATERAL (
        SELECT p.oid, p.proowner, p.prolang FROM pg_catalog.pg_proc p
        WHERE p.oid = g.tgfoid AND p.oid >= 16384 OFFSET 0) AS p
    WHERE NOT (pg_has_role(p.proowner, current_user, 'MEMBER') AND (g.ours OR p.prolang <> 13))
  UNION ALL
    SELECT t.oid, format('rule ''%s''', r.rulename) FROM t CROSS JOIN LATERAL (
        SELECT r.rulename, r.ev_enabled FROM pg_catalog.pg_rewrite r WHERE r.ev_class = t.oid OFFSET 0) AS r
    WHERE t.relhasrules AND t.written AND NOT t.ours AND r.ev_enabled IN ('A', (SELECT $2::"char"))
  UNION ALL
    SELECT y.of, format('column ''%s'' has type %s of ''%s''', y.attname, y.oid::regtype, pg_get_userbyid(p.typowner))
    FROM y CROSS JOIN LATERAL (
        SELECT p.typowner, p.typtype, r.rngsubdiff, r.rngcanonical
        FROM pg_catalog.pg_type p LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = p.oid
        WHERE p.oid = y.oid OFFSET 0) AS p
    WHERE NOT pg_has_role(p.typowner, current_user, 'MEMBER')
        AND (p.typtype = 'd' OR p.rngsubdiff::oid >= 16384 OR p.rngcanonical::oid >= 16384)
  UNION ALL
    SELECT y.of, format('a cast of type %s of column ''%s'' calls %s of ''%s''', y.oid::regtype, y.attname,
                           p.oid::regprocedure, pg_get_userbyid(p.proowner))
    FROM y CROSS JOIN LATERAL (
        SELECT p.oid, p.proowner
        FROM pg_catalog.pg_cast k JOIN pg_catalog.pg_proc p ON p.oid = k.castfunc
        WHERE y.oid IN (k.castsource, k.casttarget) AND p.oid >= 16384 OFFSET 0) AS p
    WHERE NOT pg_has_role(p.proowner, current_user, 'MEMBER')
  UNION ALL
    SELECT e.oid, format('%s calls %s of ''%s''', e.what, p.oid::regprocedure, pg_get_userbyid(p.proowner))
    FROM e CROSS JOIN regexp_matches(e.tree, ':(funcid|opno) ([0-9]+)', 'g') AS m CROSS JOIN LATERAL (
        SELECT p.oid, p.proname, p.proowner, p.provolatile, p.proargtypes, p.prorettype FROM pg_catalog.pg_proc p
        WHERE p.oid = CASE m[1] WHEN 'opno' THEN (
                SELECT o.oprcode::oid FROM pg_catalog.pg_operator o WHERE o.oid = m[2]::oid)
            ELSE m[2]::oid END OFFSET 0) AS p
    WHERE NOT CASE WHEN p.oid >= 16384
                   THEN pg_has_role(p.proowner, current_user, 'MEMBER') AND (e.ours OR p.provolatile = 'i')
                   ELSE e.ours OR p.provolatile = 'i' OR p.proname = ANY ('{concat,concat_ws,format,textanycat,
                       anytextcat,array_to_string,to_tsvector,to_number,random,clock_timestamp,gen_random_uuid,uuidv4,
                       uuidv7}') OR p.provolatile = 's' AND
                       '{date,time,timetz,timestamp,timestamptz,interval}'::regtype[]::oid[]
                           && (p.proargtypes::oid[] || p.prorettype) AND
                       (p.proargtypes::oid[] || p.prorettype) <@ '{bool,text,int2,int4,int8,float4,float8,numeric,
                           date,time,timetz,timestamp,timestamptz,interval}'::regtype[]::oid[] END
  UNION ALL
    SELECT e.oid, format('%s is more than a call of PostgreSQL''s own functions', e.what) FROM e
    WHERE NOT e.ours AND (EXISTS (
        SELECT FROM regexp_matches(e.tree, '\{([A-Z_]+)', 'g') AS m WHERE m[1] <> ALL ('{VAR,CONST,FUNCEXPR,OPEXPR,
            DISTINCTEXPR,NULLIFEXPR,SCALARARRAYOPEXPR,BOOLEXPR,RELABELTYPE,COERCEVIAIO,ARRAYCOERCEEXPR,CASE,CASEEXPR,
            WHEN,CASEWHEN,CASETESTEXPR,ARRAY,ARRAYEXPR,COALESCE,COALESCEEXPR,MINMAX,MINMAXEXPR,SQLVALUEFUNCTION,
            NULLTEST,BOOLEANTEST,COLLATE,COLLATEEXPR,SUBSCRIPTINGREF,FIELDSELECT,JSONISPREDICATE}'))
      OR EXISTS (
        SELECT FROM regexp_matches(e.tree, ':resulttype ([0-9]{5,})', 'g') AS m CROSS JOIN LATERAL (
            SELECT p.typtype, p.typowner FROM pg_catalog.pg_type p WHERE p.oid = m[1]::oid OFFSET 0) AS p
        WHERE p.typtype <> 'e' AND NOT pg_has_role(p.typowner, current_user, 'MEMBER')))
) )";

constexpr const char* no_code =
    "(to_regclass($4) IS NOT DISTINCT FROM $1::oid::regclass AND NOT EXISTS (SELECT FROM found) AND NOT EXISTS (SELECT "
    "FROM t CROSS JOIN LATERAL (SELECT i.indexrelid FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = "
    "i.indexrelid WHERE i.indrelid = t.oid AND x.relam = 783 OFFSET 0) AS i WHERE $6::oid[] IS NOT NULL AND NOT "
    "t.key_only AND NOT t.tied AND i.indexrelid <> ALL ($6::oid[])) AND NOT EXISTS (SELECT FROM l AS k WHERE NOT "
    "{is_locked}))::int";

constexpr const char* require_no_code =
    "SELECT 1 / (to_regclass($4) IS NOT DISTINCT FROM $1::oid::regclass AND NOT $3::bool AND EXISTS (SELECT FROM "
    "pg_catalog.pg_class c WHERE c.oid = $1::oid AND c.relkind = 'r' AND NOT c.relispartition AND NOT c.relhasrules "
    "AND c.relchecks = 0 AND NOT (c.relhastriggers AND EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE g.tgrelid = "
    "$1::oid AND g.tgenabled IN ('A', (SELECT $2::\"char\")) AND (g.tgfoid >= 16384 OR g.tgqual IS NOT NULL OR "
    "{of_key} AND ({of_writing_key} OR NOT EXISTS (SELECT FROM pg_catalog.pg_class k WHERE k.oid = g.tgconstrrelid AND "
    "k.relkind = 'r' AND NOT k.relispartition AND (k.oid = $1::oid OR {is_locked} OR NOT ({may_lock})) AND NOT EXISTS "
    "(SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = k.oid AND (i.indexprs IS NOT NULL OR i.indpred IS NOT "
    "NULL)) "
    "AND NOT EXISTS (SELECT FROM pg_catalog.pg_statistic_ext s WHERE s.stxrelid = k.oid AND s.stxexprs IS NOT "
    "NULL)))))) AND NOT EXISTS "
    "(SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1::oid AND a.attnum > 0 AND (a.atttypid >= 16384 OR "
    "a.atthasdef AND "
    "(a.attgenerated <> '' OR a.attnum <> ALL ($5::int2[])))) AND NOT (c.relhasindex AND EXISTS (SELECT FROM "
    "pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = $1::oid AND "
    "(i.indexprs IS NOT NULL OR i.indpred IS NOT NULL OR x.relam = 783 AND i.indexrelid <> ALL ($6::oid[])))) AND "
    "NOT EXISTS (SELECT FROM pg_catalog.pg_statistic_ext s WHERE s.stxrelid = $1::oid AND s.stxexprs IS NOT "
    "NULL)))::int";

constexpr const char* first_code =
    "SELECT to_regclass($4) IS NOT DISTINCT FROM $1::oid::regclass, f.what, f.oid <> $1::oid, "
    "(SELECT name FROM t WHERE t.oid = f.oid LIMIT 1), pg_get_userbyid(c.relowner), "
    "pg_has_role(c.relowner, current_user, 'MEMBER') FROM pg_catalog.pg_class c LEFT JOIN LATERAL "
    "(SELECT * FROM found LIMIT 1) f ON true WHERE c.oid = $1::oid";

std::string filled(const char* statement) {
    return fmt::format(fmt::runtime(statement), fmt::arg("of_key", of_key), fmt::arg("of_writing_key", of_writing_key),
                       fmt::arg("may_lock", may_lock), fmt::arg("is_locked", is_locked),
                       fmt::arg("max_tied", max_tied_tables));
}

}  // namespace

std::string WrittenTable::lock_statement() const {
    std::string names = (partitioned ? "" : "ONLY ") + name;
    for (const std::string& other : tied) names += ", ONLY " + other;
    return fmt::format("LOCK TABLE {} IN ROW EXCLUSIVE MODE", names);
}

std::string no_foreign_code_statement() { return filled(tables) + code + "SELECT " + filled(no_code); }
std::string require_no_foreign_code_statement() { return filled(tables) + code + "SELECT 1 / " + filled(no_code); }
std::string require_no_code_statement() { return filled(require_no_code); }

std::vector<std::optional<std::string>> foreign_code_parameters(const WrittenTable& table, bool replica) {
    std::optional<std::string> columns;
    if (table.columns) columns = fmt::format("{{{}}}", fmt::join(*table.columns, ","));
    std::optional<std::string> indexes;
    if (table.gist_indexes) indexes = fmt::format("{{{}}}", fmt::join(*table.gist_indexes, ","));
    return {std::to_string(table.oid), replica ? "R" : "O", table.partitioned ? "t" : "f", table.name, columns, indexes,
            text_array(table.tied)};
}

std::vector<std::string> find_tied_tables(sql::Connection& connection, const WrittenTable& table, bool replica) {
    const auto texts = foreign_code_parameters(table, replica);
    const std::vector<sql::Param> parameters(texts.begin(), texts.begin() + 3);
    const auto found = connection.query(filled(tables) + " SELECT name FROM l ORDER BY oid", parameters, {1});
    std::vector<std::string> names;
    for (int row = 0; row < found.rows(); ++row) names.push_back(found.text(row, 0));
    return names;
}

ForeignCode find_foreign_code(sql::Connection& connection, const WrittenTable& table, bool replica) {
    const auto texts = foreign_code_parameters(table, replica);
    const std::vector<sql::Param> parameters(texts.begin(), texts.begin() + 5);
    const auto found = connection.query(filled(tables) + code + first_code, parameters, {6, 0, 1});
    const bool there = found.rows() != 0 && found.boolean(0, 0);
    if (!there || !found.get(0, 1))
        throw retry_error(fmt::format("unable to write to '{}': {}, looking again", table.name,
                                      there ? "the code on it, or on a table that a foreign key ties to it, has changed"
                                            : "another table has taken its place"));
    return ForeignCode{found.text(0, 1), found.text(0, 3), found.boolean(0, 2), found.text(0, 4), found.boolean(0, 5)};
}

}  // namespace pgsluice
