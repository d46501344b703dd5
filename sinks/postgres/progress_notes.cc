// What is noted of tables beside the worker's row: the rules they were written by, what is unfinished, parked, written.
#include <algorithm>

#include "sinks/postgres/array.h"
#include "sinks/postgres/progress.h"
#include "sql/quote.h"
#include "stream/share/share.h"

namespace pgsluice {

namespace {

// The workers with shares of the rows of `worker` that have parked something, and it; also such as are no longer there.
std::vector<std::string> shares_that_parked(sql::Connection& connection, const std::string& group,
                                            const std::string& worker) {
    const std::string base = parse_share_worker(worker).base;
    auto workers =
        connection.query("SELECT DISTINCT worker FROM pgsluice.parked WHERE \"group\" = $1", {group}, {1}).texts(0);
    std::erase_if(workers, [&](const std::string& other) { return parse_share_worker(other).base != base; });
    return workers;
}

}  // namespace

std::map<Oid, std::string> PostgresProgress::table_notes() { return table_notes(connection_, group_, worker_); }

std::map<Oid, std::string> PostgresProgress::table_notes(sql::Connection& reader, const std::string& group,
                                                         const std::string& worker) {
    const auto rows = reader.query("SELECT source_oid, rules FROM pgsluice.rules WHERE \"group\" = $1 AND worker = $2",
                                   {group, worker}, {2});
    std::map<Oid, std::string> notes;
    for (int row = 0; row < rows.rows(); ++row) notes[static_cast<Oid>(rows.integer(row, 0))] = rows.text(row, 1);
    return notes;
}

void PostgresProgress::note_tables(sql::Connection& writer, const std::string& group, const std::string& worker,
                                   const std::map<Oid, std::string>& notes) {
    std::vector<std::string> oids;
    std::vector<std::string> texts;
    for (const auto& [oid, text] : notes) {
        oids.push_back(std::to_string(oid));
        texts.push_back(text);
    }
    writer.query(
        "INSERT INTO pgsluice.rules SELECT $1, $2, unnest($3::oid[]), unnest($4::text[]) "
        "ON CONFLICT (\"group\", worker, source_oid) DO UPDATE SET rules = EXCLUDED.rules",
        {group, worker, text_array(oids), text_array(texts)}, {0});
}

std::vector<RelationPtr> PostgresProgress::unfinished() {
    const auto rows = connection_.query(
        "SELECT DISTINCT source_oid, schema, \"table\" FROM pgsluice.unfinished WHERE \"group\" = $1 AND worker = $2",
        {group_, worker_}, {3});
    std::vector<RelationPtr> tables;
    for (int row = 0; row < rows.rows(); ++row) {
        Relation table;
        table.oid = static_cast<Oid>(rows.integer(row, 0));
        table.schema = rows.text(row, 1);
        table.table = rows.text(row, 2);
        tables.push_back(std::make_shared<const Relation>(std::move(table)));
    }
    return tables;
}

void PostgresProgress::note_unfinished(sql::Connection& other, const PostgresProgress& progress,
                                       const std::vector<const Relation*>& tables) {
    other.exec("BEGIN");
    for (const Relation* table : tables) {
        other.query("INSERT INTO pgsluice.unfinished VALUES ($1, $2, $3::oid, $4, $5)",
                    {progress.group_, progress.worker_, std::to_string(table->oid), table->schema, table->table}, {0});
    }
    other.exec("COMMIT");
}

void PostgresProgress::forget_unfinished() {
    connection_.query("DELETE FROM pgsluice.unfinished WHERE \"group\" = $1 AND worker = $2", {group_, worker_}, {0});
}

void PostgresProgress::note_parked(sql::Connection& writer, const PostgresProgress& progress, const Change& change) {
    const Relation* table = change.relation ? &*change.relation : nullptr;
    writer.query(
        "INSERT INTO pgsluice.parked (\"group\", worker, position, source_oid, \"table\") VALUES ($1, $2, $3, $4::oid, "
        "$5) ON CONFLICT DO NOTHING",
        {progress.group_, progress.worker_, to_string(change.position), std::to_string(table ? table->oid : 0),
         table ? sql::quote_qualified(table->schema, table->table) : ""},
        {0});
}

// By its oid, since it may have been renamed, and by its name, since it may have been re-created.
void PostgresProgress::forget_parked(const std::vector<RelationPtr>& tables) {
    std::vector<std::string> oids;
    std::vector<std::string> names{""};
    for (const RelationPtr& table : tables) {
        if (!table) continue;
        if (table->oid != 0) oids.push_back(std::to_string(table->oid));
        names.push_back(sql::quote_qualified(table->schema, table->table));
    }
    connection_.query(
        "DELETE FROM pgsluice.parked WHERE \"group\" = $1 AND worker = ANY($2::text[]) AND (\"table\" = "
        "ANY($4::text[]) OR source_oid = ANY($3::oid[]))",
        {group_, text_array(shares_that_parked(connection_, group_, worker_)), text_array(oids), text_array(names)},
        {0});
}

std::set<std::string> PostgresProgress::written_tables() {
    const auto rows = connection_.query("SELECT \"table\" FROM pgsluice.written WHERE \"group\" = $1 AND worker = $2",
                                        {group_, worker_}, {1});
    const auto tables = rows.texts(0);
    return {tables.begin(), tables.end()};
}

void PostgresProgress::note_written(const std::vector<std::string>& tables) {
    connection_.query("INSERT INTO pgsluice.written SELECT $1, $2, unnest($3::text[]) ON CONFLICT DO NOTHING",
                      {group_, worker_, text_array(tables)}, {0});
}

}  // namespace pgsluice
