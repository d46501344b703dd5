#include "replicator/source/ddl/scope.h"

#include <fmt/format.h>

#include "sql/definition/definition_parts.h"

namespace pgsluice::ddl {

namespace {

// In steps, of which the later ones are rarely begun: only to start one query of them all takes half a millisecond.
constexpr const char* place = R"(
DECLARE
    up pg_catalog.oid := id;
    top pg_catalog.oid;         -- the root that is selected
    parts pg_catalog.oid[];
BEGIN
    IF EXISTS (SELECT FROM pg_publication p WHERE p.pubname = {1} AND EXISTS (
            SELECT FROM pg_publication_rel r WHERE r.prrelid = id AND r.prpubid = p.oid OFFSET 0)) THEN
        RETURN 'published';
    END IF;
    IF EXISTS (SELECT FROM pgsluice.ddl_definition d WHERE d."group" = {0} AND d.class = 'table' AND d.oid = id)
       OR (CASE WHEN EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = id) THEN EXISTS (
              WITH RECURSIVE up(oid) AS (
                  SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = id
                  UNION SELECT i.inhparent FROM up JOIN pg_inherits i ON i.inhrelid = up.oid)
              SELECT FROM up WHERE EXISTS (
                      SELECT FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
                      WHERE r.prrelid = up.oid AND p.pubname = {1})
                  OR EXISTS (
                      SELECT FROM pgsluice.ddl_definition d
                      WHERE d."group" = {0} AND d.class = 'table' AND d.oid = up.oid)) END) THEN
        RETURN 'child';
    END IF;
    WHILE up IS NOT NULL LOOP
        IF EXISTS (SELECT FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
                   WHERE t.oid = up AND t.relkind IN ('r', 'p') AND t.relpersistence = 'p' AND ({2}))
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = up
                             AND d.deptype = 'e') THEN
            top := up;
        END IF;
        up := (SELECT i.inhparent FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent AND p.relkind = 'p'
               WHERE i.inhrelid = up);
    END LOOP;
    IF top IS NULL THEN RETURN NULL; END IF;
    -- Its partitions decide, all of them: those of the root itself are nothing to an UPDATE.
    parts := ARRAY[top];
    IF EXISTS (SELECT FROM pg_class c WHERE c.oid = top AND c.relkind = 'p') THEN
        parts := ARRAY(
            WITH RECURSIVE down(oid, relkind) AS (
                SELECT top, 'p'::"char"
                UNION ALL
                SELECT i.inhrelid, c.relkind FROM down d
                JOIN pg_inherits i ON i.inhparent = d.oid AND NOT i.inhdetachpending
                JOIN pg_class c ON c.oid = i.inhrelid WHERE d.relkind = 'p')
            SELECT c.oid FROM down JOIN pg_class c ON c.oid = down.oid
            WHERE c.relkind = 'p' AND NOT EXISTS (SELECT FROM down l WHERE l.relkind = 'r')
              OR c.relkind = 'r' AND c.relpersistence = 'p');
    END IF;
    FOREACH up IN ARRAY parts LOOP
        IF EXISTS (SELECT FROM pg_class c WHERE c.oid = up AND CASE c.relreplident
                WHEN 'f' THEN false WHEN 'n' THEN true ELSE NOT EXISTS (
                    SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisvalid
                      AND CASE c.relreplident WHEN 'd' THEN i.indisprimary ELSE i.indisreplident END) END) THEN
            RETURN NULL;
        END IF;
    END LOOP;
    RETURN CASE WHEN parts <> '{{}}' THEN 'joins' END;
END)";

