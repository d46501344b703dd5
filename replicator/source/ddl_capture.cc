#include "replicator/source/ddl_capture.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <string_view>
#include <utility>

#include "replicator/source/ddl/filling.h"
#include "replicator/source/ddl/functions.h"
#include "replicator/source/ddl/text_trigger.h"
#include "replicator/source/table_selection.h"
#include "sql/error.h"
#include "sql/owned_objects.h"
#include "sql/quote.h"
#include "stream/format/ddl_message.h"

namespace pgsluice {

namespace {

// Made once; a new version of the functions replaces an older one. `token` was the secret by which an earlier version
// told its messages; what is left of that says up to where they are believed: "<secret> until <LSN>".
constexpr const char* make_tables =
    "CREATE SCHEMA IF NOT EXISTS pgsluice; "
    "CREATE TABLE IF NOT EXISTS pgsluice.ddl_capture "
    "(\"group\" pg_catalog.text PRIMARY KEY, definition pg_catalog.text NOT NULL, token pg_catalog.text NOT NULL); "
    "CREATE TABLE IF NOT EXISTS pgsluice.ddl_event "
    "(\"group\" pg_catalog.text, id pg_catalog.text, xid pg_catalog.xid8 NOT NULL, digest pg_catalog.bytea NOT NULL, "
    "PRIMARY KEY (\"group\", id)); "
    // Also where it is there, CREATE INDEX would wait for each transaction that has altered something, and these for
    // it.
    "DO $$BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = "
    "c.relnamespace WHERE n.nspname = 'pgsluice' AND c.relname = 'ddl_event_xid') THEN "
    "CREATE INDEX ddl_event_xid ON pgsluice.ddl_event (\"group\", xid); END IF; END$$";

// Who reads ddl_capture is a replicator's role, and needs these, too. {} the function that keeps the definitions.
constexpr const char* grant_reading =
    "DO $$DECLARE reader pg_catalog.text; BEGIN "
    "FOR reader IN SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE "
    "pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END "
    "FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a "
    "WHERE c.oid = 'pgsluice.ddl_capture'::pg_catalog.regclass AND a.privilege_type = 'SELECT' LOOP "
    "EXECUTE 'GRANT SELECT ON pgsluice.ddl_event TO ' || reader{}; END LOOP; END$$";

// Before a message's id.
std::string prefix_of(const Names& names) { return fmt::format("{}/{}/", ddl_message_prefix, names.group); }

ddl::Scope scope_of(const Names& names, const DdlScope& scope) {
    return {sql::quote_literal(names.group),
            sql::quote_literal(scope.publication),
            scope.joining,
            sql::quote_literal(prefix_of(names)),
            sql::quote_literal(names.slot),
            names.group,
            fmt::format("'{{{}}}'::pg_catalog.text[]", fmt::join(scope.objects, ","))};
}

// Everything that is made for the group, in one text: what it is now is compared with what it was.
std::string make_statements(sql::Connection& source, const ddl::Scope& scope, DdlContent content) {
    if (content == DdlContent::text) return ddl::text_capture_statements(scope);
    std::string out = ddl::make_tables;
    for (const ddl::Function& function : ddl::functions(scope, source.server_version()))
        out += "; " + ddl::create_statement(function);
    return out + "; " + ddl::trigger_statements(scope);
}

struct Wanted {
    ddl::Scope scope;
    std::string prefix;
    std::string statements;
    DdlContent content = DdlContent::definitions;
};

Wanted wanted_for(sql::Connection& source, const Names& names, const DdlScope& scope) {
    Wanted wanted{scope_of(names, scope), prefix_of(names), {}, scope.content};
    wanted.statements = make_statements(source, wanted.scope, wanted.content);
    return wanted;
}

bool table_exists(sql::Connection& source) {
    return source.query("SELECT pg_catalog.to_regclass('pgsluice.ddl_capture') IS NOT NULL", {}, {1, 1, 1})
        .boolean(0, 0);
}

// A stop Error when someone else made them: a trigger on the table, or the function itself, would run with our rights.
void require_owned(sql::Connection& source, const Names& names) {
    std::vector<std::string> functions = ddl::functions_of_group(scope_of(names, {}));
    for (std::string& name : ddl::functions_of_all()) functions.push_back(std::move(name));
    sql::require_owned(source,
                       {"pgsluice",
                        {"ddl_capture", "ddl_joining", "ddl_event", "ddl_definition", "ddl_rewrite", "ddl_sent"},
                        std::move(functions)});
}

// Names of event triggers, as an array's text.
std::string trigger_list(const Names& names) {
    return fmt::format("{{{}}}", fmt::join(ddl::trigger_names(scope_of(names, {})), ","));
}

bool triggers_stand(sql::Connection& source, const Names& names, DdlContent content) {
    const std::string list = trigger_list(names);
    const auto enabled = source.query(
        "SELECT count(*) FILTER (WHERE evtenabled = 'A'), count(*) FROM pg_catalog.pg_event_trigger "
        "WHERE evtname = ANY ($1::pg_catalog.text[]) AND evtenabled <> 'D'",
        {sql::Param(list)}, {2, 1, 1});
    return content == DdlContent::text ? enabled.integer(0, 1) == 2 : enabled.integer(0, 0) == 3;
}

// A stop Error when others than the owner may write the notes: these are what tells our messages from anybody's. Nor
// what the messages are made of.
void require_unwritable(sql::Connection& source) {
    const auto writers = source.query(
        "SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE "
        "pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END, c.relname "
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, "
        "LATERAL (SELECT c.relacl AS acl UNION ALL SELECT t.attacl "
        "FROM pg_catalog.pg_attribute t WHERE t.attrelid = c.oid) l, pg_catalog.aclexplode(l.acl) a "
        "WHERE n.nspname = 'pgsluice' AND c.relname IN ('ddl_event', 'ddl_definition', 'ddl_rewrite', 'ddl_sent') "
        "AND a.grantee <> c.relowner AND a.privilege_type <> 'SELECT' ORDER BY 1, 2",
        {}, {2});
    if (writers.rows() == 0) return;
    const std::string writer = writers.text(0, 0);
    const std::string table = writers.text(0, 1);
    throw stop_error(fmt::format("unable to capture DDL: {} may write to table pgsluice.{}, and so make "
                                 "messages of its own pass for DDL",
                                 writer, table),
                     fmt::format("Run on the source: REVOKE ALL ON pgsluice.{} FROM {}; then, if it is the "
                                 "replicator's role, GRANT SELECT ON pgsluice.ddl_event TO {}.",
                                 table, writer, writer));
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
    if (!table_exists(source) || !triggers_stand(source, names, wanted.content)) return std::nullopt;
    const auto found = source.query("SELECT token FROM pgsluice.ddl_capture WHERE \"group\" = $1 AND definition = $2",
                                    {sql::Param(names.group), sql::Param(wanted.statements)}, {1, 0, 1});
    if (found.rows() == 0) return std::nullopt;
    require_unwritable(source);
    source.query("SELECT FROM pgsluice.ddl_event LIMIT 0", {}, {0});
    return prefixes_of(wanted, found.text(0, 0));
}

// Between the two, what was there before is checked; in one transaction, so that nothing comes in between.
std::string begin_statements() { return fmt::format("BEGIN; {}; {}", make_tables, ddl::make_tables); }

std::string install_statements(const Names& names, const Wanted& wanted) {
    std::string grant;
    if (wanted.content == DdlContent::definitions)
        grant = "; EXECUTE " +
                sql::quote_literal("GRANT EXECUTE ON FUNCTION " + ddl::fill_function(names.group) +
                                   "(pg_catalog.int4) TO ") +
                " || reader";
    return fmt::format(
        "INSERT INTO pgsluice.ddl_capture AS c VALUES ({}, {}, '') "
        "ON CONFLICT (\"group\") DO UPDATE SET definition = excluded.definition, "
        "token = CASE WHEN c.token = '' OR c.token LIKE '% until %' THEN c.token "
        "ELSE c.token || ' until ' || pg_catalog.pg_current_wal_insert_lsn() END; {}; {}; COMMIT",
        wanted.scope.group, sql::quote_literal(wanted.statements), wanted.statements,
        fmt::format(fmt::runtime(grant_reading), grant));
}

Error needs_superuser(const Names& names, std::string_view why) {
    return stop_error(
        fmt::format("unable to capture DDL for group '{}': event triggers need a superuser ({})", names.group, why),
        fmt::format("Start the replicator once as a superuser, then GRANT USAGE ON SCHEMA pgsluice, GRANT SELECT ON "
                    "pgsluice.ddl_capture, pgsluice.ddl_event and GRANT EXECUTE ON FUNCTION {} to the replicator's "
                    "role; or leave --track-ddl out.",
                    ddl::fill_function(names.group)));
}

Error explained(const Names& names, const SqlError& error) {
    if (error.sqlstate() != "42501") return error;
    return needs_superuser(names, error.what());
}

DdlPrefixes install(sql::Connection& source, const Names& names, const Wanted& wanted, const Log& log) {
    source.exec(begin_statements(), "install DDL capture");
    require_owned(source, names);
    source.exec(install_statements(names, wanted), "install DDL capture");
    const auto prefixes = standing(source, names, wanted);
    if (!prefixes)
        throw stop_error(
            fmt::format("unable to capture DDL for group '{}': its event triggers are disabled", names.group));
    if (wanted.content == DdlContent::text) return *prefixes;
    ddl::await_earlier(source, log);
    ddl::forget_outdated(source, names.group);
    return *prefixes;
}

}  // namespace

DdlScope ddl_scope_of(const ReplicatorOptions& options) {
    return {options.names.publication, selection_of(options).condition("n.nspname", "t.relname"), options.ddl_content,
            options.ddl_objects};
}

DdlPrefixes ensure_ddl_capture(sql::Connection& source, const Names& names, const DdlScope& scope, const Log& log) {
    const Wanted wanted = wanted_for(source, names, scope);
    try {
        require_owned(source, names);
        auto prefixes = standing(source, names, wanted);
        if (!prefixes) prefixes = install(source, names, wanted, log);
        if (wanted.content == DdlContent::definitions) ddl::fill(source, names.group);
        return *prefixes;
    } catch (const SqlError& error) {
        if (error.action() != Action::retry) source.exec("ROLLBACK");
        throw explained(names, error);
    }
}

void check_ddl_capture(sql::Connection& source, const Names& names, const DdlScope& scope) {
    const Wanted wanted = wanted_for(source, names, scope);
    require_owned(source, names);
    try {
        if (standing(source, names, wanted)) return;
    } catch (const SqlError& error) {
        throw explained(names, error);
    }
    const auto role =
        source.query("SELECT rolsuper, rolname FROM pg_catalog.pg_roles WHERE rolname = current_user", {}, {2, 1, 1});
    if (!role.boolean(0, 0)) throw needs_superuser(names, fmt::format("role '{}' is not a superuser", role.text(0, 1)));
}

std::vector<std::string> ddl_capture_objects(sql::Connection& source, const Names& names) {
    std::vector<std::string> objects;
    const std::string list = trigger_list(names);
    const auto triggers = source.query(
        "SELECT evtname FROM pg_catalog.pg_event_trigger WHERE evtname = ANY ($1::pg_catalog.text[]) ORDER BY evtname",
        {sql::Param(list)}, {1});
    objects.reserve(static_cast<std::size_t>(triggers.rows()) + 1);
    for (int row = 0; row < triggers.rows(); ++row)
        objects.push_back(fmt::format("event trigger '{}'", triggers.text(row, 0)));
    const std::string name = sql::quote_qualified("pgsluice", "ddl_" + names.group);
    const auto function = source.query("SELECT pg_catalog.to_regproc($1) IS NOT NULL", {sql::Param(name)}, {1, 1, 1});
    if (function.boolean(0, 0)) objects.push_back(fmt::format("function pgsluice.ddl_{}()", names.group));
    return objects;
}

namespace {

std::string drop_statements(const Names& names) {
    const ddl::Scope scope = scope_of(names, {});
    std::string out;
    for (const std::string& trigger : ddl::trigger_names(scope))
        out += fmt::format("DROP EVENT TRIGGER IF EXISTS {}; ", sql::quote_identifier(trigger));
    for (const std::string& function : ddl::functions_of_group(scope))
        out += fmt::format("DROP FUNCTION IF EXISTS {}; ", sql::quote_qualified("pgsluice", function));
    return out;
}

void forget_group(sql::Connection& source, const Names& names) {
    for (const char* table : {"ddl_capture", "ddl_event", "ddl_definition", "ddl_rewrite", "ddl_sent"}) {
        const std::string name = fmt::format("pgsluice.{}", table);
        if (source.query("SELECT pg_catalog.to_regclass($1) IS NOT NULL", {sql::Param(name)}, {1, 1, 1}).boolean(0, 0))
            source.query(fmt::format("DELETE FROM {} WHERE \"group\" = $1", name), {sql::Param(names.group)}, {0});
    }
}

std::string drop_shared_functions() {
    std::string out;
    for (const std::string& function : ddl::functions_of_all())
        out += fmt::format("DROP FUNCTION IF EXISTS pgsluice.{}; ", function);
    return out;
}

}  // namespace

void drop_ddl_capture(sql::Connection& source, const Names& names) {
    source.exec(drop_statements(names), "drop DDL capture");
    if (!table_exists(source)) return;
    require_owned(source, names);
    forget_group(source, names);
    // The last group takes the table along, and the schema unless a target's progress is in it.
    source.exec(
        "DO $$BEGIN IF NOT EXISTS (SELECT FROM pgsluice.ddl_capture) THEN " + drop_shared_functions() +
            "DROP TABLE pgsluice.ddl_capture; DROP TABLE IF EXISTS pgsluice.ddl_joining, pgsluice.ddl_event, "
            "pgsluice.ddl_definition, pgsluice.ddl_rewrite, pgsluice.ddl_sent; END IF; "
            "IF pg_catalog.to_regclass('pgsluice.ddl_capture') IS NULL AND NOT EXISTS ("
            "SELECT FROM pg_catalog.pg_depend WHERE refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND "
            "refobjid = 'pgsluice'::pg_catalog.regnamespace AND deptype <> 'p') THEN DROP SCHEMA pgsluice; END IF; "
            "END$$",
        "drop DDL capture");
}

void end_ddl_capture(sql::Connection& source, const Names& names, const Log& log) {
    try {
        drop_ddl_capture(source, names);
        log(LogLevel::info, "DDL is no longer captured: its event triggers are removed");
    } catch (const SqlError& error) {
        if (error.sqlstate() != "42501") throw;
        log(LogLevel::warning,
            fmt::format("DDL is no longer captured, but this role may not remove its event triggers: drop '{}' as a "
                        "superuser",
                        fmt::join(ddl::trigger_names(scope_of(names, {})), "', '")));
    } catch (const Error& error) {  // not ours, and not needed: left alone
        if (error.action() != Action::stop) throw;
        log(LogLevel::warning, fmt::format("DDL is not captured; {}. {}", error.what(), error.hint()));
    }
}

}  // namespace pgsluice
