#include "sinks/postgres_rows.h"

#include <fmt/format.h>

#include <algorithm>

namespace pgsluice {

namespace {

constexpr sql::Shape any_shape{-1};

const char* verb(Op op) {
    switch (op) {
        case Op::insert:
            return "insert into";
        case Op::update:
            return "update";
        case Op::del:
            return "delete from";
        default:
            return "write to";
    }
}

sql::Param param(const Value& value) {
    if (value.is_unchanged()) throw std::logic_error("an unchanged value has no place in a statement");
    return value.is_text() ? sql::Param(value.text()) : std::nullopt;
}

Error missing_row(const PostgresPlan& plan, const Change& change) {
    return stop_error(
        fmt::format("unable to update '{}.{}' {}: the target has no such row, and the change does not hold all of it",
                    plan.table.schema, plan.table.table, describe_key(plan, change)),
        "Copy the row from the source, or copy the table anew, or start the worker with --on-error dead-letter.");
}

}  // namespace

std::vector<const TargetTable*> truncated_tables(PostgresPlans& plans, const Change& change) {
    std::vector<const TargetTable*> tables;
    for (const RelationPtr& relation : change.truncated) tables.push_back(&plans.at(*relation)->table);
    return tables;
}

sql::Result PostgresRows::run(const Statement& statement, const Change& change) {
    params_.clear();
    for (const int column : statement.values) params_.push_back(param(new_value(change, column)));
    for (const int column : statement.keys) params_.push_back(param(old_value(change, column)));
    return session_.connection.query(statement.text, params_, any_shape);
}

void PostgresRows::write(const Change& change, ConflictCounts& counts) {
    if (change.op == Op::message) return;
    if (change.op == Op::truncate) return truncate(change);
    const PostgresPlan& plan = *plans_.at(*change.relation);
    try {
        if (change.op == Op::insert) return insert(plan, change, counts);
        if (plan.match == PostgresPlan::Match::nothing) {
            throw stop_error(fmt::format("unable to {} '{}.{}': neither the source nor the target has a key for it",
                                         verb(change.op), plan.table.schema, plan.table.table),
                             "Give the source's table a primary key or REPLICA IDENTITY FULL, and keep its key columns "
                             "out of exclude_column rules.");
        }
        if (change.op == Op::update) return update(plan, change, counts);
        return remove(plan, change, counts);
    } catch (const SqlError& error) {
        if (error.action() == Action::retry) throw;
        throw SqlError(error.action(),
                       fmt::format("unable to {} '{}.{}' {}: {}", verb(change.op), plan.table.schema, plan.table.table,
                                   describe_key(plan, change), error.what()),
                       error.sqlstate(), error.hint());
    }
}

void PostgresRows::insert(const PostgresPlan& plan, const Change& change, ConflictCounts& counts) {
    const bool keyed = plan.match == PostgresPlan::Match::unique;
    if (options_.on_conflict == OnConflict::ignore) {
        if (run(insert_one(plan, Conflict::ignore), change).affected() == 0) ++counts.ignored;
    } else if (options_.on_conflict == OnConflict::upsert && keyed) {
        insert_over(plan, change, counts);
    } else {
        run(insert_one(plan, Conflict::fail), change);
    }
}

void PostgresRows::insert_over(const PostgresPlan& plan, const Change& change, ConflictCounts& counts) {
    if (plan.arbiter && plan.always_columns.empty() && !plan.table.has_deferrable()) {
        const auto result = run(insert_one(plan, Conflict::update), change);
        if (result.columns() == 1) counts.upserted += static_cast<std::uint64_t>(result.integer(0, 0));
        return;
    }
    Statement remove = delete_one(plan);
    if (run(remove, change).affected() > 0) ++counts.upserted;
    run(insert_one(plan, Conflict::fail), change);
}

void PostgresRows::update(const PostgresPlan& plan, const Change& change, ConflictCounts& counts) {
    const bool key_changes = changes_key(plan, change);
    const ColumnSet sent = known_columns(change);
    const bool replace = key_changes && plan.always_key;
    const Statement first = replace ? replace_one(plan, sent) : update_one(plan, sent, key_changes, false);
    if (run(first, change).affected() > 0) return;
    if (!plan.always_columns.empty() && !replace && run(replace_one(plan, sent), change).affected() > 0) return;
    if (std::find(sent.begin(), sent.end(), false) != sent.end()) throw missing_row(plan, change);
    // Not over another row: the old one is missing, which says nothing about the new key.
    run(insert_one(plan, Conflict::fail), change);
    ++counts.inserted_missing;
}

void PostgresRows::remove(const PostgresPlan& plan, const Change& change, ConflictCounts& counts) {
    if (run(delete_one(plan), change).affected() == 0) ++counts.deleted_missing;
}

void PostgresRows::truncate(const Change& change) {
    const auto tables = truncated_tables(plans_, change);
    if (tables.empty()) return;
    sql::Connection& connection = session_.connection;
    connection.exec("SAVEPOINT pgsluice_truncate");
    try {
        connection.exec(truncate_tables(tables, change.restart_identity));
    } catch (const SqlError& error) {
        // 0A000: a foreign key of another table refers to one of these. In replica mode nobody checks it.
        if (error.sqlstate() != "0A000" || !session_.replica) throw;
        connection.exec("ROLLBACK TO SAVEPOINT pgsluice_truncate");
        log_(LogLevel::warning, fmt::format("'{}.{}' cannot be truncated because other tables refer to it: its rows "
                                            "are deleted instead",
                                            tables.front()->schema, tables.front()->table));
        for (const TargetTable* table : tables) connection.exec("DELETE FROM " + table->only);
    }
    connection.exec("RELEASE SAVEPOINT pgsluice_truncate");
}

}  // namespace pgsluice
