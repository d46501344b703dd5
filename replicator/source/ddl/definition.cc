#include "replicator/source/ddl/definition.h"

#include <fmt/format.h>

#include "replicator/source/ddl/definition_parts.h"

namespace pgsluice::ddl {

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
};

}  // namespace

std::string definition_body(int server_version) {
    const char* enforced =
        server_version >= enforced_since
            ? " || CASE WHEN k.conenforced THEN '{}' ELSE '{\"enforced\": false}' END::pg_catalog.jsonb"
            : "";
    std::string body = "\nDECLARE\n    found pg_catalog.jsonb;\nBEGIN\n";
    for (const Part& part : parts) {
        const std::string query = fmt::format(
            fmt::runtime(part.query), fmt::arg("comment", comment_of(part.alias, part.catalog)),
            fmt::arg("constraint_comment", comment_of("k", "pg_constraint")), fmt::arg("enforced", enforced));
        body += fmt::format("    {} class = '{}' THEN{}\n", &part == parts ? "IF" : "ELSIF", part.object, query);
    }
    return body + "    END IF;\n    RETURN jsonb_strip_nulls(found);\nEND";
}

}  // namespace pgsluice::ddl
