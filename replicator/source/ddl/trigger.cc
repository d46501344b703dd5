#include "replicator/source/ddl/trigger.h"

#include "replicator/source/ddl/message_note.h"

namespace pgsluice::ddl {

namespace {

// Each command about a table is about its children, if it changed what these inherit, and about what belongs to it. A
// rewrite of the table comes first, in the same command.
constexpr const char* asked = R"(
DECLARE
    context pg_catalog.text;
    tables pg_catalog.oid[] := '{{}}';   -- that the command was about, and their children where these follow
    created pg_catalog.oid[] := '{{}}';
    altered pg_catalog.oid[] := '{{}}';
    classes pg_catalog.text[] := '{{}}';  -- of other objects, with their `ids`
    ids pg_catalog.oid[] := '{{}}';
    gone pg_catalog.oid[] := '{{}}';
    indexes pg_catalog.text[] := '{{}}';  -- that were dropped
    partitions pg_catalog.bool := false;  -- a table was dropped, which may have been one
    objects pg_catalog.jsonb[] := '{{}}';
    done pg_catalog.int4 := 0;
    c pg_catalog.record;
    id pg_catalog.oid;
    before pg_catalog.jsonb;
    after pg_catalog.jsonb;
    place pg_catalog.text;
    rewritten pg_catalog.int4;
    object pg_catalog.jsonb;
    content pg_catalog.bytea;
    -- In the order in which they are made.
    all_classes CONSTANT pg_catalog.text[] :=
        '{{schema,extension,type,sequence,table,index,statistics,function,view,trigger,policy,grants}}';
    event CONSTANT pg_catalog.text := pg_catalog.gen_random_uuid();
BEGIN
    GET DIAGNOSTICS context = PG_CONTEXT;
    IF tg_event = 'table_rewrite' THEN
        id := pg_event_trigger_table_rewrite_oid();
        INSERT INTO pgsluice.ddl_rewrite
        SELECT {0}, id, pg_event_trigger_table_rewrite_reason()
        WHERE EXISTS (SELECT FROM pgsluice.ddl_definition d WHERE d."group" = {0} AND d.class = 'table' AND d.oid = id);
        RETURN;
    ELSIF tg_event = 'sql_drop' THEN
        FOR c IN SELECT d.classid::regclass::text AS catalog, d.objid, d.objsubid, d.object_type, d.address_names,
                        d.original
                 FROM pg_event_trigger_dropped_objects() d WHERE NOT d.is_temporary LOOP
            IF c.catalog = 'pg_class' AND c.objsubid > 0 THEN
                tables := tables || c.objid;
                IF c.original AND tg_tag = 'ALTER TABLE' THEN altered := altered || c.objid; END IF;
            ELSIF c.catalog IN ('pg_class', 'pg_type', 'pg_namespace', 'pg_statistic_ext')
                  OR c.catalog IN ('pg_proc', 'pg_trigger', 'pg_policy') AND {7} <> '{{}}' THEN
                gone := gone || c.objid;
                partitions := partitions OR c.object_type = 'table';
                IF c.object_type = 'index' THEN
                    indexes := indexes || format('%I.%I', c.address_names[1], c.address_names[2]);
                END IF;
            ELSIF c.object_type IN ('table constraint', 'default value') THEN
                id := to_regclass(format('%I.%I', c.address_names[1], c.address_names[2]));
                IF id IS NOT NULL THEN tables := tables || id; END IF;
            END IF;
        END LOOP;
        -- Columns that ALTER TABLE was told to drop of one table, which is looked at when the command has ended. Not of
        -- several: of children whose parent is not the group's, no more is heard.
        IF gone = '{{}}' AND tables <@ altered[1:1] THEN RETURN; END IF;
        -- Under the numbers that they had before REINDEX CONCURRENTLY.
        IF indexes <> '{{}}' THEN
            gone := gone || ARRAY(
                SELECT d.oid FROM pgsluice.ddl_definition d JOIN pg_namespace n ON n.oid = d.namespace
                WHERE d."group" = {0} AND d.class = 'index'
                  AND format('%I.%I', n.nspname, d.definition ->> 'name') = ANY (indexes)
                  AND NOT EXISTS (SELECT FROM pg_class k WHERE k.oid = d.oid));
        END IF;
        -- It may have been the one partition without a key.
        IF partitions THEN
            tables := tables || ARRAY(
                SELECT p.partrelid FROM pg_partitioned_table p, LATERAL (
                    SELECT FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
                    WHERE t.oid = p.partrelid AND ({2}) OFFSET 0) t
                WHERE NOT EXISTS (
                    SELECT FROM pgsluice.ddl_definition d
                    WHERE d."group" = {0} AND d.class = 'table' AND d.oid = p.partrelid));
        END IF;
    ELSE
        FOR c IN SELECT e.classid::regclass::text AS catalog, e.objid, r.relkind, r.reltype, e.command_tag,
                        CASE e.classid::regclass::text WHEN 'pg_proc' THEN 'function' WHEN 'pg_trigger' THEN 'trigger'
                                                       WHEN 'pg_policy' THEN 'policy' END AS code
                 FROM pg_event_trigger_ddl_commands() e
                 LEFT JOIN LATERAL (SELECT k.relkind, k.reltype, k.relpersistence FROM pg_class k
                                    WHERE k.oid = e.objid OFFSET 0) r ON e.classid = 'pg_class'::regclass
                 WHERE r.relpersistence IS DISTINCT FROM 't' AND NOT e.in_extension LOOP
            IF c.relkind IN ('r', 'p') THEN
                tables := tables || c.objid;
                IF c.command_tag IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO') THEN
                    created := created || c.objid;
                END IF;
            ELSIF c.relkind IN ('i', 'I') THEN
                SELECT k.conrelid INTO id FROM pg_depend d JOIN pg_constraint k ON k.oid = d.refobjid
                WHERE d.classid = 'pg_class'::regclass AND d.objid = c.objid
                  AND d.refclassid = 'pg_constraint'::regclass AND d.deptype = 'i';
                IF FOUND THEN
                    tables := tables || id;
                ELSE
                    SELECT classes || array_agg('index'::text), ids || array_agg(x.oid) INTO classes, ids FROM (
                        WITH RECURSIVE down(oid) AS (
                            SELECT c.objid
                            UNION
                            SELECT i.inhrelid FROM down JOIN pg_inherits i ON i.inhparent = down.oid)
                        SELECT down.oid FROM down) x;
                END IF;
            ELSIF c.relkind = 'S' THEN
                SELECT d.refobjid INTO id FROM pg_depend d
                WHERE d.classid = 'pg_class'::regclass AND d.objid = c.objid
                  AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'i';
                IF FOUND THEN
                    tables := tables || id;
                ELSE
                    classes := classes || 'sequence'::text;
                    ids := ids || c.objid;
                END IF;
            ELSIF c.relkind = 'v' AND 'view' = ANY ({7}) THEN
                classes := classes || 'view'::text;
                ids := ids || c.objid;
            ELSIF c.code = ANY ({7}) THEN
                classes := classes || c.code;
                ids := ids || c.objid;
            ELSIF c.command_tag IN ('GRANT', 'REVOKE') THEN  -- does not say on what
                SELECT classes || coalesce(array_agg('grants'::text), '{{}}'), ids || coalesce(array_agg(d.oid), '{{}}')
                INTO classes, ids FROM pgsluice.ddl_definition d
                WHERE d."group" = {0} AND d.class = 'table' AND 'grants' = ANY ({7});
            ELSIF c.relkind = 'c' THEN
                classes := classes || 'type'::text;
                ids := ids || c.reltype;
            ELSIF c.catalog = 'pg_constraint' THEN
                SELECT k.conrelid INTO id FROM pg_constraint k WHERE k.oid = c.objid AND k.conrelid <> 0;
                IF FOUND THEN tables := tables || id; END IF;
                SELECT k.contypid INTO id FROM pg_constraint k WHERE k.oid = c.objid AND k.contypid <> 0;
                IF FOUND THEN classes := classes || 'type'::text; ids := ids || id; END IF;
            ELSIF c.catalog IN ('pg_type', 'pg_namespace', 'pg_statistic_ext') THEN
                classes := classes || CASE c.catalog WHEN 'pg_type' THEN 'type' WHEN 'pg_namespace' THEN 'schema'
                                                     ELSE 'statistics' END;
                ids := ids || c.objid;
            END IF;
        END LOOP;
    END IF;
)";

// What the command dropped. A type, a sequence or a schema only if the group has sent it: others were never its own.
constexpr const char* dropped = R"(
    -- Dropped: what belongs to a dropped table goes without saying.
    IF gone <> '{{}}' THEN
        FOR c IN SELECT d.class, d.oid, d."table", d.definition || coalesce((
                     SELECT jsonb_build_object('schema', s.definition -> 'name') FROM pgsluice.ddl_definition s
                     WHERE s."group" = {0} AND s.class = 'schema' AND s.oid = d.namespace), '{{}}') AS definition
                 FROM pgsluice.ddl_definition d
                 WHERE d."group" = {0} AND d.class = ANY (all_classes) AND d.oid = ANY (gone) LOOP
            CONTINUE WHEN c.class IN ('index', 'sequence', 'statistics', 'trigger', 'policy')
                AND c."table" = ANY (gone);
            CONTINUE WHEN c.class = 'grants';
            CONTINUE WHEN c.class IN ('view', 'function')
                AND NOT pgsluice.has_ddl_{5}(c.class, c.definition);
            CONTINUE WHEN c.class IN ('sequence', 'type', 'schema')
                AND NOT EXISTS (SELECT FROM pgsluice.ddl_sent s
                                WHERE s."group" = {0} AND s.class = c.class AND s.oid = c.oid)
                AND NOT coalesce((SELECT {2} FROM (SELECT c.definition ->> 'schema' AS nspname) n,
                                               (SELECT c.definition ->> 'name' AS relname) t), false);
            objects := objects || jsonb_build_object(
                'class', c.class, 'oid', c.oid::int8, 'before', c.definition, 'after', NULL);
        END LOOP;
        DELETE FROM pgsluice.ddl_definition d
        WHERE d."group" = {0} AND d.class = ANY (all_classes) AND d.oid = ANY (gone);
        DELETE FROM pgsluice.ddl_sent s WHERE s."group" = {0} AND s.oid = ANY (gone);
    END IF;
)";

