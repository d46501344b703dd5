#include "replicator/bootstrap/dump_command.h"

#include <fmt/format.h>

#include <array>

#include "sql/connect/conninfo.h"
#include "sql/quote.h"
#include "stream/process/shell.h"

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
    if (!out.empty()) out.pop_back();
    return out;
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
        snapshot, options.names.group, without_others(source, tables),
        shell_quoted(fmt::format("{} application_name={}", conninfo(options),
                                 sql::conninfo_value(dump_application_name(options.names)))));
}

namespace {

// For the configuration of a restored backup.
std::string recovery_to(const std::string& lsn) {
    return fmt::format(
        "printf '%s\\n' \"recovery_target_lsn = '{}'\" 'recovery_target_inclusive = off' 'recovery_target_action = "
        "promote'",
        lsn);
}

// A backup that begins after the slot was made cannot end at its point: it ends where it says. The message moves the
// log on, so that the recovery comes to the place where it is to stop.
std::string later_backup(const ReplicatorOptions& options) {
    const std::string source = shell_quoted(conninfo(options));
    return fmt::format(
        "  pg_basebackup --checkpoint=fast --write-recovery-conf --pgdata=DIRECTORY --dbname={0}\n"
        "  LSN=$(psql --no-psqlrc --quiet --tuples-only --no-align --dbname={0} --command='SELECT "
        "pg_current_wal_insert_lsn()' --command=\"DO 'BEGIN PERFORM pg_logical_emit_message(true, ''pgsluice.backup'', "
        "''backup''); END'\")\n"
        "  {1} >> DIRECTORY/postgresql.auto.conf\n"
        "  pgsluice replicator --group {2} --bootstrap complete --bootstrap-lsn $LSN\n",
        source, recovery_to("$LSN"), options.names.group);
}

}  // namespace

std::string bootstrap_guide(const ReplicatorOptions& options, const std::string& command, Lsn point) {
    return fmt::format(
        "Group '{0}' is waiting for a dump as of {1}. While this replicator runs, take it:\n\n  {2}\n\n"
        "and restore it into the empty target:\n\n  pg_restore --exit-on-error --dbname=TARGET {0}.dump\n\n"
        "When the target holds it, let the workers begin:\n\n  pgsluice replicator --group {0} --bootstrap complete\n\n"
        "Or restore a backup (pg_basebackup) that was taken before, with the WAL archived since. Tell it to stop "
        "exactly there, start a server over it, and once that is promoted, complete as above:\n\n"
        "  {3} \"restore_command = 'cp ARCHIVE/%f %p'\" >> DIRECTORY/postgresql.auto.conf && touch "
        "DIRECTORY/recovery.signal\n\n"
        "Or take a backup now, and restore it to a later LSN. Start a server over it before the last command, and wait "
        "until it is promoted:\n\n{4}",
        options.names.group, to_string(point), command, recovery_to(to_string(point)), later_backup(options));
}

}  // namespace pgsluice
