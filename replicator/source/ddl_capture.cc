#include "replicator/source/ddl_capture.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "sql/error.h"
#include "sql/owned_objects.h"
#include "sql/quote.h"
#include "stream/format/ddl_message.h"

namespace pgsluice {

namespace {

// Made once; a new version of the function replaces an older one. `token` was the secret by which an earlier version
// told its messages; what is left of that says up to where they are believed: "<secret> until <LSN>".
constexpr const char* make_tables =
    "CREATE SCHEMA IF NOT EXISTS pgsluice; "
    "CREATE TABLE IF NOT EXISTS pgsluice.ddl_capture "
    "(\"group\" pg_catalog.text PRIMARY KEY, definition pg_catalog.text NOT NULL, token pg_catalog.text NOT NULL); "
    "CREATE TABLE IF NOT EXISTS pgsluice.ddl_joining "
    "(\"group\" pg_catalog.text, oid pg_catalog.oid, PRIMARY KEY (\"group\", oid)); "
    "CREATE TABLE IF NOT EXISTS pgsluice.ddl_event "
    "(\"group\" pg_catalog.text, id pg_catalog.text, xid pg_catalog.xid8 NOT NULL, digest pg_catalog.bytea NOT NULL, "
    "PRIMARY KEY (\"group\", id))";

// Who reads ddl_capture is a replicator's role, and needs this one, too.
constexpr const char* grant_reading =
    "DO $$DECLARE reader pg_catalog.text; BEGIN "
    "FOR reader IN SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE "
    "pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END "
    "FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a "
    "WHERE c.oid = 'pgsluice.ddl_capture'::pg_catalog.regclass AND a.privilege_type = 'SELECT' LOOP "
    "EXECUTE 'GRANT SELECT ON pgsluice.ddl_event TO ' || reader; END LOOP; END$$";

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
//
// Each message is noted in ddl_event (ddl_events.h). Notes of transactions that the slot will not send again are
// removed: those are older than its catalog_xmin. Not those that another session removes just now, nor where a
// transaction would fail over it.
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
        IF current_setting('transaction_isolation') = 'read committed' THEN
            DELETE FROM pgsluice.ddl_event WHERE ("group", id) IN (
                SELECT e."group", e.id FROM pgsluice.ddl_event e JOIN pg_replication_slots s ON s.slot_name = {4}
                WHERE e."group" = {0} AND age(xid(e.xid)) > age(s.catalog_xmin) FOR UPDATE OF e SKIP LOCKED);
        END IF;
        INSERT INTO pgsluice.ddl_event VALUES ({0}, event, pg_current_xact_id(), sha256(content));
        PERFORM pg_logical_emit_message(true, {3} || event, content);
    END IF;
    PERFORM pg_catalog.set_config('search_path', caller_path, true);
END)";

struct Wanted {
    std::string group;     // a literal
    std::string function;  // qualified
    std::string command_trigger;
    std::string drop_trigger;
    std::string prefix;  // before the message's id
    std::string body;
};

Wanted wanted_for(const Names& names, const DdlScope& scope) {
    Wanted wanted;
    wanted.group = sql::quote_literal(names.group);
    wanted.function = sql::quote_qualified("pgsluice", "ddl_" + names.group);
    wanted.command_trigger = "pgsluice_" + names.group + "_ddl";
    wanted.drop_trigger = "pgsluice_" + names.group + "_drop";
    wanted.prefix = fmt::format("{}/{}/", ddl_message_prefix, names.group);
    wanted.body = fmt::format(fmt::runtime(function_body), wanted.group, sql::quote_literal(scope.publication),
                              scope.joining, sql::quote_literal(wanted.prefix), sql::quote_literal(names.slot));
    return wanted;
}

bool table_exists(sql::Connection& source) {
    return source.query("SELECT pg_catalog.to_regclass('pgsluice.ddl_capture') IS NOT NULL", {}, {1, 1, 1})
        .boolean(0, 0);
}

// A stop Error when someone else made them: a trigger on the table, or the function itself, would run with our rights.
void require_owned(sql::Connection& source, const Names& names) {
    sql::require_owned(source, {"pgsluice", {"ddl_capture", "ddl_joining", "ddl_event"}, {"ddl_" + names.group}});
}

bool triggers_stand(sql::Connection& source, const Wanted& wanted) {
    return source
               .query(
                   "SELECT count(*) FROM pg_catalog.pg_event_trigger WHERE evtname IN ($1, $2) AND evtenabled <> 'D'",
                   {sql::Param(wanted.command_trigger), sql::Param(wanted.drop_trigger)}, {1, 1, 1})
               .integer(0, 0) == 2;
}

// A stop Error when others than the owner may write the notes: these are what tells our messages from anybody's.
void require_unwritable(sql::Connection& source) {
    const auto writers = source.query(
        "SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE "
        "pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END "
        "FROM pg_catalog.pg_class c, LATERAL (SELECT c.relacl AS acl UNION ALL SELECT t.attacl "
        "FROM pg_catalog.pg_attribute t WHERE t.attrelid = c.oid) l, pg_catalog.aclexplode(l.acl) a "
        "WHERE c.oid = pg_catalog.to_regclass('pgsluice.ddl_event') AND a.grantee <> c.relowner "
        "AND a.privilege_type <> 'SELECT' ORDER BY 1",
        {}, {1});
    if (writers.rows() == 0) return;
    const std::string writer = writers.text(0, 0);
    throw stop_error(fmt::format("unable to capture DDL: {} may write to table pgsluice.ddl_event, and so make "
                                 "messages of its own pass for DDL",
                                 writer),
                     fmt::format("REVOKE ALL ON pgsluice.ddl_event FROM {}; then, if it is the replicator's role, "
                                 "GRANT SELECT ON pgsluice.ddl_event TO {}.",
                                 writer, writer));
}

// "<secret> until <LSN>", or nothing but what no message has.
DdlPrefixes prefixes_of(const Wanted& wanted, const std::string& token) {
    DdlPrefixes prefixes{wanted.prefix, {}, {}};
    constexpr std::string_view mark = " until ";
    const auto at = token.find(mark);
    const auto until = at == std::string::npos ? std::nullopt : parse_lsn(token.substr(at + mark.size()));
    if (!until) return prefixes;
    prefixes.old = wanted.prefix + token.substr(0, at);
    prefixes.old_until = *until;
    return prefixes;
}

// When all is as wanted, and we may read it.
std::optional<DdlPrefixes> standing(sql::Connection& source, const Names& names, const Wanted& wanted) {
    if (!table_exists(source) || !triggers_stand(source, wanted)) return std::nullopt;
    const auto found = source.query("SELECT token FROM pgsluice.ddl_capture WHERE \"group\" = $1 AND definition = $2",
                                    {sql::Param(names.group), sql::Param(wanted.body)}, {1, 0, 1});
    if (found.rows() == 0) return std::nullopt;
    require_unwritable(source);
    source.query("SELECT FROM pgsluice.ddl_event LIMIT 0", {}, {0});
    return prefixes_of(wanted, found.text(0, 0));
}

// Between the two, what was there before is checked; in one transaction, so that nothing comes in between.
std::string begin_statements() { return fmt::format("BEGIN; {}", make_tables); }

std::string install_statements(const Wanted& wanted) {
    const auto trigger = [&](const std::string& name, const char* event, const char* tags) {
        const std::string quoted = sql::quote_identifier(name);
        return fmt::format(
            "; DROP EVENT TRIGGER IF EXISTS {0}; CREATE EVENT TRIGGER {0} ON {1} WHEN TAG IN ({2}) "
            "EXECUTE FUNCTION {3}()",
            quoted, event, tags, wanted.function);
    };
    return fmt::format(
               "INSERT INTO pgsluice.ddl_capture AS c VALUES ({}, {}, '') "
               "ON CONFLICT (\"group\") DO UPDATE SET definition = excluded.definition, "
               "token = CASE WHEN c.token = '' OR c.token LIKE '% until %' THEN c.token "
               "ELSE c.token || ' until ' || pg_catalog.pg_current_wal_insert_lsn() END; "
               "{}; "
               "CREATE OR REPLACE FUNCTION {}() RETURNS pg_catalog.event_trigger LANGUAGE plpgsql "
               "SECURITY DEFINER AS {}",
               wanted.group, sql::quote_literal(wanted.body), grant_reading, wanted.function,
               sql::quote_literal(wanted.body)) +
           trigger(wanted.command_trigger, "ddl_command_end",
                   "'CREATE TABLE', 'ALTER TABLE', 'CREATE INDEX', 'ALTER INDEX', "
                   "'COMMENT'") +
           trigger(wanted.drop_trigger, "sql_drop", "'DROP TABLE', 'DROP INDEX', 'DROP SCHEMA', 'DROP OWNED'") +
           "; COMMIT";
}

Error explained(const Names& names, const SqlError& error) {
    if (error.sqlstate() != "42501") return error;
    return stop_error(
        fmt::format("unable to capture DDL for group '{}': event triggers need a superuser ({})", names.group,
                    error.what()),
        "Start the replicator once as a superuser, then GRANT USAGE ON SCHEMA pgsluice and GRANT SELECT ON "
        "pgsluice.ddl_capture, pgsluice.ddl_event to the replicator's role; or leave --track-ddl out.");
}

}  // namespace

