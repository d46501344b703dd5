// Writes the stream's batches into the target: whole transactions of rows, and DDL between the rows before and after
// it.
//
// Tables that are missing are made first (--target-sync-schema). Nothing of a transaction is kept while an operator has
// to decide about one of its commands.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <stop_token>
#include <vector>

#include "sinks/options.h"
#include "sinks/postgres/apply/apply.h"
#include "sinks/postgres/ddl/ddl_wait.h"
#include "sinks/postgres/ddl/index_builds.h"
#include "sinks/postgres/origins.h"
#include "sinks/postgres/progress.h"
#include "sinks/postgres/row_claims.h"
#include "sinks/postgres/schema/late_tables.h"
#include "sinks/postgres/sequences/sequence_keeper.h"
#include "sinks/postgres/session.h"
#include "sinks/postgres/snapshot/load.h"
#include "sinks/postgres/target_mappings.h"
#include "sinks/sink.h"

namespace pgsluice {

// What it needs of the sink. All must outlive it.
struct BatchWriterParts {
    const PostgresSinkOptions& options;
    const Log& log;
    PostgresSession& session;
    PostgresProgress& progress;
    TargetMappings& mappings;
    TargetOrigins& origins;
    SnapshotLoad& load;
    PostgresApplier& applier;
    IndexBuilds& builds;
    SequenceKeeper& sequences;
    RowClaims& claims;
    LateTables& late_tables;
    DdlDecisions* decisions;
    std::function<void()> committed;  // called after every commit that moved the progress
};

class BatchWriter {
   public:
    BatchWriter(BatchWriterParts parts, std::stop_token stop) : parts_(std::move(parts)), stop_(std::move(stop)) {}

    void while_waiting(std::function<void()> tell) { tell_ = std::move(tell); }

    // Commits what is whole of it; the rest stays open until the next batch. Errors as Sink::apply().
    void write(const Batch& batch);
    // The open transaction, if any, whose rest never comes or comes again.
    void roll_back();
    // Waits for the indexes that are being built, and for decisions about those that cannot be.
    void finish_builds();
    // Rolls back a transaction of which no more has come for long, or that holds up another session: a retry Error.
    void check_incomplete();

   private:
    void apply_rows(const Batch& batch);
    void apply_before(const std::vector<Change>& changes, std::size_t count);
    void apply_with_ddl(const Batch& batch, std::size_t first);
    void apply_ddl_transaction(const Batch& batch, std::size_t from);
    void finish_builds_before(const std::vector<Change>& changes);
    void await_decision(const UndecidedDdl& command);
    void apply_changes(const Batch& batch, const std::vector<Change>& changes);
    void create_missing(const std::vector<Change>& changes);
    void note_written(const std::vector<Change>& changes);
    bool holds_others_up();

    using Clock = std::chrono::steady_clock;

    BatchWriterParts parts_;
    std::stop_token stop_;
    std::function<void()> tell_ = [] {};
    Clock::time_point piece_at_;  // when the last piece of an incomplete transaction came
    Position piece_end_;          // its last change
    Clock::time_point next_polite_;
};

}  // namespace pgsluice
