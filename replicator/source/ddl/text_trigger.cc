#include "replicator/source/ddl/text_trigger.h"

#include <fmt/format.h>

#include "replicator/source/ddl/message_note.h"
#include "sql/plpgsql_settings.h"
#include "sql/quote.h"

namespace pgsluice::ddl {

namespace {

// {0} the group, {1} the publication, {3} the prefix, {4} the slot, as literals; {2} the condition on tables that join.
//
// It runs as its owner, so no name may be looked up along the caller's search_path: that is read, set aside and set
// back. A command's objects: tables that the publication has, or partitions of such, and what belongs to them. What
// is dropped is gone from the catalogs by then; a published table is known by its place in the publication.
//
// A new table that the group will take in is noted in ddl_joining, so that its commands are captured from the first on:
// one with a primary key (without one the source would refuse updates and deletes of it), or one that inherits from a
// published one. It is not published here: that would lock the publication until the user's transaction ends. The
// replicator publishes it when it reads the message.
constexpr const char* function_body = R"(
DECLARE
    caller_path CONSTANT pg_catalog.text := pg_catalog.current_setting('search_path');
    command pg_catalog.text := CASE WHEN pg_catalog.current_setting('standard_conforming_strings')
                                   OPERATOR(pg_catalog.=) 'on' THEN coalesce(pg_catalog.current_query(), '') ELSE '' END;
    objects pg_catalog.json;
    content pg_catalog.bytea;
    event CONSTANT pg_catalog.text := pg_catalog.gen_random_uuid();
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    IF tg_event = 'sql_drop' THEN
        SELECT json_agg(json_build_object('type', CASE d.object_type WHEN 'index' THEN 'index' ELSE 'table' END,
                                          'identity', format('%I.%I', d.address_names[1], d.address_names[2]),
                                          'schema', d.address_names[1],
                                          'table', CASE d.object_type WHEN 'index' THEN '' ELSE d.address_names[2] END))
        INTO objects
        FROM pg_event_trigger_dropped_objects() d
        WHERE CASE d.object_type
            WHEN 'publication relation' THEN d.address_args[1] = {1}
            WHEN 'table' THEN d.objid IN (SELECT j.oid FROM pgsluice.ddl_joining j WHERE j."group" = {0})
                AND NOT EXISTS (SELECT FROM pg_event_trigger_dropped_objects() p
                                WHERE p.object_type = 'publication relation' AND p.address_args[1] = {1}
                                  AND p.address_names = d.address_names)
            WHEN 'index' THEN d.original AND NOT d.is_temporary AND tg_tag = 'DROP INDEX' AND d.schema_name IN (
                SELECT schemaname FROM pg_publication_tables WHERE pubname = {1})
            ELSE false END;
        -- What else the command drops may be something of the target's own there.
        IF EXISTS (SELECT FROM pg_event_trigger_dropped_objects() t
                   WHERE t.original AND t.object_type = 'table' AND NOT EXISTS (
                       SELECT FROM pg_event_trigger_dropped_objects() p
                       WHERE p.object_type = 'publication relation' AND p.address_args[1] = {1}
                         AND p.address_names = t.address_names)
                     AND t.objid NOT IN (SELECT j.oid FROM pgsluice.ddl_joining j WHERE j."group" = {0})) THEN
            command := '';
        END IF;
        DELETE FROM pgsluice.ddl_joining j WHERE j."group" = {0} AND j.oid IN (
            SELECT d.objid FROM pg_event_trigger_dropped_objects() d WHERE d.object_type = 'table');
    ELSE
        INSERT INTO pgsluice.ddl_joining
        SELECT {0}, t.oid
        FROM pg_event_trigger_ddl_commands() c
        JOIN pg_class t ON c.classid = 'pg_class'::regclass AND t.oid = c.objid
        JOIN pg_namespace n ON n.oid = t.relnamespace
        WHERE c.command_tag = 'CREATE TABLE' AND NOT c.in_extension
          AND t.relkind IN ('r', 'p') AND t.relpersistence = 'p'
          AND ((({2}) AND EXISTS (SELECT FROM pg_index i WHERE i.indrelid = t.oid AND i.indisprimary))
               OR EXISTS (SELECT FROM pg_inherits i JOIN pg_publication_rel r ON r.prrelid = i.inhparent
                          JOIN pg_publication p ON p.oid = r.prpubid
                          WHERE i.inhrelid = t.oid AND p.pubname = {1} AND NOT t.relispartition))
          AND NOT EXISTS (
              SELECT FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
              WHERE p.pubname = {1} AND (r.prrelid = t.oid
                  OR r.prrelid IN (SELECT relid FROM pg_partition_ancestors(t.oid))))
        ON CONFLICT DO NOTHING;
        SELECT json_agg(json_build_object('type', o.object_type, 'identity', o.object_identity, 'schema', n.nspname,
                                          'table', t.relname, 'ancestors', (
                                              SELECT coalesce(json_agg(json_build_object(
                                                         'schema', an.nspname, 'table', ac.relname)
                                                         ORDER BY a.distance), '[]')
                                              FROM (WITH RECURSIVE up(oid, distance) AS (
                                                        SELECT i.inhparent, 1 FROM pg_inherits i
                                                        WHERE i.inhrelid = t.oid
                                                        UNION ALL
                                                        SELECT i.inhparent, u.distance + 1
                                                        FROM up u JOIN pg_inherits i ON i.inhrelid = u.oid)
                                                    SELECT up.oid, min(up.distance) AS distance
                                                    FROM up GROUP BY up.oid) a
                                              JOIN pg_class ac ON ac.oid = a.oid
                                              JOIN pg_namespace an ON an.oid = ac.relnamespace)))
        INTO objects
        FROM (SELECT c.object_type, c.object_identity, CASE c.classid
                  WHEN 'pg_class'::regclass THEN coalesce(
                      (SELECT i.indrelid FROM pg_index i WHERE i.indexrelid = c.objid), c.objid)
                  WHEN 'pg_constraint'::regclass THEN (SELECT k.conrelid FROM pg_constraint k WHERE k.oid = c.objid)
              END AS relation
              FROM pg_event_trigger_ddl_commands() c) o
        JOIN pg_class t ON t.oid = o.relation AND t.relkind IN ('r', 'p') AND t.relpersistence = 'p'
        JOIN pg_namespace n ON n.oid = t.relnamespace
        WHERE EXISTS (
            SELECT FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
            WHERE p.pubname = {1} AND (r.prrelid = t.oid
                OR r.prrelid IN (SELECT relid FROM pg_partition_ancestors(t.oid))))
           OR EXISTS (SELECT FROM pgsluice.ddl_joining j WHERE j."group" = {0} AND (j.oid = t.oid
                OR j.oid IN (SELECT relid FROM pg_partition_ancestors(t.oid))));
    END IF;
    IF objects IS NOT NULL THEN
        content := convert_to(json_build_object(
            'event', tg_event, 'tag', tg_tag,
            'command', command,
            'search_path', caller_path, 'objects', objects)::text, 'UTF8');
)";

constexpr const char* end_of_function = R"(
    END IF;
    PERFORM pg_catalog.set_config('search_path', caller_path, true);
END)";

