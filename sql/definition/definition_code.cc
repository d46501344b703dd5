// The parts of the function that are about views, functions, triggers, policies and rights.
#include "sql/definition/definition_parts.h"

namespace pgsluice::sql {

// What a view reads through another view is told without columns.
const char* const view_definition = R"(
    SELECT jsonb_build_object(
        'schema', n.nspname, 'name', c.relname, 'owner', pg_get_userbyid(c.relowner),
        'definition', rtrim(pg_get_viewdef(c.oid), ';'),
        'column_names', (
            SELECT jsonb_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
        'options', to_jsonb(c.reloptions),
        'reads', (
            WITH RECURSIVE r(oid, col, direct) AS (
                SELECT d.refobjid, d.refobjsubid, true FROM pg_rewrite w
                JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
                    AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> c.oid
                WHERE w.ev_class = c.oid
                UNION
                SELECT d.refobjid, 0, false FROM r JOIN pg_class v ON v.oid = r.oid AND v.relkind IN ('v', 'm')
                JOIN pg_rewrite w ON w.ev_class = v.oid
                JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
                    AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> v.oid)
            SELECT jsonb_agg(jsonb_build_object(
                'table', jsonb_build_object('oid', t.oid::int8, 'schema', tn.nspname, 'name', t.relname),
                'columns', x.columns, 'ancestors', {ancestors}) ORDER BY t.oid)
            FROM (SELECT r.oid, CASE WHEN bool_and(r.direct)
                                     THEN coalesce(jsonb_agg(DISTINCT a.attname) FILTER (WHERE a.attnum > 0), '[]')
                                     ELSE '[]' END AS columns
                  FROM r LEFT JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = r.col GROUP BY r.oid) x
            JOIN pg_class t ON t.oid = x.oid AND t.relkind IN ('r', 'p', 'f')
            JOIN pg_namespace tn ON tn.oid = t.relnamespace),
        'comment', {comment})
    {as_found}
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = id AND c.relkind = 'v' AND c.relpersistence <> 't' AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))";

// An aggregate has no such text.
const char* const function_definition = R"(
    SELECT jsonb_build_object(
        'schema', n.nspname, 'name', p.proname, 'arguments', pg_get_function_identity_arguments(p.oid),
        'owner', pg_get_userbyid(p.proowner), 'kind', p.prokind, 'language', l.lanname,
        'definer', nullif(p.prosecdef, false), 'definition', pg_get_functiondef(p.oid), 'comment', {comment})
    {as_found}
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
    WHERE p.oid = id AND p.prokind <> 'a' AND n.nspname <> 'pgsluice' AND n.nspname !~ '^pg_' AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'))";

// Those of partitions are made by that of the table above. Ours (a cutover's) are not the tables' users'.
const char* const trigger_definition = R"(
    SELECT jsonb_build_object(
        'name', g.tgname, 'table', jsonb_build_object('oid', t.oid::int8, 'schema', n.nspname, 'name', t.relname),
        'constraint', nullif(g.tgconstraint <> 0, false),
        'event', substr(x.text, x.start, x.place - x.start),
        'rest', substr(x.text, x.place + length(' ON ' || x.name || ' ')),
        'enabled', g.tgenabled, 'comment', {comment}, 'ancestors', {ancestors})
    {as_found}
    FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid JOIN pg_namespace n ON n.oid = t.relnamespace
    CROSS JOIN LATERAL (
        SELECT d.text, d.name, strpos(d.text, ' ON ' || d.name || ' ') AS place,
               strpos(d.text, 'TRIGGER ') + length('TRIGGER ' || quote_ident(g.tgname) || ' ') AS start
        FROM (SELECT pg_get_triggerdef(g.oid) AS text, format('%I.%I', n.nspname, t.relname) AS name) d) x
    WHERE g.oid = id AND NOT g.tgisinternal AND g.tgparentid = 0 AND x.place > 0 AND NOT EXISTS (
        SELECT FROM pg_proc p JOIN pg_namespace s ON s.oid = p.pronamespace
        WHERE p.oid = g.tgfoid AND s.nspname = 'pgsluice'))";

const char* const policy_definition = R"(
    SELECT jsonb_build_object(
        'name', p.polname, 'table', jsonb_build_object('oid', t.oid::int8, 'schema', n.nspname, 'name', t.relname),
        'restrictive', nullif(NOT p.polpermissive, false),
        'command', CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                                 WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
        'roles', (SELECT jsonb_agg(CASE o.role WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(o.role)) END
                                   ORDER BY o.place)
                  FROM unnest(p.polroles) WITH ORDINALITY o(role, place)),
        'using', pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid),
        'comment', {comment}, 'ancestors', {ancestors})
    {as_found}
    FROM pg_policy p JOIN pg_class t ON t.oid = p.polrelid JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE p.oid = id)";

// A table's, by its number; none where only its owner has any.
const char* const grants_definition = R"(
    SELECT jsonb_build_object(
        'table', jsonb_build_object('oid', t.oid::int8, 'schema', n.nspname, 'name', t.relname),
        'rights', x.rights, 'ancestors', {ancestors})
    {as_found}
    FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
    CROSS JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_object(
            'role', CASE WHEN a.grantee <> 0 THEN pg_get_userbyid(a.grantee) END, 'privilege', a.privilege_type,
            'column', l.attname, 'grantable', nullif(a.is_grantable, false))
            ORDER BY l.attnum, a.grantee, a.privilege_type) AS rights
        FROM (SELECT NULL::name AS attname, 0 AS attnum, t.relacl AS acl
              UNION ALL
              SELECT k.attname, k.attnum, k.attacl FROM pg_attribute k
              WHERE k.attrelid = t.oid AND k.attnum > 0 AND NOT k.attisdropped) l, aclexplode(l.acl) a
        WHERE a.grantee <> t.relowner) x
    WHERE t.oid = id AND t.relkind IN ('r', 'p') AND x.rights IS NOT NULL)";

}  // namespace pgsluice::sql
