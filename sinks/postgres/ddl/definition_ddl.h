// Derived commands (sinks/ddl) on a target: one after the other in the stream's transaction, each with the rights of
// its table's owner, as the policy and the operator's decisions have it.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "sinks/ddl/ddl_decisions.h"
#include "sinks/ddl/derive.h"
#include "sinks/options.h"
#include "sinks/postgres/ddl/index_builds.h"
#include "sinks/postgres/ddl/unchecked_keys.h"
#include "sinks/postgres/kept_rows.h"
#include "sinks/postgres/rights/emptying.h"
#include "sinks/postgres/session.h"
#include "stream/base/log.h"
#include "stream/change.h"

namespace pgsluice {

class DefinitionDdl {
   public:
    // `decisions` may be null: then nothing is ever decided.
    DefinitionDdl(PostgresSession& session, const PostgresSinkOptions& options, DdlDecisions* decisions,
                  IndexBuilds& builds, const Log& log)
        : session_(session),
          options_(options),
          decisions_(decisions),
          builds_(builds),
          log_(log),
          keys_(session, options, log),
          kept_(session, options) {}

    // Applies a message of definitions in the open transaction. `contained`: a schema that was copied later may have
    // what it makes. An UndecidedDdl before a command that the policy stops at, which destroys what only the target
    // has, or which cannot be derived; a stop Error at one that fails, and at those without decisions.
    void apply(const Change& change, bool contained);

   private:
    struct Step;

    void apply(const Step& step);
    void apply_noted(const std::vector<DerivedStatement>& before, bool contained);
    [[nodiscard]] bool is_wanted(const Step& step);
    [[nodiscard]] bool is_left_out(const Step& step);
    [[nodiscard]] std::string loss(const DerivedStatement& statement);
    [[nodiscard]] std::string loss_of_column(const DerivedStatement& statement);
    void run_in_savepoint(const Step& step);
    void run(const DerivedStatement& statement);
    void give(const DerivedStatement::Given& given);
    // Where it failed because of rows that come again.
    [[nodiscard]] bool run_emptied(const Step& step, const SqlError& error);
    // Where it failed because rows that a foreign key refers to are still to come.
    [[nodiscard]] bool run_unchecked(const Step& step, const SqlError& error);
    void empty(const QualifiedName& name, const std::string& condition);
    [[noreturn]] void refuse(const Step& step, const SqlError& error);
    [[nodiscard]] bool is_excused(const Step& step, const SqlError& error);
    [[nodiscard]] bool has_kept_rows(const Step& step) const;
    [[nodiscard]] bool is_left_out_too(const Step& step);
    void keep_rows(const DerivedStatement& recopy);
    void fill_contained(const DerivedStatement& statement);
    [[nodiscard]] std::optional<EmptiedTable> table_of(const QualifiedName& name);
    [[nodiscard]] std::optional<std::string> owner(const DerivedStatement& statement);
    [[nodiscard]] bool may_pass(const Step& step, const std::string& reason, const std::string& hint);
    // The operator's; says so where it is to leave the command out.
    [[nodiscard]] std::optional<DdlDecision> decision(const Step& step);
    [[nodiscard]] PendingDdl pending(const Step& step, const std::string& reason) const;
    [[noreturn]] void stop(const Step& step, const std::string& reason, const std::string& hint);
    [[noreturn]] void wait(const Step& step, const std::string& reason, const std::string& hint);

    PostgresSession& session_;
    const PostgresSinkOptions& options_;
    DdlDecisions* decisions_;
    IndexBuilds& builds_;
    const Log& log_;
    UncheckedKeys keys_;
    KeptRows kept_;
    std::set<std::string> kept_here_;  // the message's tables that are not emptied, quoted and qualified
    std::set<std::string> there_;      // objects of the message that did not change, and that the target has
};

}  // namespace pgsluice
