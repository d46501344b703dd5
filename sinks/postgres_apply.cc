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
    session_.connection.exec("ROLLBACK");
}

void PostgresApplier::commit(const SinkState& next) {
    progress_.move(next);
    PGSLUICE_FAILPOINT("postgres_before_commit");
    session_.connection.exec("COMMIT");
    open_ = false;
    PGSLUICE_FAILPOINT("postgres_after_commit");
    progress_.moved(next);
}

void PostgresApplier::apply(const std::vector<Change>& changes, const SinkState* next) {
    plans_.start_batch();
    if (options_.set_based) {
        if (sets_.apply(changes, open_, next, counts_)) {
            open_ = next == nullptr;
            return;
        }
        log_(LogLevel::debug, "a batch is applied row by row: " + sets_.reason());
        plans_.start_batch();
    }
    if (!open_) begin();
    apply_in_order(changes);
    if (next != nullptr) commit(*next);
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