constexpr const char* uses = R"(
BEGIN
    IF kind = 'schema' THEN
        RETURN EXISTS (SELECT FROM pgsluice.ddl_definition d
                       WHERE d."group" = {0} AND d.class = 'table' AND d.namespace = id);
    END IF;
    RETURN EXISTS (
        WITH RECURSIVE up(classid, objid, further) AS (
            SELECT CASE kind WHEN 'type' THEN 'pg_type'::regclass ELSE 'pg_class'::regclass END::oid, id, true
            UNION
            SELECT x.classid, x.objid, x.classid = 'pg_type'::regclass
            FROM up JOIN pg_depend d ON d.refclassid = up.classid AND d.refobjid = up.objid
            LEFT JOIN pg_attrdef a ON d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid
            LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid AND c.relkind = 'c'
            CROSS JOIN LATERAL (SELECT
                CASE WHEN a.oid IS NOT NULL THEN 'pg_class'::regclass::oid WHEN c.oid IS NOT NULL
                     THEN 'pg_type'::regclass::oid ELSE d.classid END,
                coalesce(a.adrelid, c.reltype, d.objid)) x(classid, objid)
            WHERE up.further AND d.classid IN ('pg_class'::regclass, 'pg_type'::regclass, 'pg_attrdef'::regclass))
        SELECT FROM up JOIN pgsluice.ddl_definition k ON k."group" = {0} AND k.class = 'table' AND k.oid = up.objid
        WHERE up.classid = 'pg_class'::regclass)
    OR kind = 'sequence' AND EXISTS (
        SELECT FROM pg_depend d JOIN pgsluice.ddl_definition k
          ON k."group" = {0} AND k.class = 'table' AND k.oid = d.refobjid
        WHERE d.classid = 'pg_class'::regclass AND d.objid = id AND d.refclassid = 'pg_class'::regclass
          AND d.deptype = 'a');
END)";

constexpr const char* users = R"(
BEGIN
    RETURN coalesce((
        WITH RECURSIVE up(oid) AS (
            SELECT id
            UNION
            SELECT coalesce(c.reltype, d.objid)
            FROM up JOIN pg_depend d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = up.oid
            LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
            WHERE d.classid = 'pg_type'::regclass OR c.reltype <> 0),
        found(oid, columns) AS (
            SELECT t.oid, jsonb_agg(DISTINCT a.attname)
            FROM up JOIN pg_depend d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = up.oid
              AND d.classid = 'pg_class'::regclass
            JOIN pgsluice.ddl_definition k ON k."group" = {0} AND k.class = 'table' AND k.oid = d.objid
            JOIN pg_class t ON t.oid = d.objid
            JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.objsubid AND NOT a.attisdropped
            GROUP BY t.oid)
        SELECT jsonb_agg(jsonb_build_object(
            'table', jsonb_build_object('oid', t.oid::int8, 'schema', n.nspname, 'name', t.relname),
            'columns', found.columns, 'ancestors', {6}) ORDER BY t.oid)
        FROM found JOIN pg_class t ON t.oid = found.oid JOIN pg_namespace n ON n.oid = t.relnamespace), '[]');
END)";

