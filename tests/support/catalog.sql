-- All that the catalogs say of schemas, one line each, but for views, functions and rights. :'schemas' is a pattern.
WITH n AS (SELECT oid, nspname, nspowner FROM pg_namespace WHERE nspname LIKE :'schemas'),
c AS (SELECT c.* FROM pg_class c JOIN n ON n.oid = c.relnamespace)
SELECT * FROM (
SELECT concat_ws(' ', 'schema', nspname, pg_get_userbyid(nspowner), obj_description(oid, 'pg_namespace')) AS line FROM n
UNION ALL
SELECT concat_ws(' ', 'table', c.oid::regclass, c.relkind, c.relpersistence, c.reloptions::text, c.relrowsecurity,
    c.relforcerowsecurity, c.relreplident, pg_get_userbyid(c.relowner), pg_get_expr(c.relpartbound, c.oid),
    pg_get_partkeydef(c.oid), (SELECT string_agg(inhparent::regclass::text, ',' ORDER BY inhseqno) FROM pg_inherits
    WHERE inhrelid = c.oid), obj_description(c.oid, 'pg_class')) FROM c WHERE relkind IN ('r', 'p')
UNION ALL
SELECT concat_ws(' ', 'column', c.oid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    a.attidentity, a.attgenerated, a.attstorage, a.attcompression, a.attislocal, a.attinhcount,
    CASE WHEN a.attcollation <> 0 THEN a.attcollation::regcollation::text END, pg_get_expr(d.adbin, d.adrelid),
    col_description(c.oid, a.attnum))
FROM c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum WHERE relkind IN ('r', 'p')
UNION ALL
SELECT concat_ws(' ', 'constraint', c.oid::regclass, k.conname, pg_get_constraintdef(k.oid), k.convalidated,
    k.conislocal, k.coninhcount, obj_description(k.oid, 'pg_constraint'))
FROM c JOIN pg_constraint k ON k.conrelid = c.oid
UNION ALL
SELECT concat_ws(' ', 'index', pg_get_indexdef(c.oid), i.indisvalid, i.indisreplident, c.reloptions::text,
    (SELECT inhparent::regclass FROM pg_inherits WHERE inhrelid = c.oid), obj_description(c.oid, 'pg_class'))
FROM c JOIN pg_index i ON i.indexrelid = c.oid
UNION ALL
SELECT concat_ws(' ', 'sequence', c.oid::regclass, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin,
    s.seqmax, s.seqcache, s.seqcycle, d.refobjid::regclass, a.attname, obj_description(c.oid, 'pg_class'))
FROM c JOIN pg_sequence s ON s.seqrelid = c.oid
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
    AND d.refclassid = 'pg_class'::regclass
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
UNION ALL
SELECT concat_ws(' ', 'type', t.oid::regtype, t.typtype, pg_get_userbyid(t.typowner), t.typnotnull, t.typdefault,
    CASE WHEN t.typbasetype <> 0 THEN format_type(t.typbasetype, t.typtypmod) END,
    (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid),
    (SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ',' ORDER BY attname) FROM pg_attribute
     WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped AND t.typtype = 'c'),
    (SELECT string_agg(conname || ' ' || pg_get_constraintdef(oid), ',' ORDER BY conname) FROM pg_constraint
     WHERE contypid = t.oid),
    (SELECT concat_ws(',', rngsubtype::regtype, rngsubdiff, rngmultitypid::regtype) FROM pg_range WHERE rngtypid = t.oid),
    obj_description(t.oid, 'pg_type'))
FROM pg_type t JOIN n ON n.oid = t.typnamespace LEFT JOIN pg_class r ON r.oid = t.typrelid
WHERE t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND r.relkind = 'c')
UNION ALL
SELECT concat_ws(' ', 'statistics', pg_get_statisticsobjdef(s.oid), obj_description(s.oid, 'pg_statistic_ext'))
FROM pg_statistic_ext s JOIN n ON n.oid = s.stxnamespace
UNION ALL
SELECT concat_ws(' ', 'extension', e.extname, e.extversion) FROM pg_extension e WHERE extname <> 'plpgsql'
) all_of_it ORDER BY line;
