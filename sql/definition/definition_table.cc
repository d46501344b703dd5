// The parts of the function that are about tables, and what belongs to them.
#include "sql/definition/definition_parts.h"

namespace pgsluice::sql {

// LATERAL and OFFSET 0: the planner takes the few for hundreds, and would read all tables.
const char* const ancestors_of_t = R"((
            WITH RECURSIVE up(oid, distance) AS (
                SELECT i.inhparent, 1 FROM pg_inherits i WHERE i.inhrelid = t.oid
                UNION ALL
                SELECT i.inhparent, u.distance + 1 FROM up u CROSS JOIN LATERAL (
                    SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = u.oid OFFSET 0) i)
            SELECT jsonb_agg(jsonb_build_object('oid', p.oid::int8, 'schema', p.nspname, 'name', p.relname)
                             ORDER BY a.distance, p.oid)
            FROM (SELECT up.oid, min(up.distance) AS distance FROM up GROUP BY up.oid) a CROSS JOIN LATERAL (
                SELECT p.oid, pn.nspname, p.relname FROM pg_class p JOIN pg_namespace pn ON pn.oid = p.relnamespace
                WHERE p.oid = a.oid OFFSET 0) p))";

const char* const table_definition = R"(
    SELECT jsonb_build_object(
        'schema', n.nspname, 'name', t.relname, 'kind', t.relkind, 'persistence', t.relpersistence,
        'owner', pg_get_userbyid(t.relowner),
        'columns', coalesce((
            SELECT jsonb_agg(jsonb_build_object(
                'num', a.attnum, 'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
                'type_oid', a.atttypid::int8, 'typmod', nullif(a.atttypmod, -1),
                'base_oid', CASE y.typtype WHEN 'd' THEN (
                    WITH RECURSIVE down(oid, typtype, typbasetype) AS (
                        SELECT y.oid, y.typtype, y.typbasetype
                        UNION ALL
                        SELECT b.oid, b.typtype, b.typbasetype FROM down d JOIN pg_type b ON b.oid = d.typbasetype
                        WHERE d.typtype = 'd')
                    SELECT d.oid::int8 FROM down d WHERE d.typtype <> 'd') END,
                'element_oid', CASE y.typcategory WHEN 'A' THEN nullif(y.typelem::int8, 0) END,
                'not_null', nullif(a.attnotnull, false),
                'collation', CASE WHEN a.attcollation <> y.typcollation THEN (
                    SELECT format('%I.%I', cn.nspname, c.collname)
                    FROM pg_collation c JOIN pg_namespace cn ON cn.oid = c.collnamespace
                    WHERE c.oid = a.attcollation) END,
                'default', pg_get_expr(d.adbin, d.adrelid),
                'identity', nullif(a.attidentity, ''),
                'identity_options', CASE WHEN a.attidentity <> '' THEN (
                    SELECT format('START WITH %s INCREMENT BY %s MINVALUE %s MAXVALUE %s CACHE %s %s', s.seqstart,
                                  s.seqincrement, s.seqmin, s.seqmax, s.seqcache,
                                  CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END)
                    FROM pg_depend h JOIN pg_sequence s ON s.seqrelid = h.objid
                    WHERE h.classid = 'pg_class'::regclass AND h.refclassid = 'pg_class'::regclass
                      AND h.refobjid = t.oid AND h.refobjsubid = a.attnum AND h.deptype = 'i'
                      AND (s.seqstart, s.seqincrement, s.seqmin, s.seqcache, s.seqcycle, s.seqmax) <> (
                          1, 1, 1, 1, false, CASE s.seqtypid WHEN 21 THEN 32767 WHEN 23 THEN 2147483647
                                             ELSE 9223372036854775807 END)) END,
                'generated', nullif(a.attgenerated, ''),
                'missing', CASE WHEN a.atthasmissing THEN array_to_string(a.attmissingval, ',') END,
                'storage', CASE WHEN a.attstorage <> y.typstorage THEN a.attstorage END,
                'compression', nullif(a.attcompression, ''),
                'inherited', CASE WHEN NOT a.attislocal THEN true END,
                'comment', (
                    SELECT o.description FROM pg_description o
                    WHERE o.objoid = t.oid AND o.classoid = 'pg_class'::regclass AND o.objsubid = a.attnum)
                ) ORDER BY a.attnum)
            FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
            LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]'),
        -- Without those that a foreign key to a partitioned table has for each of that one's partitions.
        'constraints', (
            SELECT jsonb_agg(jsonb_build_object(
                'oid', k.oid::int8, 'name', k.conname, 'type', k.contype,
                'definition', pg_get_constraintdef(k.oid), 'validated', k.convalidated,
                'deferrable', nullif(k.condeferrable, false), 'deferred', nullif(k.condeferred, false),
                'inherited', CASE WHEN NOT k.conislocal THEN true END,
                'comment', {constraint_comment}){enforced} ORDER BY k.oid)
            FROM pg_constraint k
            WHERE k.conrelid = t.oid AND k.contype IN ('p', 'u', 'c', 'f', 'x', 'n') AND NOT EXISTS (
                SELECT FROM pg_constraint above WHERE above.oid = k.conparentid AND above.conrelid = t.oid)),
        'replica_identity', t.relreplident,
        'identity_index', CASE t.relreplident WHEN 'i' THEN (
            SELECT ic.relname FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
            WHERE i.indrelid = t.oid AND i.indisreplident) END,
        'partition_by', CASE t.relkind WHEN 'p' THEN pg_get_partkeydef(t.oid) END,
        'bound', pg_get_expr(t.relpartbound, t.oid),
        'parents', (
            SELECT jsonb_agg(jsonb_build_object('oid', p.oid::int8, 'schema', pn.nspname, 'name', p.relname)
                             ORDER BY i.inhseqno)
            FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
            JOIN pg_namespace pn ON pn.oid = p.relnamespace WHERE i.inhrelid = t.oid),
        'bound_by', CASE WHEN t.relispartition THEN (
            SELECT pg_get_partkeydef(i.inhparent) FROM pg_inherits i WHERE i.inhrelid = t.oid) END,
        'ancestors', {ancestors},
        'options', to_jsonb(t.reloptions),
        'row_security', nullif(t.relrowsecurity, false),
        'force_row_security', nullif(t.relforcerowsecurity, false),
        'comment', {comment})
    {as_found}
    FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE t.oid = id AND t.relkind IN ('r', 'p') AND t.relpersistence <> 't')";

