#include "sinks/postgres/apply/apply.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sinks/postgres/rights/target_owner.h"
#include "stream/base/failpoint.h"
#include "stream/definition/definition_message.h"

namespace pgsluice {

void PostgresApplier::begin() {
    session_.connection.exec(session_.begin());
    open_ = true;
}

void PostgresApplier::roll_back() {
    if (!open_) return;
    open_ = false;
    deferred_.clear();
    builds_.rolled_back();
    session_.connection.exec("ROLLBACK");
}

void PostgresApplier::note_deferred(const std::vector<Change>& changes) {
    for (const Change& change : changes) {
        if (change.op != Op::insert && change.op != Op::update) continue;
        const auto& mapping = mappings_.at(*change.relation);
        if (mapping->table.has_deferrable()) deferred_.note(mapping, change);
    }
}

void PostgresApplier::commit(const SinkState& next) {
    progress_.move(next);
    session_.guard.end(session_.connection);
    PGSLUICE_FAILPOINT("postgres-before-commit");
    session_.connection.exec("COMMIT");
    open_ = false;
    deferred_.clear();
    PGSLUICE_FAILPOINT("postgres-after-commit");
    progress_.moved(next);
}

void PostgresApplier::apply(const std::vector<Change>& changes, const SinkState* next) {
    if (session_.replica) note_deferred(changes);
    if (options_.set_based) {
        std::string reason;
        if (apply_sets(changes, next, reason)) return;
        log_(LogLevel::debug, "a batch is applied row by row: " + reason);
    }
    if (!open_) begin();
    in_order_.apply(changes, next != nullptr, counts_);
    if (next != nullptr) commit(*next);
}

bool PostgresApplier::apply_sets(const std::vector<Change>& changes, const SinkState* next, std::string& reason) {
    const bool piece = open_;
    // Where the server checks them, a COMMIT that finds one broken would take the pieces before this one along.
    const bool checks = next != nullptr && (session_.replica ? deferred_.pending(session_) : piece);
    if (checks && piece) session_.connection.exec("SAVEPOINT pgsluice_checked");
    ConflictCounts counts = counts_;
    if (!sets_.apply(changes, piece, checks ? nullptr : next, counts)) {
        reason = sets_.reason();
        return false;
    }
    open_ = checks || next == nullptr;
    try {
        if (checks) deferred_.check(session_);
    } catch (const SqlError& error) {
        if (!is_fault_of_change(error)) throw;
        reason = error.what();
        session_.connection.exec(piece ? "ROLLBACK TO SAVEPOINT pgsluice_checked" : "ROLLBACK");
        open_ = piece;
        return false;
    }
    counts_ = counts;
    if (checks) commit(*next);
    return true;
}

void PostgresApplier::apply_ddl(const Change& change) {
    if (change.prefix == ddl_message_prefix && holds_definitions(change.content)) return apply_definitions(change);
    auto statement = ddl_statement(change, options_.apply_ddl, log_);
    if (!statement) return;
    statement->contained = change.position.commit <= progress_.schema_upto();
    begin_ddl();
    run_ddl(session_, *statement, target_owner(options_), log_);
    mappings_.follow();
}

void PostgresApplier::begin_ddl() {
    if (!open_) begin();
    deferred_.check(session_);  // as long as the constraints are as the rows were written for
    deferred_.clear();
    if (!std::exchange(any_ddl_, true)) warn_of_rights(session_.connection, options_, log_);
}

void PostgresApplier::apply_definitions(const Change& change) {
    if (!options_.apply_ddl) {
        log_(LogLevel::info, fmt::format("not applied (--target-ddl ignore): DDL at {}", to_string(change.position)));
        return;
    }
    PGSLUICE_FAILPOINT("postgres-before-ddl");
    begin_ddl();
    definitions_.apply(change, change.position.commit <= progress_.schema_upto());
    mappings_.follow();
    PGSLUICE_FAILPOINT("postgres-after-ddl");
}

}  // namespace pgsluice
