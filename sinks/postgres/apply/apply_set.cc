#include "sinks/postgres/apply/apply_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "stream/base/failpoint.h"

namespace pgsluice {

namespace {

using Kind = StatementKind;

// For how many batches a table's inserts upsert at once after one has met an existing key.
constexpr std::uint64_t upsert_batches = 1000;

bool needs_key(const TableChanges& table) {
    return !table.only_inserts && table.mapping->match == TargetMapping::Match::nothing;
}

bool moves_identity(const TableChanges& table) {
    return table.mapping->always_key &&
           std::any_of(table.changes.begin(), table.changes.end(), [&](const Change* change) {
               return change->op == Op::update && changes_key(*table.mapping, *change);
           });
}

}  // namespace

// Statements whose outcome must be looked at before the next are not for a pipeline.
bool ApplySet::possible(std::span<const Segment> segments) {
    const auto has_foreign_code = [&](Oid table) { return session_.guard.has_foreign_code(table); };
    return std::none_of(segments.begin(), segments.end(), [&](const Segment& segment) {
        if (segment.truncate != nullptr) {
            const auto tables = truncated_tables(mappings_, *segment.truncate);
            return std::any_of(tables.begin(), tables.end(),
                               [&](const auto& table) { return has_foreign_code(table.table.oid); });
        }
        return std::any_of(segment.tables.begin(), segment.tables.end(), [&](const TableChanges& table) {
            return needs_key(table) || moves_identity(table) || has_foreign_code(table.mapping->table.oid);
        });
    });
}

bool ApplySet::apply(const std::vector<Change>& changes, bool transaction_open, const SinkState* next,
                     ConflictCounts& counts) {
    if (try_apply(changes, transaction_open, next, counts)) return true;
    while (std::exchange(look_closer_, false)) {
        if (try_apply(changes, transaction_open, next, counts)) return true;
    }
    return false;
}

bool ApplySet::try_apply(const std::vector<Change>& changes, bool transaction_open, const SinkState* next,
                         ConflictCounts& counts) {
    ++batch_;
    commits_ = next != nullptr;
    const auto segments = segments_.cut(changes, mappings_, !session_.replica);
    if (!possible(segments)) {
        reason_ = "a change needs a look at the row";
        return false;
    }
    counts_ = {};
    looked_at_.clear();
    learn_tied(segments);
    pipeline_.emplace(session_.connection);
    bool good = true;
    queue_start(transaction_open);
    for (const Segment& segment : segments) {
        if (segment.truncate != nullptr) truncate(*segment.truncate);
        for (const TableChanges& table : segment.tables) {
            if (good) write(table);
            good = good && pipeline_.has_value();
        }
    }
    if (good) {
        queue_end(next);
        PGSLUICE_FAILPOINT("postgres-before-commit");
        good = read_replies();
    }
    pipeline_.reset();
    if (!good) {
        session_.connection.exec(
            transaction_open ? "ROLLBACK TO SAVEPOINT pgsluice_piece; RELEASE SAVEPOINT pgsluice_piece" : "ROLLBACK");
        return false;
    }
    // Not before the replies are read: they may say that rows were not there.
    if (next == nullptr && transaction_open) session_.connection.exec("RELEASE SAVEPOINT pgsluice_piece");
    if (next != nullptr) {
        PGSLUICE_FAILPOINT("postgres-after-commit");
        session_.guard.ended();
        progress_.moved(*next);
    }
    counts.upserted += counts_.upserted;
    counts.deleted_missing += counts_.deleted_missing;
    return true;
}

void ApplySet::expect(std::size_t index, Expected expected) {
    expected_.resize(index + 1);
    expected_[index] = expected;
}

void ApplySet::queue_start(bool transaction_open) {
    if (transaction_open) {
        expect(pipeline_->run("SAVEPOINT pgsluice_piece"), {});
        return;
    }
    expect(pipeline_->run("BEGIN"), {});
    if (!session_.replica) expect(pipeline_->run("SET CONSTRAINTS ALL DEFERRED"), {});
}

void ApplySet::queue_end(const SinkState* next) {
    if (next == nullptr) return;
    if (const std::string last = session_.guard.last_statement(); !last.empty()) expect(pipeline_->run(last), {});
    parameters_.begin();
    for (const std::string& text : progress_.move_parameters(*next)) parameters_.add(text);
    send_values(progress_statement_, {Expected::What::progress});
    expect(pipeline_->run("COMMIT"), {});
}

bool ApplySet::read_replies() {
    const auto replies = pipeline_->sync();
    bool all_found = true;
    for (std::size_t i = 0; i < replies.size(); ++i) {
        if (replies[i].kind != sql::Reply::Kind::done) continue;
        const Expected& expected = expected_[i];
        const auto affected = static_cast<std::uint64_t>(replies[i].affected);
        if (expected.what == Expected::What::prepare) expected.prepared->ready = true;
        if (expected.what == Expected::What::upsert) counts_.upserted += static_cast<std::uint64_t>(replies[i].value);
        if (expected.what == Expected::What::update) all_found &= affected == expected.rows;
        if (expected.what == Expected::What::remove && affected < expected.rows)
            counts_.deleted_missing += expected.rows - affected;
    }
    if (!pipeline_->failure()) {
        expected_.clear();
        if (!all_found) reason_ = "a row to update is not there";
        return all_found;
    }
    const SqlError error = *pipeline_->failure();
    const Expected failed = expected_[pipeline_->failed_index()];
    expected_.clear();
    if (error.action() == Action::retry) throw error;
    reason_ = error.what();
    blame(failed, error);
    return false;
}

void ApplySet::blame(const Expected& expected, const SqlError& error) {
    if (expected.what == Expected::What::progress && error.sqlstate() == "22012") throw progress_.stolen();
    if (expected.what == Expected::What::glance) {
        session_.guard.note_code(expected.table);
        look_closer_ = true;
    }
    session_.guard.forget_tied(expected.table);  // of a lock or a look
    if (expected.what == Expected::What::look) {
        reason_ = "code of other roles or another index may be on a table";
        session_.guard.note_foreign_code(expected.table);
        session_.guard.forget_code(expected.table);  // or it has an index that the mapping does not know
        mappings_.forget();                          // or another table has taken its name
    }
    if (expected.statements != nullptr && error.sqlstate() == "23505")
        expected.statements->upsert_until = batch_ + upsert_batches;
    // A table or column has changed, or the index that ON CONFLICT uses is gone.
    if (error.sqlstate().starts_with("42")) mappings_.forget();
}

// --- what is written

// Before the pipeline, in which nothing can be asked.
void ApplySet::learn_tied(std::span<const Segment> segments) {
    if (session_.replica) return;
    const auto learn = [&](const TargetMapping& mapping) {
        if (!session_.guard.knows_tied(mapping.table.oid))
            session_.guard.learn_tied(session_.connection, written_table(mapping));
    };
    for (const Segment& segment : segments) {
        if (segment.truncate != nullptr)
            for (const RelationPtr& relation : segment.truncate->truncated) learn(*mappings_.at(*relation));
        for (const TableChanges& table : segment.tables) learn(*table.mapping);
    }
}

// Takes the locks that the first write would take, and that keep code off the tables that foreign keys tie to it, and
// then fails where the table is not one that we write to as ourselves.
void ApplySet::look_at(const TargetMapping& mapping) {
    if (!looked_at_.insert(&mapping).second) return;
    WrittenTable table = written_table(mapping);
    table.gist_indexes = mapping.table.gist_indexes;
    table.tied = session_.guard.tied_to(table.oid);
    if (!table.foreign)
        expect(pipeline_->run(table.lock_statement()), {Expected::What::nothing, nullptr, nullptr, 0, table.oid});
    parameters_.begin();
    for (const auto& text : foreign_code_parameters(table, session_.replica))
        parameters_.add(text ? Value(std::string_view(*text)) : Value());
    const bool closer = table.partitioned || session_.guard.has_code(table.oid);
    send_values(closer ? look_statement_ : glance_statement_,
                {closer ? Expected::What::look : Expected::What::glance, nullptr, nullptr, 0, table.oid});
}

void ApplySet::write(const TableChanges& table) {
    look_at(*table.mapping);
    TableStatements& statements = statements_of(table.mapping);
    if (table.mapping->keeps_history()) return write_versions(statements, table);
    if (table.only_inserts) {
        rows_.clear();
        for (const Change* change : table.changes) rows_.push_back(change->new_row);
        insert_rows(statements, rows_);
    } else if (fold(table)) {
        delete_rows(statements, fold_.deletes(), fold_.passing_deletes());
        update_rows(statements, fold_.updates());
        insert_rows(statements, fold_.inserts());
    } else {
        write_in_order(statements, table);
    }
}

bool ApplySet::fold(const TableChanges& table) {
    if (table.mapping->match != TargetMapping::Match::unique || !fold_.fold(table.mapping->key, table.changes))
        return false;
    // A row that came and went is only deleted: an insert that met a row of the target's own would not be noticed.
    return on_conflict(*table.mapping) != OnConflict::error || fold_.passing_deletes() == 0;
}

void ApplySet::write_in_order(TableStatements& statements, const TableChanges& table) {
    const TargetMapping& mapping = *table.mapping;
    std::vector<Value> resolved;
    for (const Change* change : table.changes) {
        if (change->op == Op::insert) {
            insert_rows(statements, std::span(&change->new_row, 1));
        } else if (change->op == Op::del) {
            delete_rows(statements, std::span(&change->old_row, 1), 0);
        } else {
            resolved.clear();
            for (std::size_t i = 0; i < change->new_row.size(); ++i)
                resolved.push_back(new_value(*change, static_cast<int>(i)));
            const Row key_row = change->old_kind == OldRow::none ? Row(resolved) : change->old_row;
            // Without a unique key, the key's columns are written like all others.
            const Kind kind = changes_key(mapping, *change) ? Kind::move_one : Kind::update_one;
            run_one(prepared(statements, kind, known_columns(*change)), resolved, key_row, {});
        }
    }
}

void ApplySet::write_versions(TableStatements& statements, const TableChanges& table) {
    for (const Versions::Layer& layer : versions_.of(*table.mapping, table.changes)) {
        write_versions(statements, Kind::remove_version, Kind::remove_versions, {}, layer.removed);
        for (const auto& [sent, rows] : layer.updated)
            write_versions(statements, Kind::update_version, Kind::update_versions, sent, rows);
        write_versions(statements, Kind::insert_version, Kind::insert_versions, {}, layer.inserted);
        for (const Versions::Moved& moved : layer.moved) {
            run_one(prepared(statements, Kind::move_version, moved.sent), moved.row, moved.key_row, {});
            run_one(prepared(statements, Kind::remove_version, {}), moved.key_row, {}, {});
        }
    }
}

void ApplySet::write_versions(TableStatements& statements, Kind one, Kind many, const ColumnSet& sent,
                              std::span<const Row> rows) {
    if (singly(statements, rows.size())) {
        for (const Row row : rows) run_one(prepared(statements, one, sent), row, {}, {});
        return;
    }
    while (!rows.empty()) rows = rows.subspan(run_many(statements, many, sent, rows, false, {}));
}

void ApplySet::truncate(const Change& change) {
    for (const RelationPtr& relation : change.truncated) look_at(*mappings_.at(*relation));
    for (const auto& [mapping, statement] : truncated_versions(mappings_, change))
        expect(pipeline_->run(statement), {});
    std::vector<std::string_view> whole;
    const auto tables = truncated_tables(mappings_, change);
    for (const EmptiedTable& table : tables) {
        if (table.condition.empty())
            whole.push_back(table.only);
        else
            expect(pipeline_->run(delete_statement(table.only, table.condition)), {});
    }
    if (!whole.empty()) expect(pipeline_->run(truncate_statement(whole, change.restart_identity)), {});
}

TableStatements& ApplySet::statements_of(const std::shared_ptr<TargetMapping>& mapping) {
    return statements_.of(mapping,
                          [this](const std::string& name) { expect(pipeline_->run("DEALLOCATE " + name), {}); });
}

Prepared& ApplySet::prepared(TableStatements& statements, Kind kind, const ColumnSet& sent, Arrays arrays) {
    return statements_.get(statements, kind, sent, conflict_of(statements), arrays);
}

void ApplySet::make_ready(Prepared& prepared) {
    if (prepared.ready) return;
    // Twice in one pipeline would be an error; whether the first one worked is known at the sync.
    const bool queued = std::any_of(expected_.begin(), expected_.end(), [&](const Expected& expected) {
        return expected.what == Expected::What::prepare && expected.prepared == &prepared;
    });
    if (queued) return;
    expect(pipeline_->prepare(prepared.name, prepared.statement.text),
           {Expected::What::prepare, &prepared, nullptr, 0});
}

void ApplySet::send_values(Prepared& prepared, Expected expected) {
    make_ready(prepared);
    expect(pipeline_->execute(prepared.name, parameters_.values()), expected);
}

void ApplySet::run_one(Prepared& prepared, Row row, Row key_row, Expected expected) {
    parameters_.begin();
    parameters_.add_row(prepared.statement, row, key_row);
    send_values(prepared, expected);
}

std::size_t ApplySet::run_many(TableStatements& statements, Kind kind, const ColumnSet& sent, std::span<const Row> rows,
                               bool counted, Expected expected) {
    Prepared* many = &prepared(statements, kind, sent, Arrays::binary);
    std::size_t done = parameters_.collect(many->statement, rows);
    if (done == 0) {
        many = &prepared(statements, kind, sent, Arrays::texts);
        done = parameters_.collect(many->statement, rows);
    }
    make_ready(*many);
    expect(pipeline_->execute(many->name, parameters_.arrays(many->statement, counted)), expected);
    return done;
}

}  // namespace pgsluice
