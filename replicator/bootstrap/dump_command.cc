#include "replicator/bootstrap/dump_command.h"

#include <fmt/format.h>

#include <array>

#include "sql/conninfo.h"
#include "sql/quote.h"
#include "stream/shell.h"

namespace pgsluice {

namespace {

// Of a connection: where it leads to and as whom, and what proves that; never a password.
constexpr std::array told{"host",     "hostaddr",   "port",        "dbname",          "user",
                          "passfile", "sslmode",    "sslrootcert", "sslcert",         "sslkey",
                          "sslcrl",   "gssencmode", "krbsrvname",  "channel_binding", "target_session_attrs"};

std::string conninfo(const ReplicatorOptions& options) {
    std::string out;
    const auto keywords = sql::connection_keywords(options.source);
    for (const char* keyword : told)
        if (const auto found = keywords.find(keyword); found != keywords.end() && !found->second.empty())
            out += fmt::format("{}={} ", keyword, sql::conninfo_value(found->second));
    return out + "application_name=" + sql::conninfo_value(dump_application_name(options.names));
}

// Ordinary tables with rows of their own that the group does not replicate.
std::string without_others(sql::Connection& source, const std::set<Oid>& tables) {
    const auto found = source.query(
        "SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = "
        "c.relnamespace WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname NOT LIKE 'pg\\_%' AND "
        "n.nspname NOT IN ('information_schema', 'pgsluice') AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE "
        "d.classid "
        "= 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e') ORDER BY 2, 3",
        {}, {3});
    std::string out;
    for (int row = 0; row < found.rows(); ++row) {
        if (tables.contains(static_cast<Oid>(found.integer(row, 0)))) continue;
        out += " --exclude-table-data=" + shell_quoted(fmt::format("{}.{}", sql::quote_identifier(found.text(row, 1)),
                                                                   sql::quote_identifier(found.text(row, 2))));
    }
    return out;
}

}  // namespace

std::string dump_application_name(const Names& names) { return "pgsluice-dump-" + names.group; }

std::string dump_command(sql::Connection& source, const ReplicatorOptions& options, const std::string& snapshot,
                         const std::set<Oid>& tables) {
    return fmt::format(
        "pg_dump --snapshot={} --format=custom --file={}.dump --no-publications --no-subscriptions "
        "--exclude-schema=pgsluice{} --dbname={}",
        snapshot, options.names.group, without_others(source, tables), shell_quoted(conninfo(options)));
}

std::string bootstrap_guide(const ReplicatorOptions& options, const std::string& command, Lsn point) {
    const std::string& group = options.names.group;
    return fmt::format(
        "Group '{0}' is waiting for a dump as of {1}. While this replicator runs, take it:\n\n  {2}\n\n"
        "and restore it into the empty target:\n\n  pg_restore --exit-on-error --dbname=TARGET {0}.dump\n\n"
        "Or restore a backup that was taken before, with the WAL archived since, exactly up to there:\n\n"
        "  recovery_target_lsn = '{1}'\n  recovery_target_inclusive = off\n\n"
        "When the target holds it, let the workers begin:\n\n  pgsluice replicator --group {0} --bootstrap complete\n",
        group, to_string(point), command);
}

}  // namespace pgsluice
