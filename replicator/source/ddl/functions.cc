#include "replicator/source/ddl/functions.h"

#include <fmt/format.h>

#include <utility>

#include "replicator/source/ddl/kept_definitions.h"
#include "replicator/source/ddl/trigger.h"
#include "sql/definition/definition_text.h"
#include "sql/plpgsql_settings.h"
#include "sql/quote.h"

namespace pgsluice::ddl {

namespace {

// What a definition's text depends on, and what makes plans dear.
constexpr const char* settings_of_texts_and_plans =
    "SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET DateStyle = 'ISO, MDY' SET IntervalStyle = postgres "
    "SET TimeZone = 'UTC' SET bytea_output = hex SET extra_float_digits = 3 SET lc_monetary = 'C' "
    "SET xmlbinary = base64 SET quote_all_identifiers = off SET standard_conforming_strings = on "
    "SET transform_null_equals = off SET row_security = off SET plan_cache_mode = force_generic_plan SET jit = off "
    "SET from_collapse_limit = 1 SET join_collapse_limit = 1";

constexpr std::pair<const char*, const char*> events[] = {
    {"ddl", "ddl_command_end"}, {"drop", "sql_drop"}, {"rewrite", "table_rewrite"}};

// Set for the time of the call, then set back.
std::string fixed_settings() { return fmt::format("{} {}", settings_of_texts_and_plans, sql::without_extra_checks); }

std::string trigger_name(const Scope& scope, const char* end) {
    return fmt::format("pgsluice_{}_{}", scope.suffix, end);
}

}  // namespace

const char* const make_tables =
    "CREATE TABLE IF NOT EXISTS pgsluice.ddl_definition "
    "(\"group\" pg_catalog.text, class pg_catalog.text, oid pg_catalog.oid, \"table\" pg_catalog.oid, "
    "namespace pg_catalog.oid, definition pg_catalog.jsonb NOT NULL, PRIMARY KEY (\"group\", class, oid)); "
    "CREATE INDEX IF NOT EXISTS ddl_definition_table ON pgsluice.ddl_definition (\"table\"); "
    "CREATE INDEX IF NOT EXISTS ddl_definition_namespace ON pgsluice.ddl_definition (namespace); "
    "CREATE TABLE IF NOT EXISTS pgsluice.ddl_rewrite "
    "(\"group\" pg_catalog.text, oid pg_catalog.oid, reason pg_catalog.int4); "
    "CREATE TABLE IF NOT EXISTS pgsluice.ddl_sent "
    "(\"group\" pg_catalog.text, class pg_catalog.text, oid pg_catalog.oid); "
    "CREATE INDEX IF NOT EXISTS ddl_sent_oid ON pgsluice.ddl_sent (oid)";

std::vector<Function> functions(const Scope& scope, int server_version) {
    const std::string& group = scope.suffix;
    return {
        {"definition", "class pg_catalog.text, id pg_catalog.oid", "pg_catalog.jsonb", "",
         sql::definition_body(server_version)},
        {"kept", "kind pg_catalog.text, what pg_catalog.jsonb", "pg_catalog.jsonb", "IMMUTABLE", kept_body},
        {"with_schema", "what pg_catalog.jsonb, namespace pg_catalog.oid", "pg_catalog.jsonb", "", with_schema_body},
        {"keep_definition",
         "grp pg_catalog.text, kind pg_catalog.text, id pg_catalog.oid, what pg_catalog.jsonb, newer pg_catalog.bool",
         "pg_catalog.void", "", keep_body},
        {"needs_of", "kind pg_catalog.text, id pg_catalog.oid, before pg_catalog.jsonb, after pg_catalog.jsonb",
         "TABLE (class pg_catalog.text, oid pg_catalog.oid)", "", needs_body},
        {"place_in_ddl_" + group, "id pg_catalog.oid", "pg_catalog.text", "", place_body(scope)},
        {"uses_ddl_" + group, "kind pg_catalog.text, id pg_catalog.oid", "pg_catalog.bool", "", uses_body(scope)},
        {"users_ddl_" + group, "id pg_catalog.oid", "pg_catalog.jsonb", "", users_body(scope)},
        {"has_ddl_" + group, "kind pg_catalog.text, what pg_catalog.jsonb", "pg_catalog.bool", "", has_body(scope)},
        {"fill_ddl_" + group, "most pg_catalog.int4", "pg_catalog.int4",
         fixed_settings() + " SET lock_timeout = '100ms'", fill_body(scope)},
        {"ddl_" + group, "", "pg_catalog.event_trigger", fixed_settings(), trigger_body(scope)},
    };
}

std::vector<std::string> functions_of_group(const Scope& scope) {
    const std::string& group = scope.suffix;
    return {"ddl_" + group,       "fill_ddl_" + group, "uses_ddl_" + group,
            "users_ddl_" + group, "has_ddl_" + group,  "place_in_ddl_" + group};
}

std::vector<std::string> functions_of_all() {
    return {"needs_of", "keep_definition", "with_schema", "kept", "definition"};
}

std::string create_statement(const Function& function) {
    const std::string name = sql::quote_qualified("pgsluice", function.name);
    return fmt::format(
        "CREATE OR REPLACE FUNCTION {0}({1}) RETURNS {2} LANGUAGE plpgsql {3} AS {4}; "
        "REVOKE ALL ON FUNCTION {0} FROM PUBLIC",
        name, function.arguments, function.result, function.attributes, sql::quote_literal(function.body));
}

std::string trigger_statements(const Scope& scope) {
    std::string out;
    for (const auto& [end, event] : events) {
        out += fmt::format(
            "{0}DROP EVENT TRIGGER IF EXISTS {1}; CREATE EVENT TRIGGER {1} ON {2} EXECUTE FUNCTION {3}(); "
            "ALTER EVENT TRIGGER {1} ENABLE ALWAYS",
            out.empty() ? "" : "; ", sql::quote_identifier(trigger_name(scope, end)), event,
            sql::quote_qualified("pgsluice", "ddl_" + scope.suffix));
    }
    return out;
}

std::vector<std::string> trigger_names(const Scope& scope) {
    std::vector<std::string> names;
    for (const auto& event : events) names.push_back(trigger_name(scope, event.first));
    return names;
}

}  // namespace pgsluice::ddl
