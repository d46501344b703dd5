// A table's rows of one kind, as statements of the pipeline or, of many new ones, as COPY.
#include <algorithm>
#include <map>

#include "sinks/postgres/apply/apply_set.h"
#include "stream/format/copy_text.h"

namespace pgsluice {

OnConflict ApplySet::on_conflict(const TargetMapping& mapping) const {
    return options_.on_conflict.of(mapping.table.schema, mapping.table.table);
}

Conflict ApplySet::conflict_of(const TableStatements& statements) const {
    const TargetMapping& mapping = *statements.mapping;
    const bool expected = batch_ <= statements.upsert_until && on_conflict(mapping) == OnConflict::upsert;
    return expected && mapping.arbiter && mapping.always_columns.empty() ? Conflict::update : Conflict::fail;
}

bool ApplySet::singly(const TableStatements& statements, std::size_t rows) {
    return rows <= max_single_rows || statements.mapping->row_by_row;
}

void ApplySet::insert_rows(TableStatements& statements, std::span<const Row> rows) {
    const bool upsert = conflict_of(statements) == Conflict::update;
    const Expected expected{upsert ? Expected::What::upsert : Expected::What::nothing, nullptr, &statements, 0};
    if (rows.size() >= min_copy_rows && !upsert) {
        copy_rows_in(statements, rows);
    } else if (rows.size() <= max_single_rows || (upsert && statements.mapping->row_by_row) ||
               statements.mapping->relation.columns.empty()) {
        for (const Row row : rows) run_one(prepared(statements, StatementKind::insert_one, {}), row, {}, expected);
    } else {
        while (!rows.empty())
            rows = rows.subspan(run_many(statements, StatementKind::insert_many, {}, rows, false, expected));
    }
}

// A COPY cannot be part of a pipeline: what is queued goes first.
void ApplySet::copy_rows_in(TableStatements& statements, std::span<const Row> rows) {
    if (!read_replies()) {
        pipeline_.reset();
        return;
    }
    pipeline_.reset();
    const TargetMapping& mapping = *statements.mapping;
    try {
        sql::CopyIn copy = session_.connection.copy_in(copy_rows(mapping, mapping.table.name));
        std::vector<Value> kept;
        for (const Row row : rows) {
            kept.clear();
            for (std::size_t i = 0; i < row.size(); ++i) {
                if (mapping.writes(i)) kept.push_back(row[i]);
            }
            append_copy_line(copy_text_, kept);
            if (copy_text_.size() >= StatementParameters::max_bytes / 8) {
                copy.write(copy_text_);
                copy_text_.clear();
            }
        }
        copy.write(copy_text_);
        copy_text_.clear();
        copy.end();
    } catch (const SqlError& error) {
        copy_text_.clear();
        if (error.action() == Action::retry) throw;
        reason_ = error.what();
        blame({Expected::What::nothing, nullptr, &statements, 0}, error);
        return;
    }
    pipeline_.emplace(session_.connection);
}

void ApplySet::update_rows(TableStatements& statements, std::span<const NetChanges::Update> updates) {
    std::map<ColumnSet, std::vector<Row>> partial;
    rows_.clear();
    for (const auto& update : updates) {
        if (!update.partial) {
            rows_.push_back(update.row);
            continue;
        }
        ColumnSet sent(update.row.size());
        for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = !update.row[i].is_unchanged();
        partial[sent].push_back(update.row);
    }
    update_rows(statements, ColumnSet(statements.mapping->relation.columns.size(), true), rows_);
    for (const auto& [sent, rows] : partial) update_rows(statements, sent, rows);
}

void ApplySet::update_rows(TableStatements& statements, const ColumnSet& sent, std::span<const Row> rows) {
    if (singly(statements, rows.size())) {
        for (const Row row : rows) run_one(prepared(statements, StatementKind::update_one, sent), row, row, {});
        return;
    }
    const StatementKind many = commits_ ? StatementKind::update_many : StatementKind::update_piece;
    const Expected expected{commits_ ? Expected::What::nothing : Expected::What::update, nullptr, nullptr, 0};
    while (!rows.empty()) {
        const std::size_t done = run_many(statements, many, sent, rows, commits_, expected);
        expected_.back().rows = done;
        rows = rows.subspan(done);
    }
}

void ApplySet::delete_rows(TableStatements& statements, std::span<const Row> rows, std::size_t passing) {
    Expected expected{Expected::What::remove, nullptr, nullptr, 1};
    if (singly(statements, rows.size())) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            expected.rows = i < passing ? 0 : 1;
            run_one(prepared(statements, StatementKind::delete_one, {}), {}, rows[i], expected);
        }
        return;
    }
    while (!rows.empty()) {
        const std::size_t done = run_many(statements, StatementKind::delete_many, {}, rows, false, expected);
        Expected& last = expected_.back();
        last.rows = done - std::min(done, passing);
        passing -= std::min(done, passing);
        rows = rows.subspan(done);
    }
}

}  // namespace pgsluice