DdlPrefixes ensure_ddl_capture(sql::Connection& source, const Names& names, const DdlScope& scope) {
    const Wanted wanted = wanted_for(names, scope);
    try {
        require_owned(source, names);
        if (auto prefixes = standing(source, names, wanted)) return *prefixes;
        source.exec(begin_statements(), "install DDL capture");
        require_owned(source, names);
        source.exec(install_statements(wanted), "install DDL capture");
    } catch (const SqlError& error) {
        if (error.action() != Action::retry) source.exec("ROLLBACK");
        throw explained(names, error);
    }
    const auto prefixes = standing(source, names, wanted);
    if (!prefixes)
        throw stop_error(
            fmt::format("unable to capture DDL for group '{}': its event triggers are disabled", names.group));
    return *prefixes;
}

std::vector<std::string> ddl_capture_objects(sql::Connection& source, const Names& names) {
    const Wanted wanted = wanted_for(names, {});
    std::vector<std::string> objects;
    const auto triggers =
        source.query("SELECT evtname FROM pg_catalog.pg_event_trigger WHERE evtname IN ($1, $2) ORDER BY evtname",
                     {sql::Param(wanted.command_trigger), sql::Param(wanted.drop_trigger)}, {1});
    objects.reserve(static_cast<std::size_t>(triggers.rows()) + 1);
    for (int row = 0; row < triggers.rows(); ++row)
        objects.push_back(fmt::format("event trigger '{}'", triggers.text(row, 0)));
    const auto function =
        source.query("SELECT pg_catalog.to_regproc($1) IS NOT NULL", {sql::Param(wanted.function)}, {1, 1, 1});
    if (function.boolean(0, 0)) objects.push_back(fmt::format("function pgsluice.ddl_{}()", names.group));
    return objects;
}

