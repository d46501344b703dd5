#include "sql/owned_objects.h"

#include <fmt/format.h>

#include "sql/quote.h"

namespace pgsluice::sql {

namespace {

// {0} the schema, {1} tables, {2} functions. What is wrong, and the statement that makes it right.
//
// Our own defaults are constants and now(). A default that calls anything else may run any SQL, also through a function
// of PostgreSQL itself such as query_to_xml(); so may one that uses a type, operator or function of a user, whose
// number is 16384 or more.
constexpr const char* query = R"(
WITH trusted AS (SELECT oid FROM pg_roles WHERE rolsuper OR rolname = current_user),
     s AS (SELECT oid, nspname, nspowner FROM pg_namespace WHERE nspname = {0}),
     t AS (SELECT c.oid, c.relkind, c.relowner, c.relacl, c.relrowsecurity, format('%I.%I', s.nspname, c.relname) AS name
           FROM pg_class c JOIN s ON s.oid = c.relnamespace WHERE c.relname = ANY ({1}))
SELECT what, fix FROM (
    SELECT 1, format('schema %I is owned by role %I', nspname, pg_get_userbyid(nspowner)),
           format('ALTER SCHEMA %I OWNER TO %I', nspname, current_user)
    FROM s WHERE nspowner NOT IN (SELECT oid FROM trusted)
  UNION ALL
    SELECT 2, format('%s is not an ordinary table; its owner is role %I', name, pg_get_userbyid(relowner)),
           CASE relkind WHEN 'v' THEN 'DROP VIEW ' WHEN 'm' THEN 'DROP MATERIALIZED VIEW ' WHEN 'S' THEN 'DROP SEQUENCE '
                        WHEN 'f' THEN 'DROP FOREIGN TABLE ' WHEN 'c' THEN 'DROP TYPE ' WHEN 'i' THEN 'DROP INDEX '
                        ELSE 'DROP TABLE ' END || name
    FROM t WHERE relkind <> 'r'
  UNION ALL
    SELECT 3, format('table %s is owned by role %I', name, pg_get_userbyid(relowner)),
           format('ALTER TABLE %s OWNER TO %I', name, current_user)
    FROM t WHERE relkind = 'r' AND relowner NOT IN (SELECT oid FROM trusted)
  UNION ALL
    SELECT 4, format('trigger %I on %s, of function %s, owned by role %I', g.tgname, name, g.tgfoid::regprocedure,
                     pg_get_userbyid(p.proowner)), format('DROP TRIGGER %I ON %s', g.tgname, name)
    FROM t JOIN pg_trigger g ON g.tgrelid = t.oid JOIN pg_proc p ON p.oid = g.tgfoid WHERE NOT g.tgisinternal
  UNION ALL
    SELECT 5, format('rule %I on table %s of role %I', r.rulename, name, pg_get_userbyid(relowner)),
           format('DROP RULE %I ON %s', r.rulename, name)
    FROM t JOIN pg_rewrite r ON r.ev_class = t.oid WHERE relkind = 'r'
  UNION ALL
    SELECT 6, format('policy %I on table %s of role %I', p.polname, name, pg_get_userbyid(relowner)),
           format('DROP POLICY %I ON %s', p.polname, name)
    FROM t JOIN pg_policy p ON p.polrelid = t.oid
  UNION ALL
    SELECT 7, format('row security of table %s of role %I', name, pg_get_userbyid(relowner)),
           format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', name)
    FROM t WHERE relrowsecurity
  UNION ALL
    SELECT 8, format('table %s inherits from table %s of role %I', i.inhrelid::regclass, i.inhparent::regclass,
                     pg_get_userbyid(o.relowner)),
           format('ALTER TABLE %s NO INHERIT %s', i.inhrelid::regclass, i.inhparent::regclass)
    FROM t JOIN pg_inherits i ON t.oid IN (i.inhrelid, i.inhparent)
    JOIN pg_class o ON o.oid IN (i.inhrelid, i.inhparent) AND o.oid <> t.oid
  UNION ALL
    SELECT 9, format('column %I of table %s of role %I, whose default is %s', a.attname, name,
                     pg_get_userbyid(relowner), pg_get_expr(d.adbin, d.adrelid)),
           format('ALTER TABLE %s ALTER %I DROP DEFAULT', name, a.attname)
    FROM t JOIN pg_attrdef d ON d.adrelid = t.oid JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.adnum
    WHERE pg_get_expr(d.adbin, d.adrelid) NOT IN ('now()')
      AND (position('(' IN pg_get_expr(d.adbin, d.adrelid)) > 0 OR a.attgenerated <> '' OR EXISTS (
              SELECT FROM pg_depend WHERE classid = 'pg_attrdef'::regclass AND objid = d.oid
                  AND refclassid <> 'pg_class'::regclass AND refobjid >= 16384))
  UNION ALL
    SELECT 10, format('column %I of table %s of role %I, whose type is %s', a.attname, name,
                     pg_get_userbyid(relowner), format_type(a.atttypid, NULL)), format('DROP TABLE %s', name)
    FROM t JOIN pg_attribute a ON a.attrelid = t.oid
    WHERE relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid >= 16384
  UNION ALL
    SELECT 11, format('constraint %I of table %s of role %I', k.conname, name, pg_get_userbyid(relowner)),
           format('ALTER TABLE %s DROP CONSTRAINT %I', name, k.conname)
    FROM t JOIN pg_constraint k ON k.conrelid = t.oid WHERE k.contype NOT IN ('p', 'u', 'n', 't')
  UNION ALL
    SELECT 12, format('index %s of table %s of role %I, which has an expression', i.indexrelid::regclass, name,
                     pg_get_userbyid(relowner)), format('DROP INDEX %s', i.indexrelid::regclass)
    FROM t JOIN pg_index i ON i.indrelid = t.oid WHERE i.indexprs IS NOT NULL OR i.indpred IS NOT NULL
  UNION ALL
    SELECT 13, format('table %s, on which role %s may create triggers', name,
                      CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE format('%I', pg_get_userbyid(a.grantee)) END),
           format('REVOKE TRIGGER ON %s FROM %s', name,
                  CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE format('%I', pg_get_userbyid(a.grantee)) END)
    FROM t CROSS JOIN LATERAL aclexplode(relacl) a
    WHERE a.privilege_type = 'TRIGGER' AND a.grantee <> relowner AND a.grantee NOT IN (SELECT oid FROM trusted)
  UNION ALL
    SELECT 14, format('function %s is owned by role %I', p.oid::regprocedure, pg_get_userbyid(p.proowner)),
           format('DROP FUNCTION %s', p.oid::regprocedure)
    FROM pg_proc p JOIN s ON s.oid = p.pronamespace
    WHERE p.proname = ANY ({2}) AND p.proowner NOT IN (SELECT oid FROM trusted)
) AS found(place, what, fix) ORDER BY place, what)";

std::string text_array(const std::vector<std::string>& texts) {
    std::string list;
    for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + quote_literal(text);
    return "ARRAY[" + list + "]::text[]";
}

}  // namespace

void require_owned(Connection& connection, const OwnedObjects& objects) {
    const auto found = connection.query(fmt::format(fmt::runtime(query), quote_literal(objects.schema),
                                                    text_array(objects.tables), text_array(objects.functions)),
                                        {}, {2});
    if (found.rows() == 0) return;
    std::string what;
    std::string fixes;
    for (int row = 0; row < found.rows(); ++row) {
        what += (row == 0 ? "" : "; ") + found.text(row, 0);
        fixes += (row == 0 ? "" : "; ") + found.text(row, 1);
    }
    const std::string schema = quote_identifier(objects.schema);
    throw stop_error(
        fmt::format("unable to use schema '{}' on the {}: it is used only if this role or a superuser made what is in "
                    "it: {}",
                    objects.schema, connection.options().role, what),
        fmt::format(
            "If pgsluice made it with another role, connect as that role. If you do not know who made it and why, "
            "remove it as a superuser: DROP SCHEMA {} CASCADE; (progress of workers in it is lost). If you "
            "trust it and want to use this role from now on: {};",
            schema, fixes));
}

}  // namespace pgsluice::sql