std::string trigger(const Scope& scope, const char* end, const char* event, const char* tags) {
    return fmt::format(
        "; DROP EVENT TRIGGER IF EXISTS {0}; CREATE EVENT TRIGGER {0} ON {1} WHEN TAG IN ({2}) "
        "EXECUTE FUNCTION {3}()",
        sql::quote_identifier(fmt::format("pgsluice_{}_{}", scope.suffix, end)), event, tags,
        sql::quote_qualified("pgsluice", "ddl_" + scope.suffix));
}

}  // namespace

std::string text_capture_statements(const Scope& scope) {
    return fmt::format(
               "CREATE TABLE IF NOT EXISTS pgsluice.ddl_joining "
               "(\"group\" pg_catalog.text, oid pg_catalog.oid, PRIMARY KEY (\"group\", oid)); "
               "DROP EVENT TRIGGER IF EXISTS {}; "
               "CREATE OR REPLACE FUNCTION {}() RETURNS pg_catalog.event_trigger LANGUAGE plpgsql "
               "SECURITY DEFINER {} AS {}",
               sql::quote_identifier(fmt::format("pgsluice_{}_rewrite", scope.suffix)),
               sql::quote_qualified("pgsluice", "ddl_" + scope.suffix), sql::without_extra_checks,
               sql::quote_literal(filled(function_body, scope) + filled(note_message, scope) +
                                  filled(end_of_function, scope))) +
           trigger(scope, "ddl", "ddl_command_end",
                   "'CREATE TABLE', 'ALTER TABLE', 'CREATE INDEX', 'ALTER INDEX', "
                   "'COMMENT'") +
           trigger(scope, "drop", "sql_drop", "'DROP TABLE', 'DROP INDEX', 'DROP SCHEMA', 'DROP OWNED'");
}

}  // namespace pgsluice::ddl