void drop_ddl_capture(sql::Connection& source, const Names& names) {
    const Wanted wanted = wanted_for(names, {});
    source.exec(
        fmt::format("DROP EVENT TRIGGER IF EXISTS {}; DROP EVENT TRIGGER IF EXISTS {}; DROP FUNCTION IF EXISTS {}()",
                    sql::quote_identifier(wanted.command_trigger), sql::quote_identifier(wanted.drop_trigger),
                    wanted.function),
        "drop DDL capture");
    if (!table_exists(source)) return;
    require_owned(source, names);
    source.query("DELETE FROM pgsluice.ddl_capture WHERE \"group\" = $1", {sql::Param(names.group)}, {0});
    if (source.query("SELECT pg_catalog.to_regclass('pgsluice.ddl_event') IS NOT NULL", {}, {1, 1, 1}).boolean(0, 0))
        source.query("DELETE FROM pgsluice.ddl_event WHERE \"group\" = $1", {sql::Param(names.group)}, {0});
    // The last group takes the table along, and the schema unless a target's progress is in it.
    source.exec(
        "DO $$BEGIN "
        "IF NOT EXISTS (SELECT FROM pgsluice.ddl_capture) THEN DROP TABLE pgsluice.ddl_capture; "
        "DROP TABLE IF EXISTS pgsluice.ddl_joining, pgsluice.ddl_event; END IF; "
        "IF pg_catalog.to_regclass('pgsluice.ddl_capture') IS NULL AND NOT EXISTS ("
        "SELECT FROM pg_catalog.pg_depend WHERE refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND "
        "refobjid = 'pgsluice'::pg_catalog.regnamespace AND deptype <> 'p') THEN DROP SCHEMA pgsluice; END IF; END$$",
        "drop DDL capture");
}

void end_ddl_capture(sql::Connection& source, const Names& names, const Log& log) {
    try {
        drop_ddl_capture(source, names);
        log(LogLevel::info, "DDL is no longer captured: its event triggers are removed");
    } catch (const SqlError& error) {
        if (error.sqlstate() != "42501") throw;
        log(LogLevel::warning,
            fmt::format("DDL is no longer captured, but this role may not remove its event triggers: drop '{}' and "
                        "'{}' as a superuser",
                        wanted_for(names, {}).command_trigger, wanted_for(names, {}).drop_trigger));
    } catch (const Error& error) {  // not ours, and not needed: left alone
        if (error.action() != Action::stop) throw;
        log(LogLevel::warning, fmt::format("DDL is not captured; {}. {}", error.what(), error.hint()));
    }
}

}  // namespace pgsluice
