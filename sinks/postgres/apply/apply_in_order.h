// Applies changes one by one in source order, and finds those that the target refuses: on the spot, or because a
// deferred constraint does not hold at the end of their transaction. With dead letters they are parked and the rest is
// applied; without, the error names the first of them.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sinks/dead_letters.h"
#include "sinks/postgres/apply/deferred_constraints.h"
#include "sinks/postgres/apply/rows.h"
#include "sinks/postgres/progress.h"
#include "sinks/postgres/session.h"

namespace pgsluice {

class ApplyInOrder {
   public:
    // `dead_letters` is null where the first refusal is an error.
    ApplyInOrder(PostgresSession& session, const PostgresProgress& progress, PostgresRows& rows,
                 const DeferredConstraints& deferred, DeadLetters* dead_letters)
        : session_(session), progress_(progress), rows_(rows), deferred_(deferred), dead_letters_(dead_letters) {}

    // In the open transaction. `complete`: the last change ends its source transaction, so that deferred constraints
    // must hold after it.
    void apply(const std::vector<Change>& changes, bool complete, ConflictCounts& counts);

   private:
    using Changes = std::span<const Change>;

    bool apply_at_once(Changes changes, bool complete, ConflictCounts& counts);
    void apply_transaction(Changes changes, bool complete, ConflictCounts& counts);
    // Writes the changes but for those set aside; whether the deferred constraints, if they are to be checked, hold
    // then.
    bool attempt(Changes changes, bool checks);
    // The same from the transaction's beginning, whatever was attempted before.
    bool attempt_again(Changes changes);
    void write_range(Changes changes, std::size_t begin, std::size_t end);
    bool constraints_hold();
    void set_aside(Changes changes);
    bool readmit(Changes changes, std::size_t count);
    void park(const Change& change, const std::string& reason);

    PostgresSession& session_;
    const PostgresProgress& progress_;
    PostgresRows& rows_;
    const DeferredConstraints& deferred_;
    DeadLetters* dead_letters_;

    // Of the source transaction in hand: changes by number, with the reason.
    std::map<std::size_t, SqlError> aside_;  // left out, because of a deferred constraint
    std::map<std::size_t, Error> refused_;   // what the last attempt could not write
    ConflictCounts before_;
    ConflictCounts counts_;
    std::optional<SqlError> broken_;  // what constraints_hold() found
};

}  // namespace pgsluice
