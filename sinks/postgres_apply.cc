#include "sinks/postgres_apply.h"

#include <algorithm>

#include "stream/failpoint.h"

namespace pgsluice {

namespace {

// Changes under one savepoint while looking for the one that fails.
constexpr std::size_t savepoint_changes = 64;

}  // namespace

void PostgresApplier::begin() {
    session_.connection.exec(session_.begin());
    open_ = true;
}

void PostgresApplier::roll_back() {
    if (!open_) return;
    open_ = false;
    deferred_.clear();
    session_.connection.exec("ROLLBACK");
}

void PostgresApplier::note_deferred(const std::vector<Change>& changes) {
    for (const Change& change : changes) {
        if (change.op != Op::insert && change.op != Op::update) continue;
        const auto& plan = plans_.at(*change.relation);
        if (plan->table.has_deferrable()) deferred_.note(plan, change);
    }
}

void PostgresApplier::commit(const SinkState& next) {
    deferred_.check(session_.connection);
    progress_.move(next);
    PGSLUICE_FAILPOINT("postgres_before_commit");
    session_.connection.exec("COMMIT");
    open_ = false;
    PGSLUICE_FAILPOINT("postgres_after_commit");
    progress_.moved(next);
}

void PostgresApplier::apply(const std::vector<Change>& changes, const SinkState* next) {
    plans_.start_batch();
    if (session_.replica) note_deferred(changes);
    if (options_.set_based) {
        // Deferred constraints are looked at before the commit.
        const SinkState* commits = deferred_.empty() ? next : nullptr;
        if (sets_.apply(changes, open_, commits, counts_)) {
            open_ = commits == nullptr;
            if (open_ && next != nullptr) commit(*next);
            return;
        }
        log_(LogLevel::debug, "a batch is applied row by row: " + sets_.reason());
        plans_.start_batch();
    }
    if (!open_) begin();
    apply_in_order(changes);
    if (next != nullptr) commit(*next);
}

void PostgresApplier::apply_ddl(const Change& change) {
    const auto statement = ddl_statement(change, options_.apply_ddl, log_);
    if (!statement) return;
    if (!open_) begin();
    deferred_.check(session_.connection);  // as long as the constraints are as the rows were written for
    run_ddl(session_, *statement, log_);
    plans_.forget();
}

void PostgresApplier::apply_in_order(const std::vector<Change>& changes) {
    const bool parks = options_.on_error == OnError::dead_letter && dead_letters_ != nullptr;
    if (!parks) {
        for (const Change& change : changes) rows_.write(change, counts_);
        return;
    }
    for (std::size_t begin = 0; begin < changes.size(); begin += savepoint_changes)
        apply_range(changes, begin, std::min(changes.size(), begin + savepoint_changes));
}

// Under a savepoint; what fails is halved until the change that fails stands alone and is parked.
void PostgresApplier::apply_range(const std::vector<Change>& changes, std::size_t begin, std::size_t end) {
    sql::Connection& connection = session_.connection;
    connection.exec("SAVEPOINT pgsluice_range");
    ConflictCounts counts = counts_;
    try {
        for (std::size_t i = begin; i < end; ++i) rows_.write(changes[i], counts);
        connection.exec("RELEASE SAVEPOINT pgsluice_range");
        counts_ = counts;
        return;
    } catch (const Error& error) {
        if (error.action() == Action::retry) throw;
        connection.exec("ROLLBACK TO SAVEPOINT pgsluice_range; RELEASE SAVEPOINT pgsluice_range");
        if (end - begin == 1) {
            dead_letters_->park(changes[begin], error.what());
            ++counts_.parked;
            return;
        }
    }
    const std::size_t middle = begin + (end - begin) / 2;
    apply_range(changes, begin, middle);
    apply_range(changes, middle, end);
}

}  // namespace pgsluice
