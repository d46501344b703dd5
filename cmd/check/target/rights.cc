#include "cmd/check/target/rights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

namespace pgsluice {

namespace {

std::string oids_of(std::span<const TargetMapping> tables) {
    std::vector<Oid> oids;
    for (const TargetMapping& mapping : tables) oids.push_back(mapping.table.oid);
    return fmt::format("{{{}}}", fmt::join(oids, ","));
}

std::string role_of(sql::Connection& connection) {
    return connection.query("SELECT quote_ident(current_user)", {}, {1, 1, 1}).text(0, 0);
}

// Quoted names in the first column; nothing where the query finds none.
std::string names_found(sql::Connection& connection, const std::string& query, const std::string& oids) {
    const auto names = connection.query(query, {sql::Param(oids)}, {1}).texts(0);
    return fmt::format("{}", fmt::join(names, ", "));
}

class TargetRights {
   public:
    TargetRights(std::span<const TargetMapping> tables, sql::Connection& connection, Findings& found)
        : oids_(oids_of(tables)), connection_(connection), role_(role_of(connection)), found_(found) {}

    void look() {
        lacks("use schema", "USAGE ON SCHEMA",
              "SELECT DISTINCT quote_ident(n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
              "WHERE c.oid = ANY ($1::oid[]) AND NOT has_schema_privilege(n.oid, 'USAGE')");
        look_at_writing();
        look_at_sequences();
        look_at_row_security();
        if (!lacking_) found_.ok("the role may write the tables");
    }

   private:
    void lacks(const std::string& what, const std::string& grant, const std::string& query) {
        const std::string names = names_found(connection_, query, oids_);
        if (!names.empty()) lack(what, grant, names);
    }

    void lack(const std::string& what, const std::string& grant, const std::string& names) {
        lacking_ = true;
        found_.fail(fmt::format("role {} may not {} {}", role_, what, names),
                    fmt::format("Run on the target: GRANT {} {} TO {}.", grant, names, role_));
    }

    // One line for the tables that lack the same.
    void look_at_writing() {
        const auto rows = connection_.query(
            "SELECT lacking, string_agg(format('%I.%I', schema, name), ', ' ORDER BY schema, name) FROM (SELECT "
            "n.nspname "
            "AS schema, c.relname AS name, (SELECT string_agg(w, ', ' ORDER BY o) FROM unnest('{SELECT,INSERT,UPDATE,"
            "DELETE,TRUNCATE}'::text[]) WITH ORDINALITY AS u (w, o) WHERE NOT has_table_privilege(c.oid, w)) AS "
            "lacking "
            "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY ($1::oid[]) AND c.relkind "
            "<> 'f') AS t WHERE lacking IS NOT NULL GROUP BY lacking ORDER BY 1",
            {sql::Param(oids_)}, {2});
        for (int row = 0; row < rows.rows(); ++row)
            lack(rows.text(row, 0) + " on", rows.text(row, 0) + " ON", rows.text(row, 1));
    }

    // Those that the worker sets to the rows: of serial and identity columns that lead an index.
    void look_at_sequences() {
        lacks("use sequence", "USAGE, SELECT, UPDATE ON SEQUENCE",
              "SELECT DISTINCT format('%I.%I', n.nspname, s.relname) FROM pg_depend d JOIN pg_class s ON s.oid = "
              "d.objid AND s.relkind = 'S' JOIN pg_namespace n ON n.oid = s.relnamespace WHERE d.classid = "
              "'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY ($1::oid[]) AND "
              "d.deptype IN ('a', 'i') AND NOT (has_sequence_privilege(s.oid, 'USAGE') AND "
              "has_sequence_privilege(s.oid, 'SELECT') AND has_sequence_privilege(s.oid, 'UPDATE')) AND EXISTS ("
              "SELECT FROM pg_index i WHERE i.indrelid = d.refobjid AND i.indkey[0] = d.refobjsubid AND i.indpred IS "
              "NULL AND i.indisvalid)");
    }

    void look_at_row_security() {
        const std::string names =
            names_found(connection_,
                        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = "
                        "c.relnamespace WHERE c.oid = ANY ($1::oid[]) AND row_security_active(c.oid) ORDER BY 1",
                        oids_);
        if (names.empty()) return;
        lacking_ = true;
        found_.fail(fmt::format("row security applies to role {} on {}", role_, names),
                    fmt::format("As a superuser, run on the target: ALTER ROLE {} BYPASSRLS.", role_));
    }

    std::string oids_;
    sql::Connection& connection_;
    std::string role_;
    Findings& found_;
    bool lacking_ = false;
};

constexpr const char* may_mark =
    "SELECT current_setting('wal_level') = 'logical', "
    "has_function_privilege('pg_replication_origin_create(text)', 'EXECUTE') AND "
    "has_function_privilege('pg_replication_origin_session_setup(text)', 'EXECUTE') AND "
    "has_function_privilege('pg_replication_origin_session_reset()', 'EXECUTE'), "
    "(SELECT slot_name FROM pg_replication_slots WHERE slot_type = 'logical' AND slot_name LIKE 'pgsluice\\_%' AND "
    "database = current_database() ORDER BY 1 LIMIT 1)";

}  // namespace

void look_at_table_rights(std::span<const TargetMapping> tables, sql::Connection& connection, Findings& found) {
    TargetRights(tables, connection, found).look();
}

void look_at_making(const std::set<std::string>& schemas, const std::string& owner, sql::Connection& connection,
                    Findings& found) {
    for (const std::string& schema : schemas) {
        const auto row = connection.query(
            "SELECT quote_ident(r.rolname), quote_ident($1), n.oid IS NOT NULL, CASE WHEN n.oid IS NULL THEN "
            "has_database_privilege(r.oid, current_database(), 'CREATE') ELSE has_schema_privilege(r.oid, n.oid, "
            "'CREATE') END, quote_ident(current_database()) FROM pg_roles r LEFT JOIN pg_namespace n ON n.nspname = $1 "
            "WHERE r.rolname = coalesce(nullif($2, '')::name, current_user)",
            {sql::Param(schema), sql::Param(owner)}, {5, 0, 1});
        if (row.rows() == 0 || row.boolean(0, 3)) continue;
        const std::string where = row.boolean(0, 2) ? "SCHEMA " + row.text(0, 1) : "DATABASE " + row.text(0, 4);
        found.fail(fmt::format("role {} may not make the tables that are missing in schema {} (--target-sync-schema)",
                               row.text(0, 0), row.text(0, 1)),
                   fmt::format("As a superuser, run on the target: GRANT CREATE ON {} TO {}.", where, row.text(0, 0)));
    }
}

void look_at_marking(const PostgresSinkOptions& options, sql::Connection& connection, Findings& found) {
    const auto row = connection.query(may_mark, {}, {3, 1, 1});
    if (!row.boolean(0, 0) || row.boolean(0, 1)) return;
    const auto slot = row.get(0, 2);
    const std::string text =
        "what is written cannot be marked with a replication origin, so a group that reads from this target takes it "
        "for the target's own";
    if (!slot || options.unmarked) return found.ok(text);
    const std::string role = role_of(connection);
    found.fail(fmt::format("{}; and slot '{}' is one of such a group", text, *slot),
               fmt::format("Run as a superuser in the target database: GRANT EXECUTE ON FUNCTION "
                           "pg_replication_origin_create(text), pg_replication_origin_session_setup(text), "
                           "pg_replication_origin_session_reset() TO {}.",
                           role));
}

}  // namespace pgsluice
