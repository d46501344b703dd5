// By which rules the rows of each table were delivered, for comparing with the rules of a later start.
//
// A table is noted before its first row is handed on, and again when a snapshot replaces its rows. Rules that it has by
// a table above it may be lost while rows come: what was hidden of it stays so until the operator says otherwise.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "rules/on_rules_change.h"
#include "rules/ruleset.h"
#include "stream/base/log.h"
#include "stream/group/delivered_rules.h"

namespace pgsluice {

// A table whose delivered rows are not as the rules now say, and in what.
struct ChangedTable {
    RelationPtr table;
    std::vector<std::string> differences;
    bool lost_entry = false;  // the files may have named a table above it, and not it
    std::string came_as{};    // the other table as which its rows came, and of which the files hide more
};

// "public.users (column 'email'), public.orders (the target)"; of many only the first ones.
std::string describe(const std::vector<ChangedTable>& changed);
// "the rules changed after rows were delivered: public.users (column 'email', the filter on 'age')"
std::string rules_changed(const std::vector<ChangedTable>& changed);
// The way out of tables that have lost their entry, with a blank at its end; empty when none has.
std::string entry_hint(const std::vector<ChangedTable>& changed);

inline constexpr const char* accept_hint =
    "To leave delivered rows as they are, start the worker once with --on-rules-change continue.";

class Delivered {
   public:
    using Notes = std::map<Oid, std::string>;
    // Must have kept what it is given when it returns.
    using Keep = std::function<void(const Notes&)>;

    // `notes` as earlier sessions kept them; empty where nothing was delivered. `way_out`: of an error, what accepts.
    Delivered(const Ruleset& ruleset, OnRulesChange on_change, const Notes& notes, Keep keep, const Log& log,
              std::string way_out = accept_hint);

    // Whether this build has noted tables from the group's first row on.
    [[nodiscard]] bool complete() const noexcept { return complete_; }
    // `reloads`: what an earlier worker of the name has come to (note_of_no_table).
    void begin_notes(std::uint64_t reloads);

    // Those of `tables` that were delivered under other rules. All of them count as compared from now on.
    std::vector<ChangedTable> changed(std::span<const RelationPtr> tables);
    // Their rows stay as they are: the rules as they are now are noted for them.
    void accept(std::span<const RelationPtr> tables);
    // Their rows stay until a snapshot later than `epoch` replaces them; until then, rows under other rules join them.
    void await_snapshot(const std::vector<ChangedTable>& changed, std::uint64_t epoch);

    // Rows of this relation are about to be handed on. A stop Error when the table was not compared before and its rows
    // were delivered under other rules; and when it now has another name, or other tables above it, or came as another
    // one before, and no longer what its rows were delivered under.
    void met(const RelationPtr& relation);
    // The sink has begun a snapshot of these tables, and thrown away what it had of them.
    void replaced(std::uint64_t epoch, std::span<const RelationPtr> tables);

   private:
    using Lineage = std::vector<QualifiedName>;

    void keep(const std::map<Oid, DeliveredRules>& tables);
    [[nodiscard]] DeliveredRules as_of_now(const RelationPtr& table) const;
    [[nodiscard]] std::vector<std::string> no_longer_hidden_of(const QualifiedName& name, const RelationPtr& relation,
                                                               const DeliveredRules& now) const;
    void compare_former(const RelationPtr& relation, const DeliveredRules& now);
    void compare_late(const RelationPtr& relation, const DeliveredRules& now);
    void compare_moved(const RelationPtr& relation, DeliveredRules now);
    void stop_or_accept(ChangedTable changed, DeliveredRules now);

    const Ruleset& ruleset_;
    const OnRulesChange on_change_;
    const Keep keep_;
    const Log& log_;
    const std::string way_out_;
    bool complete_ = false;
    std::map<Oid, DeliveredRules> noted_;
    std::map<Oid, Lineage> compared_;       // the table's name, and those of the tables above it
    std::map<Oid, DeliveredRules> agreed_;  // of tables that had changed when the session began, which was not stopped
    std::uint64_t awaited_after_ = 0;
};

}  // namespace pgsluice
