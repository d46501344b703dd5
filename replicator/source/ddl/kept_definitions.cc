#include "replicator/source/ddl/kept_definitions.h"

namespace pgsluice::ddl {

const char* const keep_body = R"(
BEGIN
    IF what IS NULL THEN
        DELETE FROM pgsluice.ddl_definition d WHERE d."group" = grp AND d.class = kind AND d.oid = id;
        RETURN;
    END IF;
    INSERT INTO pgsluice.ddl_definition AS d ("group", class, oid, "table", namespace, definition)
    SELECT grp, kind, id,
        coalesce(what #>> '{table,oid}', what #>> '{owned_by,oid}', what #>> '{parents,0,oid}')::pg_catalog.oid,
        n.oid, what
    FROM (SELECT) one LEFT JOIN pg_namespace n ON n.nspname = what ->> 'schema'
    ON CONFLICT ("group", class, oid) DO UPDATE
    SET "table" = excluded."table", namespace = excluded.namespace, definition = excluded.definition WHERE newer;
END)";

const char* const kept_body = R"(
BEGIN
    RETURN CASE kind
        WHEN 'index' THEN what - '{definition,table,ancestors}'::text[]
        WHEN 'statistics' THEN what - '{definition,table,ancestors}'::text[]
        WHEN 'view' THEN what - 'reads'
        WHEN 'trigger' THEN what - '{table,ancestors}'::text[]
        WHEN 'grants' THEN what - '{table,ancestors}'::text[]
        WHEN 'policy' THEN what - '{table,ancestors}'::text[]
        WHEN 'sequence' THEN what #- '{owned_by,schema}' #- '{owned_by,table}' #- '{owned_by,column}'
        WHEN 'table' THEN what - '{parents,ancestors,bound_by}'::text[] || jsonb_build_object(
            'parents', (SELECT jsonb_agg(p -> 'oid') FROM jsonb_array_elements(what -> 'parents') p))
        ELSE what END;
END)";

const char* const with_schema_body = R"(
BEGIN
    RETURN what || coalesce(
        (SELECT jsonb_build_object('schema', n.nspname) FROM pg_namespace n WHERE n.oid = namespace), '{}');
END)";

const char* const needs_body = R"(
#variable_conflict use_column
BEGIN
    -- As most commands leave a table: only to start the query below takes half a millisecond.
    IF kind = 'table' AND before -> 'schema' = after -> 'schema' AND before -> 'columns' @> (after -> 'columns')
       AND coalesce(before -> 'constraints' @> (after -> 'constraints'), before -> 'constraints' IS NULL
                                                                         AND after -> 'constraints' IS NULL) THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH RECURSIVE columns(num, type_oid) AS (
        SELECT (a ->> 'num')::int2, (a ->> 'type_oid')::oid FROM jsonb_array_elements(after -> 'columns') a
        WHERE kind = 'table' AND NOT EXISTS (
            SELECT FROM jsonb_array_elements(before -> 'columns') b
            WHERE b -> 'num' = a -> 'num' AND b -> 'type_oid' = a -> 'type_oid'
              AND b -> 'default' IS NOT DISTINCT FROM a -> 'default')),
    types(oid) AS (
        SELECT c.type_oid FROM columns c WHERE c.type_oid >= 16384
        UNION SELECT id WHERE kind = 'type'
        UNION
        SELECT p.oid FROM types JOIN pg_type y ON y.oid = types.oid
        LEFT JOIN pg_range r ON types.oid IN (r.rngtypid, r.rngmultitypid)
        CROSS JOIN LATERAL (
            SELECT unnest(ARRAY[y.typelem, y.typbasetype, r.rngsubtype, r.rngtypid])
            UNION ALL
            SELECT k.atttypid FROM pg_class t JOIN pg_attribute k ON k.attrelid = t.oid
            WHERE t.oid = y.typrelid AND t.relkind = 'c' AND k.attnum > 0 AND NOT k.attisdropped) p(oid)
        WHERE p.oid >= 16384),
    parts(classid, objid) AS (
        SELECT 'pg_attrdef'::regclass::oid, d.oid
        FROM columns c JOIN pg_attrdef d ON d.adrelid = id AND d.adnum = c.num
        UNION ALL
        SELECT 'pg_constraint'::regclass, (a ->> 'oid')::oid FROM jsonb_array_elements(after -> 'constraints') a
        WHERE NOT EXISTS (
            SELECT FROM jsonb_array_elements(before -> 'constraints') b WHERE b -> 'oid' = a -> 'oid')
        UNION ALL
        SELECT 'pg_class'::regclass, k.conindid FROM jsonb_array_elements(after -> 'constraints') a
        JOIN pg_constraint k ON k.oid = (a ->> 'oid')::oid AND k.contype = 'x'
        WHERE NOT EXISTS (
            SELECT FROM jsonb_array_elements(before -> 'constraints') b WHERE b -> 'oid' = a -> 'oid')
        UNION ALL SELECT 'pg_class'::regclass, id WHERE kind = 'index' AND before IS NULL
        UNION ALL SELECT 'pg_type'::regclass, types.oid FROM types),
    things(class, oid) AS (
        SELECT 'type', types.oid FROM types
        UNION
        SELECT 'extension', e.refobjid FROM parts p
        JOIN pg_depend d ON d.classid = p.classid AND d.objid = p.objid AND d.refobjid >= 16384
        JOIN pg_depend e ON e.classid = d.refclassid AND e.objid = d.refobjid AND e.deptype = 'e'
        UNION
        SELECT 'extension', e.refobjid FROM types
        JOIN pg_depend e ON e.classid = 'pg_type'::regclass AND e.objid = types.oid AND e.deptype = 'e'
        UNION
        SELECT 'sequence', d.refobjid FROM parts p
        JOIN pg_depend d ON d.classid = p.classid AND d.objid = p.objid AND d.refclassid = 'pg_class'::regclass
        JOIN pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
        WHERE p.classid = 'pg_attrdef'::regclass
        UNION
        SELECT 'sequence', d.objid FROM pg_depend d
        WHERE kind = 'table' AND before IS NULL AND d.refclassid = 'pg_class'::regclass AND d.refobjid = id
          AND d.classid = 'pg_class'::regclass AND d.deptype = 'a')
    SELECT things.class, things.oid FROM things
    UNION
    SELECT 'schema', s.oid FROM (
        SELECT n.oid FROM pg_namespace n
        WHERE kind IN ('table', 'view', 'function') AND n.nspname = after ->> 'schema'
          AND before ->> 'schema' IS DISTINCT FROM after ->> 'schema'
        UNION SELECT y.typnamespace FROM things x JOIN pg_type y ON y.oid = x.oid WHERE x.class = 'type'
        UNION SELECT k.relnamespace FROM things x JOIN pg_class k ON k.oid = x.oid WHERE x.class = 'sequence'
        UNION SELECT e.extnamespace FROM things x JOIN pg_extension e ON e.oid = x.oid WHERE x.class = 'extension') s;
END)";

}  // namespace pgsluice::ddl
