#include "sinks/postgres/share_progress.h"

#include "sinks/postgres/array.h"
#include "sinks/postgres/history/copied_versions.h"
#include "sinks/postgres/progress.h"

namespace pgsluice {

namespace {

// Of tables whose rows are still to be copied, and of foreign keys that wait for that. Whoever copies a table drops its
// own notes of it, so that a note counts which all of `before` have.
void succeed_unchecked(sql::Connection& connection, const std::string& group, const std::string& next,
                       const std::vector<std::string>& before) {
    connection.query("DELETE FROM pgsluice.unchecked WHERE \"group\" = $1 AND worker = $2", {group, next}, {0});
    connection.query(
        "INSERT INTO pgsluice.unchecked SELECT $1, $2, class, oid FROM pgsluice.unchecked WHERE \"group\" = $1 AND "
        "worker = ANY ($3::text[]) GROUP BY class, oid HAVING count(*) = cardinality($3::text[])",
        {group, next, text_array(before)}, {0});
}

}  // namespace

std::optional<SinkState> end_progress(sql::Connection& connection, const std::string& group,
                                      const std::string& worker) {
    const auto row = connection.query(
        "UPDATE pgsluice.progress SET owner = gen_random_uuid() WHERE \"group\" = $1 AND worker = $2 RETURNING "
        "resume_seq, position_lsn, position_ordinal, loading_epoch, begin_seq",
        {group, worker}, {5});
    if (row.rows() == 0 || row.integer(0, 0) == 0) return std::nullopt;
    const auto unsigned_at = [&](int column) { return static_cast<std::uint64_t>(row.integer(0, column)); };
    return SinkState{{{unsigned_at(0)}, {parse_lsn(row.text(0, 1)).value_or(Lsn{}), unsigned_at(2)}},
                     unsigned_at(3),
                     {unsigned_at(4)}};
}

void succeed_progress(sql::Connection& connection, const std::string& group, const std::string& next,
                      const std::vector<std::string>& before, const std::map<Oid, std::string>& notes) {
    connection.exec("BEGIN; SET LOCAL synchronous_commit = on");
    connection.query(
        "UPDATE pgsluice.progress SET resume_seq = 0, position_lsn = '0/0', position_ordinal = 0, loading_epoch = 0, "
        "begin_seq = 0, loading_tables = '{}', existing_rows = '', stream = '' WHERE \"group\" = $1 AND worker = $2",
        {group, next}, {0});
    connection.query("DELETE FROM pgsluice.loaded WHERE \"group\" = $1 AND worker = $2", {group, next}, {0});
    connection.query("DELETE FROM pgsluice.rules WHERE \"group\" = $1 AND worker = $2", {group, next}, {0});
    PostgresProgress::note_tables(connection, group, next, notes);
    connection.query(
        "INSERT INTO pgsluice.written (\"group\", worker, \"table\") SELECT DISTINCT $1, $2, \"table\" FROM "
        "pgsluice.written WHERE \"group\" = $1 AND worker = ANY ($3::text[]) ON CONFLICT DO NOTHING",
        {group, next, text_array(before)}, {0});
    succeed_unchecked(connection, group, next, before);
    CopiedVersions::drop_all(connection, group, next);
    for (const std::string& worker : before) CopiedVersions::drop_all(connection, group, worker);
    // Each takes what it writes then.
    connection.query("DELETE FROM pgsluice.own_rows WHERE \"group\" = $1 AND worker = ANY ($2::text[])",
                     {group, text_array(before)}, {0});
    connection.exec("COMMIT");
}

}  // namespace pgsluice
