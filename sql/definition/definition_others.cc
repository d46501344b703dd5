// The parts of the function that are about types, sequences, schemas and extensions.
#include "sql/definition/definition_parts.h"

namespace pgsluice::sql {

const char* const type_definition = R"(
    SELECT jsonb_build_object(
        'schema', n.nspname, 'name', t.typname, 'owner', pg_get_userbyid(t.typowner), 'kind', t.typtype,
        'labels', CASE t.typtype WHEN 'e' THEN coalesce((
            SELECT jsonb_agg(jsonb_build_object('oid', e.oid::int8, 'label', e.enumlabel) ORDER BY e.enumsortorder)
            FROM pg_enum e WHERE e.enumtypid = t.oid), '[]') END,
        'attributes', CASE t.typtype WHEN 'c' THEN coalesce((
            SELECT jsonb_agg(jsonb_build_object(
                'num', a.attnum, 'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
                'type_oid', a.atttypid::int8,
                'collation', CASE WHEN a.attcollation <> y.typcollation THEN (
                    SELECT format('%I.%I', cn.nspname, c.collname)
                    FROM pg_collation c JOIN pg_namespace cn ON cn.oid = c.collnamespace
                    WHERE c.oid = a.attcollation) END) ORDER BY a.attnum)
            FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
            WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped), '[]') END,
        'base', CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
        'not_null', nullif(t.typnotnull, false),
        'default', CASE t.typtype WHEN 'd' THEN pg_get_expr(t.typdefaultbin, 0) END,
        'constraints', CASE t.typtype WHEN 'd' THEN (
            SELECT jsonb_agg(jsonb_build_object(
                'oid', k.oid::int8, 'name', k.conname, 'type', k.contype,
                'definition', pg_get_constraintdef(k.oid), 'validated', k.convalidated,
                'comment', {constraint_comment}) ORDER BY k.oid)
            FROM pg_constraint k WHERE k.contypid = t.oid) END,
        'collation', CASE WHEN t.typtype = 'd' AND t.typcollation <> b.typcollation THEN (
            SELECT format('%I.%I', cn.nspname, c.collname)
            FROM pg_collation c JOIN pg_namespace cn ON cn.oid = c.collnamespace WHERE c.oid = t.typcollation) END,
        'comment', {comment})
        || coalesce((
            SELECT jsonb_build_object(
                'subtype', format_type(r.rngsubtype, NULL), 'subtype_oid', r.rngsubtype::int8,
                'opclass', CASE WHEN NOT o.opcdefault THEN format('%I.%I', opn.nspname, o.opcname) END,
                'collation', CASE WHEN r.rngcollation <> st.typcollation THEN (
                    SELECT format('%I.%I', cn.nspname, c.collname)
                    FROM pg_collation c JOIN pg_namespace cn ON cn.oid = c.collnamespace
                    WHERE c.oid = r.rngcollation) END,
                'canonical', CASE WHEN r.rngcanonical <> 0 THEN (
                    SELECT format('%I.%I', pn.nspname, p.proname)
                    FROM pg_proc p JOIN pg_namespace pn ON pn.oid = p.pronamespace WHERE p.oid = r.rngcanonical) END,
                'subtype_diff', CASE WHEN r.rngsubdiff <> 0 THEN (
                    SELECT format('%I.%I', pn.nspname, p.proname)
                    FROM pg_proc p JOIN pg_namespace pn ON pn.oid = p.pronamespace WHERE p.oid = r.rngsubdiff) END,
                'multirange', (
                    SELECT format('%I.%I', mn.nspname, m.typname)
                    FROM pg_type m JOIN pg_namespace mn ON mn.oid = m.typnamespace WHERE m.oid = r.rngmultitypid))
            FROM pg_range r JOIN pg_opclass o ON o.oid = r.rngsubopc
            JOIN pg_namespace opn ON opn.oid = o.opcnamespace JOIN pg_type st ON st.oid = r.rngsubtype
            WHERE r.rngtypid = t.oid), '{{}}')
    {as_found}
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_type b ON b.oid = t.typbasetype
    WHERE t.oid = id AND t.typtype IN ('e', 'c', 'd', 'r')
      AND (t.typtype <> 'c' OR EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid
                        AND d.deptype = 'e'))";

const char* const sequence_definition = R"(
    SELECT jsonb_build_object(
        'schema', n.nspname, 'name', c.relname, 'owner', pg_get_userbyid(c.relowner),
        'type', format_type(s.seqtypid, NULL), 'start', s.seqstart::text, 'increment', s.seqincrement::text,
        'min', s.seqmin::text, 'max', s.seqmax::text, 'cache', s.seqcache::text,
        'cycle', nullif(s.seqcycle, false),
        'owned_by', (
            SELECT jsonb_build_object('oid', t.oid::int8, 'schema', tn.nspname, 'table', t.relname,
                                      'column', a.attname, 'num', a.attnum)
            FROM pg_depend d JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace tn ON tn.oid = t.relnamespace
            JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
              AND d.deptype = 'a'),
        'comment', {comment})
    {as_found}
    FROM pg_class c JOIN pg_sequence s ON s.seqrelid = c.oid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = id AND c.relpersistence <> 't' AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
          AND d.deptype IN ('i', 'e')))";

const char* const schema_definition = R"(
    SELECT jsonb_build_object('name', n.nspname, 'owner', pg_get_userbyid(n.nspowner),
                              'comment', {comment})
    {as_found}
    FROM pg_namespace n
    WHERE n.oid = id AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgsluice'))";

const char* const extension_definition = R"(
    SELECT jsonb_build_object('name', e.extname, 'schema', n.nspname, 'version', e.extversion)
    {as_found} FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.oid = id)";

}  // namespace pgsluice::sql
