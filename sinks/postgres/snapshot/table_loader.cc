#include "sinks/postgres/snapshot/table_loader.h"

#include <fmt/format.h>

#include <algorithm>

#include "sinks/postgres/history/copied_versions.h"
#include "sinks/postgres/kept_rows.h"
#include "sinks/postgres/statements.h"
#include "sql/quote.h"
#include "sql/sqlstate.h"
#include "stream/base/failpoint.h"
#include "stream/format/copy_text.h"

namespace pgsluice {

namespace {

// Tables are loaded in no particular order; only a role without the right to session_replication_role meets this.
constexpr const char* foreign_key_violation = "23503";
constexpr const char* foreign_key_hint =
    "Use a role that may set session_replication_role, or create the foreign keys after the copy, as "
    "--target-sync-schema does.";

std::string project(const TargetMapping& mapping, std::string_view text) {
    Arena arena;
    std::string out;
    out.reserve(text.size());
    std::vector<Value> kept;
    while (!text.empty()) {
        const auto row = parse_copy_line(take_copy_line(text), mapping.relation.columns.size(), arena);
        kept.clear();
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (mapping.writes(i)) kept.push_back(row[i]);
        }
        append_copy_line(out, kept);
    }
    return out;
}

bool writes_all(const TargetMapping& mapping) {
    return std::find(mapping.target_of.begin(), mapping.target_of.end(), -1) == mapping.target_of.end();
}

}  // namespace

SqlError refused_load(const TargetMapping& mapping, const SqlError& error, const std::string& way_out) {
    if (error.action() == Action::retry) return error;
    std::string hint = error.hint();
    if (hint.empty() && sql::refuses_row(error.sqlstate())) hint = way_out;
    if (error.sqlstate() == foreign_key_violation) hint = foreign_key_hint;
    return {
        error.action(),
        fmt::format("unable to load rows into '{}.{}': {}", mapping.table.schema, mapping.table.table, error.what()),
        error.sqlstate(), hint};
}

TableLoader::TableLoader(const LoadedSnapshot& snapshot, std::stop_token stop)
    : snapshot_(snapshot), session_(open_session(snapshot.options, std::move(stop))) {}

void TableLoader::begin(const TargetMapping& mapping) {
    session_.connection.exec(session_.begin());
    PostgresProgress::fence(session_.connection, snapshot_.progress);
    session_.guard.forget();
    owner_ = session_.owner_to_write_as(written_table(mapping));
}

void TableLoader::roll_back() {
    session_.connection.exec("ROLLBACK");
    staged_.clear();  // made in that transaction
}

void TableLoader::commit(const std::vector<std::uint64_t>& loaded) {
    PostgresProgress::record_loaded(session_.connection, snapshot_.progress, snapshot_.epoch, loaded);
    session_.guard.end(session_.connection);
    PGSLUICE_FAILPOINT("postgres-load-before-commit");
    snapshot_.origins.commit(session_.connection);
    PGSLUICE_FAILPOINT("postgres-load-after-commit");
}

std::string TableLoader::staging(const TargetMapping& mapping) {
    if (mapping.keeps_history() || (!owner_ && !merges(mapping))) return "";
    std::string name = fmt::format("pgsluice_{}_{}", owner_ ? "texts" : "load", mapping.table.oid);
    if (!staged_.insert(name).second) return name;
    if (owner_) {
        session_.connection.exec(fmt::format("{}; GRANT SELECT ON pg_temp.{} TO {}", create_text_staging(mapping, name),
                                             name, sql::quote_identifier(*owner_)));
    } else {
        session_.connection.exec(create_staging(mapping, name));
    }
    return name;
}

sql::CopyIn TableLoader::copy_in(const TargetMapping& mapping, const std::string& staging) {
    const std::string into = mapping.keeps_history() ? CopiedVersions::place(snapshot_.options, mapping.relation)
                             : staging.empty()       ? mapping.table.name
                                                     : "pg_temp." + staging;
    return session_.connection.copy_in(copy_rows(mapping, into));
}

void TableLoader::write(sql::CopyIn& copy, const TargetMapping& mapping, std::string_view lines) {
    if (writes_all(mapping))
        copy.write(lines);
    else
        copy.write(project(mapping, lines));
}

void TableLoader::merge(const TargetMapping& mapping, const std::string& staging) {
    if (mapping.keeps_history()) return;  // at the copy's end
    if (owner_)
        session_.run_as(*owner_,
                        merge_text_staging(mapping, staging, merges(mapping) ? Conflict::update : Conflict::fail));
    else if (!staging.empty())
        session_.connection.exec(merge_staging(mapping, staging));
}

bool TableLoader::merges(const TargetMapping& mapping) const {
    return is_written_over(mapping, snapshot_.options.existing_rows == ExistingRows::keep, snapshot_.kept);
}

}  // namespace pgsluice
