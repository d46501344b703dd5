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
    IF kind = 'table' THEN
        what := what - '{ancestors,bound_by}'::text[];
        IF what ? 'parents' THEN
            what := what || jsonb_build_object('parents', (
                SELECT jsonb_agg(p -> 'oid') FROM jsonb_array_elements(what -> 'parents') p));
        END IF;
        RETURN what;
    END IF;
    RETURN CASE kind
        WHEN 'index' THEN what - '{definition,table,ancestors}'::text[]
        WHEN 'statistics' THEN what - '{definition,table,ancestors}'::text[]
        WHEN 'view' THEN what - 'reads'
        WHEN 'trigger' THEN what - '{table,ancestors}'::text[]
        WHEN 'grants' THEN what - '{table,ancestors}'::text[]
        WHEN 'policy' THEN what - '{table,ancestors}'::text[]
        WHEN 'sequence' THEN what #- '{owned_by,schema}' #- '{owned_by,table}' #- '{owned_by,column}'
        ELSE what END;
END)";

const char* const with_schema_body = R"(
BEGIN
    RETURN what || coalesce(
        (SELECT jsonb_build_object('schema', n.nspname) FROM pg_namespace n WHERE n.oid = namespace), '{}');
END)";

// In steps: most commands leave nothing to find for the largest query, and only to start it takes half a millisecond.
// LATERAL and OFFSET 0 make the planner look up each by its index: it takes an array for a hundred rows, and would read
// all of pg_depend.
const char* const needs_body = R"(
#variable_conflict use_column
DECLARE
    columns pg_catalog.jsonb := '[]';         -- that are new, or have another type or default
    part_classes pg_catalog.oid[] := '{}';    -- their defaults, new constraints, a new index
    part_ids pg_catalog.oid[] := '{}';
BEGIN
    IF kind IN ('table', 'view', 'function') AND before ->> 'schema' IS DISTINCT FROM after ->> 'schema' THEN
        RETURN QUERY SELECT 'schema', n.oid FROM pg_namespace n WHERE n.nspname = after ->> 'schema';
    END IF;
    IF kind = 'table' THEN
        columns := to_jsonb(ARRAY(
            SELECT a FROM jsonb_array_elements(after -> 'columns') a WHERE NOT EXISTS (
                SELECT FROM jsonb_array_elements(before -> 'columns') b
                WHERE b -> 'num' = a -> 'num' AND b -> 'type_oid' = a -> 'type_oid'
                  AND b -> 'default' IS NOT DISTINCT FROM a -> 'default')));
        SELECT array_agg(p.classid), array_agg(p.objid) INTO part_classes, part_ids FROM (
            SELECT 'pg_attrdef'::regclass::oid, d.oid FROM jsonb_array_elements(columns) a CROSS JOIN LATERAL (
                SELECT d.oid FROM pg_attrdef d WHERE d.adrelid = id AND d.adnum = (a ->> 'num')::int2 OFFSET 0) d
            UNION ALL
            SELECT k.classid, k.objid FROM jsonb_array_elements(after -> 'constraints') a CROSS JOIN LATERAL (
                SELECT 'pg_constraint'::regclass::oid, (a ->> 'oid')::oid
                UNION ALL
                SELECT 'pg_class'::regclass, x.conindid FROM pg_constraint x
                WHERE x.oid = (a ->> 'oid')::oid AND x.contype = 'x' OFFSET 0) k(classid, objid)
            WHERE NOT EXISTS (
                SELECT FROM jsonb_array_elements(before -> 'constraints') b WHERE b -> 'oid' = a -> 'oid')
            ) p(classid, objid);
    ELSIF kind = 'index' AND before IS NULL THEN
        part_classes := ARRAY['pg_class'::regclass::oid];
        part_ids := ARRAY[id];
    END IF;
    IF kind = 'table' AND (part_ids IS NOT NULL OR before IS NULL) THEN
        RETURN QUERY
        WITH sequences(oid, namespace) AS (
            SELECT s.oid, s.relnamespace FROM unnest(part_classes, part_ids) p(classid, objid) CROSS JOIN LATERAL (
                SELECT s.oid, s.relnamespace FROM pg_depend d JOIN pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
                WHERE d.classid = p.classid AND d.objid = p.objid AND d.refclassid = 'pg_class'::regclass OFFSET 0) s
            WHERE p.classid = 'pg_attrdef'::regclass
            UNION ALL
            SELECT s.oid, s.relnamespace FROM pg_depend d CROSS JOIN LATERAL (
                SELECT s.oid, s.relnamespace FROM pg_class s WHERE s.oid = d.objid OFFSET 0) s
            WHERE before IS NULL AND d.refclassid = 'pg_class'::regclass AND d.refobjid = id
              AND d.classid = 'pg_class'::regclass AND d.deptype = 'a')
        SELECT 'sequence', s.oid FROM sequences s UNION SELECT 'schema', s.namespace FROM sequences s;
    END IF;
    IF kind <> 'type' AND NOT EXISTS (
        SELECT FROM jsonb_array_elements(columns) a WHERE (a ->> 'type_oid')::oid >= 16384
    ) AND NOT EXISTS (
        SELECT FROM unnest(part_classes, part_ids) p(classid, objid) CROSS JOIN LATERAL (
            SELECT d.refclassid, d.refobjid FROM pg_depend d
            WHERE d.classid = p.classid AND d.objid = p.objid AND d.refobjid >= 16384 OFFSET 0) d
        WHERE EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.refclassid AND e.objid = d.refobjid
                        AND e.deptype = 'e' OFFSET 0)
    ) THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH RECURSIVE types(oid) AS (
        SELECT (a ->> 'type_oid')::oid FROM jsonb_array_elements(columns) a WHERE (a ->> 'type_oid')::oid >= 16384
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
        SELECT p.classid, p.objid FROM unnest(part_classes, part_ids) p(classid, objid)
        UNION ALL SELECT 'pg_type'::regclass, types.oid FROM types),
    things(class, oid) AS (
        SELECT 'type', types.oid FROM types
        UNION
        SELECT 'extension', e.refobjid FROM parts p
        JOIN pg_depend d ON d.classid = p.classid AND d.objid = p.objid AND d.refobjid >= 16384
        JOIN pg_depend e ON e.classid = d.refclassid AND e.objid = d.refobjid AND e.deptype = 'e'
        UNION
        SELECT 'extension', e.refobjid FROM types
        JOIN pg_depend e ON e.classid = 'pg_type'::regclass AND e.objid = types.oid AND e.deptype = 'e')
    SELECT things.class, things.oid FROM things
    UNION
    SELECT 'schema', s.oid FROM (
        SELECT y.typnamespace FROM things x JOIN pg_type y ON y.oid = x.oid WHERE x.class = 'type'
        UNION SELECT e.extnamespace FROM things x JOIN pg_extension e ON e.oid = x.oid WHERE x.class = 'extension') s(oid);
END)";

}  // namespace pgsluice::ddl