// A table that has no definition yet and was not made by this command, though the group has it: the message says so.
constexpr const char* altered_tables = R"(
    WHILE done < cardinality(tables) LOOP
        done := done + 1;
        id := tables[done];
        CONTINUE WHEN id = ANY (tables[1:done - 1]) OR id = ANY (gone);
        SELECT pgsluice.with_schema(d.definition, d.namespace) INTO before
        FROM pgsluice.ddl_definition d WHERE d."group" = {0} AND d.class = 'table' AND d.oid = id;
        IF before IS NULL THEN
            place := pgsluice.place_in_ddl_{5}(id);
            CONTINUE WHEN place IS NULL;
            -- It may be the last partition that its root waited for.
            tables := tables || ARRAY(
                SELECT p.oid FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent AND p.relkind = 'p'
                WHERE i.inhrelid = id AND NOT EXISTS (
                    SELECT FROM pgsluice.ddl_definition d
                    WHERE d."group" = {0} AND d.class = 'table' AND d.oid = p.oid));
        END IF;
        after := pgsluice.definition('table', id);
        CONTINUE WHEN after IS NULL;
        WITH taken AS (DELETE FROM pgsluice.ddl_rewrite r WHERE r."group" = {0} AND r.oid = id RETURNING r.reason)
        SELECT bit_or(taken.reason) INTO rewritten FROM taken;
        object := jsonb_build_object('class', 'table', 'oid', id::int8, 'before', before, 'after', after);
        IF rewritten IS NOT NULL THEN
            object := object || jsonb_build_object('rewritten', rewritten);
            -- Our own line alone: no function, no other trigger ran the command. So its text is what the client sent.
            IF position(chr(10) IN context) = 0 AND current_query() !~ '[uU][sS][iI][nN][gG]' THEN
                object := object || '{{"conversion": "types"}}';
            END IF;
        END IF;
        IF before IS NULL AND id <> ALL (created) THEN
            IF place = 'published' OR NOT EXISTS (
                   SELECT FROM pgsluice.ddl_definition d WHERE d."group" = {0} AND d.class = 'filled') THEN
                object := object || '{{"unknown": true}}';
            END IF;
        END IF;
        IF pgsluice.kept('table', before) IS DISTINCT FROM pgsluice.kept('table', after) OR rewritten IS NOT NULL THEN
            objects := objects || object;
        END IF;
        IF before IS DISTINCT FROM after THEN
            PERFORM pgsluice.keep_definition({0}, 'table', id, after, true);
        END IF;
        IF before -> 'columns' IS DISTINCT FROM after -> 'columns'
           OR before -> 'constraints' IS DISTINCT FROM after -> 'constraints' THEN
            tables := tables || ARRAY(SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = id);
        END IF;
        -- What belongs to the table, and what is attached to it, or no longer.
        FOR c IN SELECT d.class, d.oid FROM (
                     SELECT k."group", k.class, k.oid FROM pgsluice.ddl_definition k WHERE k."table" = id OFFSET 0) d
                 WHERE d."group" = {0} AND (d.class <> 'table' OR NOT EXISTS (
                     SELECT FROM pg_inherits i WHERE i.inhparent = id AND i.inhrelid = d.oid))
                 UNION SELECT 'table', i.inhrelid FROM pg_inherits i WHERE i.inhparent = id AND NOT EXISTS (
                     SELECT FROM pgsluice.ddl_definition d
                     WHERE d."group" = {0} AND d.class = 'table' AND d.oid = i.inhrelid AND d."table" = id)
                 UNION SELECT 'index', i.indexrelid FROM pg_index i
                 WHERE i.indrelid = id AND NOT EXISTS (
                     SELECT FROM pg_constraint k
                     WHERE k.conrelid = id AND k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
                 UNION SELECT 'statistics', s.oid FROM pg_statistic_ext s WHERE s.stxrelid = id
                 UNION SELECT 'grants', id WHERE 'grants' = ANY ({7}) LOOP
            IF c.class = 'table' THEN
                tables := tables || c.oid;
            ELSE
                classes := classes || c.class;
                ids := ids || c.oid;
            END IF;
        END LOOP;
    END LOOP;
)";