const char* const index_definition = R"(
    SELECT jsonb_build_object(
        'schema', n.nspname, 'name', x.relname,
        'table', jsonb_build_object('oid', t.oid::int8, 'schema', tn.nspname, 'name', t.relname),
        'definition', pg_get_indexdef(x.oid), 'options', to_jsonb(x.reloptions),
        'valid', nullif(i.indisvalid, false),
        'parent', (
            SELECT jsonb_build_object('oid', p.oid::int8, 'schema', pn.nspname, 'name', p.relname)
            FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhparent
            JOIN pg_namespace pn ON pn.oid = p.relnamespace WHERE h.inhrelid = x.oid),
        'ancestors', {ancestors},
        'comment', {comment})
    {as_found}
    FROM pg_class x JOIN pg_index i ON i.indexrelid = x.oid JOIN pg_namespace n ON n.oid = x.relnamespace
    JOIN pg_class t ON t.oid = i.indrelid AND t.relkind IN ('r', 'p') AND t.relpersistence <> 't'
    JOIN pg_namespace tn ON tn.oid = t.relnamespace
    WHERE x.oid = id AND (i.indisvalid OR x.relkind = 'I') AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = x.oid AND d.objsubid = 0
          AND d.refclassid = 'pg_constraint'::regclass AND d.deptype = 'i'))";

const char* const statistics_definition = R"(
    SELECT jsonb_build_object(
        'schema', n.nspname, 'name', s.stxname, 'owner', pg_get_userbyid(s.stxowner),
        'table', jsonb_build_object('oid', t.oid::int8, 'schema', tn.nspname, 'name', t.relname),
        'definition', pg_get_statisticsobjdef(s.oid), 'target', nullif(s.stxstattarget, -1),
        'ancestors', {ancestors},
        'comment', {comment})
    {as_found}
    FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
    JOIN pg_class t ON t.oid = s.stxrelid AND t.relkind IN ('r', 'p') AND t.relpersistence <> 't'
    JOIN pg_namespace tn ON tn.oid = t.relnamespace
    WHERE s.oid = id)";

}  // namespace pgsluice::sql
