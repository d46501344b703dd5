// Keeps the sequences of the target's columns level with its rows, so that a target that takes over can take writes.
//
// Replication does not move sequences: a serial or identity column would start again at 1. The rows themselves say how
// far a sequence must be, and an index on the column makes that a cheap question.
//
// While a worker runs, sequences are kept ahead of the rows, since a target may have to take over without warning. What
// they would be without that is kept in pgsluice.sequences before they are set, so that whoever comes next (this worker
// at its end, its next run, `pgsluice sequences`) sets them exactly, whatever died.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sinks/postgres/rights/table_guard.h"
#include "sinks/postgres/sequences/sequence_position.h"
#include "sql/connection.h"
#include "stream/base/log.h"

namespace pgsluice {

class PostgresSequences {
   public:
    using Deadline = std::chrono::steady_clock::time_point;

    // What was set.
    struct Moved {
        std::string sequence;  // quoted and qualified
        std::int64_t from = 0;
        std::int64_t to = 0;

        [[nodiscard]] std::string text() const;  // "sequence public.users_id_seq: 1, now 700"
    };

    PostgresSequences(sql::Connection& connection, TableGuard& guard, std::string group, std::string worker,
                      const Log& log)
        : connection_(connection), guard_(guard), group_(std::move(group)), worker_(std::move(worker)), log_(log) {}

    // The sequences of these tables' columns (tables quoted and qualified), also those that a partition has from its
    // parents and those that a default uses without owning them, are set to the column's outermost value where they lag
    // it, and where they are ahead of it because of keep_ahead(); never further back than values given out. Outside a
    // transaction. What is not done by the deadline is left out; `complete` tells.
    std::vector<Moved> level(const std::set<std::string>& tables, Deadline deadline = Deadline::max(),
                             bool* complete = nullptr);
    // The same with headroom: what the source may give out until the next call.
    void keep_ahead(const std::set<std::string>& tables);

   private:
    struct Owned {
        std::string sequence;  // quoted and qualified
        WrittenTable table;    // that was written
        std::string column;    // quoted
        bool ascending;
        std::int64_t type_min;  // what the column's type can hold
        std::int64_t type_max;
    };
    std::vector<Owned> owned_by(const std::set<std::string>& tables);
    SequenceState state_of(const Owned& owned);
    std::optional<std::int64_t> outermost_of(const Owned& owned);
    // Sets it unless it was used meanwhile.
    bool set(const Owned& owned, const SequenceState& state, std::int64_t value);
    void note(const Owned& owned, const SequencePosition& position);
    bool move(const Owned& owned, std::uint64_t headroom, Moved& moved);
    bool try_move(const Owned& owned, std::uint64_t headroom, Moved& moved);

    sql::Connection& connection_;
    TableGuard& guard_;
    std::string group_;
    std::string worker_;
    const Log& log_;
    std::set<std::string> refused_;  // sequences we could not set; said once
};

}  // namespace pgsluice