constexpr const char* altered_others = R"(
    IF classes = '{{}}' AND objects = '{{}}' THEN RETURN; END IF;
    -- Built again by ALTER TYPE or REINDEX CONCURRENTLY, and the same but for its number. No event tells of the latter
    -- before PostgreSQL 17, so that it may have got another name since.
    FOR c IN SELECT DISTINCT i.indexrelid, i.indrelid, x.relname
             FROM unnest(classes, ids) u(class, oid) JOIN pg_index i ON i.indexrelid = u.oid
             JOIN pg_class x ON x.oid = u.oid
             WHERE u.class = 'index' AND NOT EXISTS (
                 SELECT FROM pgsluice.ddl_definition k
                 WHERE k."group" = {0} AND k.class = 'index' AND k.oid = u.oid) LOOP
        after := pgsluice.definition('index', c.indexrelid);
        UPDATE pgsluice.ddl_definition d SET oid = c.indexrelid
        WHERE d."group" = {0} AND d.class = 'index' AND d.oid = (
            SELECT s.oid FROM (SELECT k.* FROM pgsluice.ddl_definition k WHERE k."table" = c.indrelid OFFSET 0) s
            CROSS JOIN LATERAL (SELECT s.definition ->> 'name') n(name)
            WHERE s."group" = {0} AND s.class = 'index'
              AND NOT EXISTS (SELECT FROM pg_class k WHERE k.oid = s.oid)
              AND (n.name = c.relname
                   OR replace(s.definition ->> 'definition', format(' INDEX %I ON ', n.name), ' INDEX ON ')
                      = replace(after ->> 'definition', format(' INDEX %I ON ', c.relname), ' INDEX ON ')
                  AND NOT EXISTS (SELECT FROM pg_class k WHERE k.relname = n.name AND k.relnamespace = s.namespace))
            ORDER BY n.name = c.relname DESC, s.oid LIMIT 1);
    END LOOP;
    FOR c IN SELECT o.class, o.oid FROM unnest(classes, ids) WITH ORDINALITY o(class, oid, place)
             WHERE o.oid <> ALL (gone) GROUP BY o.class, o.oid ORDER BY min(o.place) LOOP
        SELECT pgsluice.with_schema(d.definition, d.namespace) INTO before
        FROM pgsluice.ddl_definition d WHERE d."group" = {0} AND d.class = c.class AND d.oid = c.oid;
        after := pgsluice.definition(c.class, c.oid);
        CONTINUE WHEN before IS NOT DISTINCT FROM after;
        CONTINUE WHEN before IS NULL AND c.class IN ('index', 'statistics', 'trigger', 'policy')
                 AND pgsluice.place_in_ddl_{5}((after #>> '{{table,oid}}')::oid) IS NULL;
        PERFORM pgsluice.keep_definition({0}, c.class, c.oid, after, true);
        IF pgsluice.kept(c.class, before) IS DISTINCT FROM pgsluice.kept(c.class, after)
           AND (c.class IN ('index', 'statistics', 'trigger', 'policy')
                OR c.class = 'grants' OR CASE WHEN c.class IN ('view', 'function') THEN pgsluice.has_ddl_{5}(c.class, after)
                                                                   OR pgsluice.has_ddl_{5}(c.class, before)
                        ELSE pgsluice.uses_ddl_{5}(c.class, c.oid) END
                OR EXISTS (SELECT FROM pgsluice.ddl_sent s
                           WHERE s."group" = {0} AND s.class = c.class AND s.oid = c.oid)
                OR c.class NOT IN ('view', 'function')
                   AND coalesce((SELECT {2} FROM (SELECT after ->> 'schema' AS nspname) n,
                                              (SELECT after ->> 'name' AS relname) t), false)) THEN
            objects := objects || jsonb_build_object(
                'class', c.class, 'oid', c.oid::int8, 'before', before, 'after', after);
        END IF;
    END LOOP;
)";

// Each query that is run costs, were it only to begin it: so none is, where an expression can tell that it has nothing
// to find.
constexpr const char* sent = R"(
    IF objects = '{{}}' THEN RETURN; END IF;

    -- What new tables and columns need, in case the target does not have it.
    classes := '{{}}';
    ids := '{{}}';
    FOREACH object IN ARRAY objects LOOP
        before := nullif(object -> 'before', 'null');
        after := object -> 'after';
        CONTINUE WHEN after = 'null' OR object ->> 'class' NOT IN ('table', 'index', 'type', 'view', 'function');
        -- As most commands leave a table or an index.
        CONTINUE WHEN object ->> 'class' = 'index' AND before IS NOT NULL;
        CONTINUE WHEN object ->> 'class' = 'table' AND before -> 'schema' = after -> 'schema'
            AND before -> 'columns' @> (after -> 'columns')
            AND coalesce(before -> 'constraints' @> (after -> 'constraints'),
                         before -> 'constraints' IS NULL AND after -> 'constraints' IS NULL);
        SELECT classes || coalesce(array_agg(n.class), '{{}}'), ids || coalesce(array_agg(n.oid), '{{}}')
        INTO classes, ids FROM pgsluice.needs_of(object ->> 'class', (object ->> 'oid')::oid, before, after) n;
    END LOOP;
    IF classes <> '{{}}' THEN
        FOR c IN SELECT DISTINCT n.class, n.oid FROM unnest(classes, ids) n(class, oid) ORDER BY n.class, n.oid LOOP
            after := pgsluice.definition(c.class, c.oid);
            CONTINUE WHEN after IS NULL OR EXISTS (
                SELECT FROM unnest(objects) o WHERE o ->> 'class' = c.class AND (o ->> 'oid')::oid = c.oid);
            objects := objects || jsonb_build_object(
                'class', c.class, 'oid', c.oid::int8, 'before', after, 'after', after);
        END LOOP;
    END IF;
    FOR number IN 1..cardinality(objects) LOOP
        object := objects[number];
        CONTINUE WHEN object -> 'after' = 'null' OR object ->> 'class' NOT IN ('sequence', 'type', 'schema');
        INSERT INTO pgsluice.ddl_sent
        SELECT {0}, object ->> 'class', (object ->> 'oid')::oid
        WHERE NOT EXISTS (
            SELECT FROM pgsluice.ddl_sent s
            WHERE s."group" = {0} AND s.class = object ->> 'class' AND s.oid = (object ->> 'oid')::oid);
        IF object ->> 'class' = 'type' THEN
            objects[number] := object || jsonb_build_object(
                'used_by', pgsluice.users_ddl_{5}((object ->> 'oid')::oid));
        END IF;
    END LOOP;
    object := to_jsonb(objects);
    IF cardinality(objects) > 1 THEN
        SELECT jsonb_agg(o.object ORDER BY o.made, CASE WHEN o.made THEN o.rank ELSE -o.rank END,
                         o.object -> 'before' <> o.object -> 'after',
                         coalesce(jsonb_array_length(o.object #> '{{after,ancestors}}'), 0), o.place)
        INTO object
        FROM (SELECT u.object, u.place, u.object -> 'after' <> 'null' AS made, array_position(
                  all_classes, u.object ->> 'class') AS rank
              FROM unnest(objects) WITH ORDINALITY u(object, place)) o;
    END IF;
    content := convert_to(jsonb_build_object('version', 2, 'tag', tg_tag, 'objects', object)::text, 'UTF8');
)";

}  // namespace

std::string trigger_body(const Scope& scope) {
    std::string body;
    for (const char* part : {asked, dropped, altered_tables, altered_others, sent, note_message})
        body += filled(part, scope);
    return body + "END";
}

}  // namespace pgsluice::ddl
