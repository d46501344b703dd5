// When the target's sequences are set: ahead of the rows while the sink runs, exactly at its end, however that comes.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sinks/options.h"
#include "sinks/postgres/progress.h"
#include "sinks/postgres/sequences/sequences.h"
#include "sinks/postgres/session.h"
#include "stream/base/log.h"

namespace pgsluice {

class SequenceKeeper {
   public:
    SequenceKeeper(const PostgresSinkOptions& options, const Log& log) : options_(options), log_(log) {}
    SequenceKeeper(const SequenceKeeper&) = delete;
    SequenceKeeper& operator=(const SequenceKeeper&) = delete;
    // Levels what level() has not, over a connection of its own and within a few seconds; what does not succeed is a
    // warning. To be destroyed after the sink's connection, whose transaction may hold locks.
    ~SequenceKeeper();

    // Begins by levelling what an earlier run left. Both must live until close() or the last call.
    void open(PostgresSession& session, PostgresProgress& progress);
    // Rows are being written to these tables (quoted and qualified): their sequences are kept, by a later run if not by
    // this one. In the open transaction if there is one; when that is rolled back, forget_noted().
    // `ahead`: those of them whose sequences are kept ahead meanwhile.
    void note_written(const std::vector<std::string>& tables, const std::vector<std::string>& ahead = {});
    void forget_noted() { noted_.clear(); }
    // Outside a transaction. At once for tables written for the first time, else about once a minute.
    void keep_ahead_if_due();
    void level();

   private:
    // Takes the tables whose sequences are to be set now out of `written_`.
    std::set<std::string> take_due();
    void level_apart();

    const PostgresSinkOptions& options_;
    const Log& log_;
    PostgresProgress* progress_ = nullptr;
    std::optional<PostgresSequences> sequences_;
    std::set<std::string> noted_;    // tables that the target remembers
    std::set<std::string> written_;  // since sequences were kept ahead
    std::set<std::string> ahead_;    // kept ahead since they were level
    std::set<std::string> unlevel_;  // since they were level
    std::chrono::steady_clock::time_point next_{};
};

}  // namespace pgsluice
