#include "sql/definition/definition_text.h"

#include <fmt/format.h>

#include "sql/definition/definition_parts.h"

namespace pgsluice::sql {

namespace {

// obj_description() would be planned again at each call.
std::string comment_of(const char* alias, const char* catalog) {
    return fmt::format(
        "(SELECT o.description FROM pg_description o WHERE o.objoid = {}.oid AND o.classoid = '{}'::regclass AND "
        "o.objsubid = 0)",
        alias, catalog);
}

struct Part {
    const char* object;  // the class
    const char* query;
    const char* alias;  // of the catalog that has the object
    const char* catalog;
};

constexpr int enforced_since = 180000;

const Part parts[] = {
    {"table", table_definition, "t", "pg_class"},
    {"index", index_definition, "x", "pg_class"},
    {"sequence", sequence_definition, "c", "pg_class"},
    {"type", type_definition, "t", "pg_type"},
    {"schema", schema_definition, "n", "pg_namespace"},
    {"statistics", statistics_definition, "s", "pg_statistic_ext"},
    {"extension", extension_definition, "e", "pg_extension"},
    {"view", view_definition, "c", "pg_class"},
    {"function", function_definition, "p", "pg_proc"},
    {"trigger", trigger_definition, "g", "pg_trigger"},
    {"policy", policy_definition, "p", "pg_policy"},
    {"grants", grants_definition, "t", "pg_class"},
};

std::string text_of(const Part& part, const char* as_found, int server_version) {
    const char* enforced =
        server_version >= enforced_since
            ? " || CASE WHEN k.conenforced THEN '{}' ELSE '{\"enforced\": false}' END::pg_catalog.jsonb"
            : "";
    return fmt::format(fmt::runtime(part.query), fmt::arg("as_found", as_found),
                       fmt::arg("comment", comment_of(part.alias, part.catalog)),
                       fmt::arg("constraint_comment", comment_of("k", "pg_constraint")), fmt::arg("enforced", enforced),
                       fmt::arg("ancestors", ancestors_of_t));
}

}  // namespace

std::string definition_body(int server_version) {
    std::string body = "\nDECLARE\n    found pg_catalog.jsonb;\nBEGIN\n";
    for (const Part& part : parts)
        body += fmt::format("    {} class = '{}' THEN{};\n", &part == parts ? "IF" : "ELSIF", part.object,
                            text_of(part, "INTO found", server_version));
    return body + "    END IF;\n    RETURN jsonb_strip_nulls(found);\nEND";
}

std::string definitions_query(int server_version) {
    std::string query;
    for (const Part& part : parts)
        query += fmt::format(
            "{}SELECT w.class, w.id, jsonb_strip_nulls(d.found) FROM unnest($1::text[], $2::oid[]) AS w(class, id) "
            "CROSS JOIN LATERAL ({}) AS d WHERE w.class = '{}'",
            query.empty() ? "" : " UNION ALL ", text_of(part, "AS found", server_version), part.object);
    return query;
}

}  // namespace pgsluice::sql