constexpr const char* has = R"(
BEGIN
    IF kind = 'view' THEN
        RETURN EXISTS (
            SELECT FROM jsonb_array_elements(what -> 'reads') r
            WHERE pgsluice.place_in_ddl_{5}((r #>> '{{table,oid}}')::oid) IS NOT NULL);
    END IF;
    RETURN EXISTS (
        SELECT FROM pg_namespace n JOIN pgsluice.ddl_definition d ON d.namespace = n.oid
        WHERE n.nspname = what ->> 'schema' AND d."group" = {0} AND d.class = 'table');
END)";

constexpr const char* fill_code = R"(
DECLARE
    c pg_catalog.record;
    what pg_catalog.jsonb;
    made pg_catalog.int4 := 0;
BEGIN
    DELETE FROM pgsluice.ddl_definition d
    WHERE d."group" = {0} AND d.class = 'table' AND NOT EXISTS (
        WITH RECURSIVE up(oid) AS (
            SELECT d.oid
            UNION
            SELECT i.inhparent FROM up CROSS JOIN LATERAL (
                SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = up.oid OFFSET 0) i)
        SELECT FROM up CROSS JOIN LATERAL (
            SELECT FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid AND p.pubname = {1}
            WHERE r.prrelid = up.oid OFFSET 0) r)
      AND NOT EXISTS (
        SELECT FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace WHERE t.oid = d.oid AND ({2}));
    -- Of indexes that REINDEX CONCURRENTLY has built again, and which come under their new number.
    BEGIN
        DELETE FROM pgsluice.ddl_definition d
        WHERE d."group" = {0} AND d.class = 'index' AND NOT EXISTS (SELECT FROM pg_class k WHERE k.oid = d.oid);
    EXCEPTION WHEN lock_not_available THEN
        NULL;
    END;
    DELETE FROM pgsluice.ddl_definition d
    WHERE d."group" = {0} AND d.class IN ('view', 'function', 'trigger', 'policy', 'grants') AND d.class <> ALL ({7});
    FOR c IN
        WITH RECURSIVE members(oid) AS (
            SELECT r.prrelid FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
            WHERE p.pubname = {1}
            UNION
            SELECT i.inhrelid FROM members m JOIN pg_inherits i ON i.inhparent = m.oid),
        wanted(class, oid) AS (
            SELECT 'table', m.oid FROM members m JOIN pg_class t ON t.oid = m.oid AND t.relkind IN ('r', 'p')
            UNION ALL SELECT 'index', i.indexrelid FROM members m JOIN pg_index i ON i.indrelid = m.oid
            WHERE NOT EXISTS (
                SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
                  AND d.refclassid = 'pg_constraint'::regclass AND d.deptype = 'i')
            UNION ALL SELECT 'statistics', s.oid FROM members m JOIN pg_statistic_ext s ON s.stxrelid = m.oid
            UNION ALL SELECT 'sequence', s.seqrelid FROM pg_sequence s
            UNION ALL SELECT 'type', t.oid FROM pg_type t LEFT JOIN pg_class k ON k.oid = t.typrelid
            WHERE t.oid >= 16384 AND (t.typtype IN ('e', 'd', 'r') OR k.relkind = 'c')
            UNION ALL SELECT 'schema', n.oid FROM pg_namespace n WHERE n.nspname !~ '^pg_'
            UNION ALL SELECT 'view', v.oid FROM pg_class v
            WHERE v.relkind = 'v' AND v.oid >= 16384 AND 'view' = ANY ({7})
            UNION ALL SELECT 'function', p.oid FROM pg_proc p
            WHERE p.oid >= 16384 AND p.prokind <> 'a' AND 'function' = ANY ({7})
            UNION ALL SELECT 'trigger', g.oid FROM members m JOIN pg_trigger g ON g.tgrelid = m.oid
            WHERE NOT g.tgisinternal AND g.tgparentid = 0 AND 'trigger' = ANY ({7})
            UNION ALL SELECT 'policy', p.oid FROM members m JOIN pg_policy p ON p.polrelid = m.oid
            WHERE 'policy' = ANY ({7})
            UNION ALL SELECT 'grants', m.oid FROM members m WHERE 'grants' = ANY ({7}))
        SELECT w.class, w.oid FROM wanted w
        WHERE NOT EXISTS (SELECT FROM pgsluice.ddl_definition d
                          WHERE d."group" = {0} AND d.class = w.class AND d.oid = w.oid)
        ORDER BY w.class DESC, w.oid
    LOOP
        EXIT WHEN made >= most;
        what := pgsluice.definition(c.class, c.oid);
        CONTINUE WHEN what IS NULL;
        -- One that a transaction alters just now is kept by that, or comes the next time.
        BEGIN
            PERFORM pgsluice.keep_definition({0}, c.class, c.oid, what, false);
        EXCEPTION WHEN lock_not_available THEN
            NULL;
        END;
        made := made + 1;
    END LOOP;
    IF made = 0 AND NOT EXISTS (
        SELECT FROM pgsluice.ddl_definition d WHERE d."group" = {0} AND d.class = 'filled') THEN
        INSERT INTO pgsluice.ddl_sent
        SELECT d."group", d.class, d.oid FROM pgsluice.ddl_definition d
        WHERE d."group" = {0} AND d.class IN ('sequence', 'type', 'schema') AND pgsluice.uses_ddl_{5}(d.class, d.oid);
        INSERT INTO pgsluice.ddl_definition VALUES ({0}, 'filled', 0, NULL, NULL, '{{}}') ON CONFLICT DO NOTHING;
    END IF;
    RETURN made;
END)";

}  // namespace

std::string filled(const char* body, const Scope& scope) {
    return fmt::format(fmt::runtime(body), scope.group, scope.publication, scope.joining, scope.prefix, scope.slot,
                       scope.suffix, sql::ancestors_of_t, scope.objects);
}

std::string place_body(const Scope& scope) { return filled(place, scope); }
std::string uses_body(const Scope& scope) { return filled(uses, scope); }
std::string users_body(const Scope& scope) { return filled(users, scope); }
std::string has_body(const Scope& scope) { return filled(has, scope); }
std::string fill_body(const Scope& scope) { return filled(fill_code, scope); }

}  // namespace pgsluice::ddl
