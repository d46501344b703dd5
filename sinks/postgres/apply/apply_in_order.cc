#include "sinks/postgres/apply/apply_in_order.h"

#include <algorithm>

#include "stream/base/failpoint.h"

namespace pgsluice {

namespace {

// Changes under one savepoint while looking for the one that fails.
constexpr std::size_t savepoint_changes = 64;

}  // namespace

void ApplyInOrder::apply(const std::vector<Change>& changes, bool complete, ConflictCounts& counts) {
    // Before the first savepoint, so that the tables stay locked whatever is rolled back.
    session_.guard.forget();
    rows_.look_at_tables(changes);
    if (dead_letters_ == nullptr && apply_at_once(changes, complete, counts)) return;
    for (Changes rest(changes); !rest.empty();) {
        const auto end = std::find_if(rest.begin(), rest.end(), [&](const Change& change) {
            return change.position.commit != rest.front().position.commit;
        });
        const Changes transaction = rest.first(static_cast<std::size_t>(end - rest.begin()));
        rest = rest.subspan(transaction.size());
        apply_transaction(transaction, complete || !rest.empty(), counts);
    }
    // Pieces before this one may be at fault.
    if (changes.empty() && complete && !constraints_hold()) throw SqlError(*broken_);
}

// False: rolled back, because a deferred constraint does not hold; going by transactions will find which change.
bool ApplyInOrder::apply_at_once(Changes changes, bool complete, ConflictCounts& counts) {
    const bool checks = complete && deferred_.pending(session_);
    if (checks) session_.connection.exec("SAVEPOINT pgsluice_batch");
    ConflictCounts counted = counts;
    for (const Change& change : changes) rows_.write(change, counted);
    const bool good = !checks || constraints_hold();
    if (checks) {
        session_.connection.exec(good ? "RELEASE SAVEPOINT pgsluice_batch"
                                      : "ROLLBACK TO SAVEPOINT pgsluice_batch; RELEASE SAVEPOINT pgsluice_batch");
    }
    if (good) counts = counted;
    return good;
}

void ApplyInOrder::apply_transaction(Changes changes, bool complete, ConflictCounts& counts) {
    session_.connection.exec("SAVEPOINT pgsluice_transaction");
    aside_.clear();
    before_ = counts;
    if (!attempt(changes, complete && deferred_.pending(session_))) set_aside(changes);
    for (const auto& [number, error] : aside_) refused_.emplace(number, rows_.refused(changes[number], error));
    if (dead_letters_ == nullptr && !refused_.empty()) throw Error(refused_.begin()->second);
    session_.connection.exec("RELEASE SAVEPOINT pgsluice_transaction");
    for (const auto& [number, error] : refused_) park(changes[number], error.what());
    counts = counts_;
    counts.parked += refused_.size();
}

bool ApplyInOrder::attempt(Changes changes, bool checks) {
    counts_ = before_;
    refused_.clear();
    for (std::size_t begin = 0; begin < changes.size(); begin += savepoint_changes)
        write_range(changes, begin, std::min(changes.size(), begin + savepoint_changes));
    return !checks || constraints_hold();
}

bool ApplyInOrder::attempt_again(Changes changes) {
    session_.connection.exec("ROLLBACK TO SAVEPOINT pgsluice_transaction");
    return attempt(changes, true);
}

// Under a savepoint; what fails is halved down to the change that fails.
void ApplyInOrder::write_range(Changes changes, std::size_t begin, std::size_t end) {
    sql::Connection& connection = session_.connection;
    connection.exec("SAVEPOINT pgsluice_range");
    ConflictCounts counts = counts_;
    try {
        for (std::size_t i = begin; i < end; ++i) {
            if (!aside_.contains(i)) rows_.write(changes[i], counts);
        }
        connection.exec("RELEASE SAVEPOINT pgsluice_range");
        counts_ = counts;
        return;
    } catch (const Error& error) {
        if (!is_fault_of_change(error)) throw;
        connection.exec("ROLLBACK TO SAVEPOINT pgsluice_range; RELEASE SAVEPOINT pgsluice_range");
        if (end - begin == 1) {
            refused_.emplace(begin, error);
            return;
        }
    }
    const std::size_t middle = begin + (end - begin) / 2;
    write_range(changes, begin, middle);
    write_range(changes, middle, end);
}

bool ApplyInOrder::constraints_hold() {
    broken_.reset();
    sql::Connection& connection = session_.connection;
    connection.exec("SAVEPOINT pgsluice_check");
    try {
        deferred_.check(session_);
    } catch (const SqlError& error) {
        if (!is_fault_of_change(error)) throw;
        broken_ = error;
        connection.exec("ROLLBACK TO SAVEPOINT pgsluice_check");
    }
    connection.exec("RELEASE SAVEPOINT pgsluice_check");
    return !broken_;
}

// The server does not say which change broke a deferred constraint, and within a transaction none need hold: a child
// may come before its parent. So all changes are left out, and let in again as long as the constraints hold: by
// halves, quarters and so on, and one by one as long as that helps.
void ApplyInOrder::set_aside(Changes changes) {
    for (std::size_t i = 0; i < changes.size(); ++i) aside_.emplace(i, *broken_);
    if (!attempt_again(changes)) throw SqlError(*broken_);  // pieces before this one are at fault
    std::size_t count = changes.size();
    for (bool any = true; count > 1 || any;) {
        count = (count + 1) / 2;
        any = readmit(changes, count);
    }
    if (!attempt_again(changes)) throw SqlError(*broken_);
}

// Tries that with so many at a time; whether any could be let in.
bool ApplyInOrder::readmit(Changes changes, std::size_t count) {
    bool any = false;
    const std::vector<std::pair<std::size_t, SqlError>> left_out(aside_.begin(), aside_.end());
    for (std::size_t at = 0; at < left_out.size(); at += count) {
        const auto tried = std::span(left_out).subspan(at, std::min(count, left_out.size() - at));
        for (const auto& [number, error] : tried) aside_.erase(number);
        if (attempt_again(changes)) {
            any = true;
            continue;
        }
        for (const auto& [number, error] : tried) aside_.emplace(number, *broken_);
    }
    return any;
}

void ApplyInOrder::park(const Change& change, const std::string& reason) {
    dead_letters_->park(change, reason, 0);
    PGSLUICE_FAILPOINT("postgres-parked");
    PostgresProgress::note_parked(session_.connection, progress_, change);
}

}  // namespace pgsluice
