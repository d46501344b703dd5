// Applies a batch's changes in the target's open transaction, the quick way where it can and the safe way where not.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "sinks/dead_letters.h"
#include "sinks/postgres/apply/apply_in_order.h"
#include "sinks/postgres/apply/apply_set.h"
#include "sinks/postgres/apply/deferred_constraints.h"
#include "sinks/postgres/apply/rows.h"
#include "sinks/postgres/ddl.h"
#include "sinks/postgres/ddl/definition_ddl.h"
#include "sinks/postgres/progress.h"
#include "sinks/postgres/session.h"
#include "sinks/postgres/target_mappings.h"
#include "stream/batch.h"

namespace pgsluice {

class PostgresApplier {
   public:
    PostgresApplier(PostgresSession& session, PostgresProgress& progress, TargetMappings& mappings,
                    const PostgresSinkOptions& options, const Log& log, DeadLetters* dead_letters,
                    DdlDecisions* decisions, IndexBuilds& builds)
        : session_(session),
          progress_(progress),
          mappings_(mappings),
          options_(options),
          log_(log),
          sets_(session, progress, mappings, options),
          rows_(session, mappings, options, log),
          deferred_(log),
          builds_(builds),
          definitions_(session, options, decisions, builds, log),
          in_order_(session, progress, rows_, deferred_,
                    options.on_error == OnError::dead_letter ? dead_letters : nullptr) {}

    // Begins a transaction unless one is open, applies the changes (none of them DDL), and with `next` moves the
    // progress and commits.
    void apply(const std::vector<Change>& changes, const SinkState* next);
    // Runs a captured DDL command (stream/format/ddl_message.h) in the transaction, which is begun unless it is open. A
    // stop Error with the way out when it cannot be run.
    void apply_ddl(const Change& change);
    [[nodiscard]] bool open() const noexcept { return open_; }
    void roll_back();
    [[nodiscard]] const ConflictCounts& counts() const noexcept { return counts_; }

   private:
    void begin_ddl();
    void apply_definitions(const Change& change);
    void note_deferred(const std::vector<Change>& changes);
    // As sets; false: rolled back to where the changes began, with the reason.
    bool apply_sets(const std::vector<Change>& changes, const SinkState* next, std::string& reason);
    void begin();
    void commit(const SinkState& next);

    PostgresSession& session_;
    PostgresProgress& progress_;
    TargetMappings& mappings_;
    const PostgresSinkOptions& options_;
    const Log& log_;
    ApplySet sets_;
    PostgresRows rows_;
    DeferredConstraints deferred_;
    IndexBuilds& builds_;
    DefinitionDdl definitions_;
    bool any_ddl_ = false;  // applied by this session
    ApplyInOrder in_order_;
    ConflictCounts counts_;
    bool open_ = false;
};

}  // namespace pgsluice
