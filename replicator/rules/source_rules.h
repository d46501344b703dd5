// The rules that a replicator applies before it publishes (--rules-config): to the rows of snapshots and of the log, to
// the definitions of tables, and to captured DDL. What they hide is in no message and no key of the group.
//
// Everything fails closed: a definition is published, and rows of it, only after the rules were fitted to it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "replicator/options.h"
#include "rules/delivered.h"
#include "rules/rules_files.h"
#include "rules/ruleset.h"
#include "stream/base/log.h"
#include "stream/broker.h"
#include "stream/change.h"
#include "stream/column_reference.h"
#include "stream/group/delivered_rules.h"
#include "stream/group/schema_history.h"
#include "stream/position.h"

namespace pgsluice {

// Of one session. Calls come from its thread, but those of what it returns may come from any.
class SourceRules {
   public:
    // `options` must name rules. Everything given must outlive this object.
    SourceRules(const ReplicatorOptions& options, Broker& broker, const Log& log);
    SourceRules(const SourceRules&) = delete;
    SourceRules& operator=(const SourceRules&) = delete;

    // Whether the files fit the tables: a usage Error when not. Writes nothing.
    void check(const std::vector<Relation>& tables, const std::vector<ColumnReference>& references);
    // Once the group's bucket is there, and before anything is published. `upto`: what was published ends there, and
    // the session continues after it; nothing: it publishes everything again. A stop Error when rows were published
    // under other rules.
    // `references` are asked for again when rows come of tables and columns that were not there.
    void begin(const std::vector<Relation>& tables, const Ruleset::LookForKeys& references,
               const std::optional<Position>& upto);

    // A new slot, or a copy, of these tables begins: nothing that was published of them counts any more.
    void replaces(std::span<const RelationPtr> tables);
    void replace_all(const std::vector<Relation>& tables);
    // The rules of a definition that comes with rows from `position` on; never null. An Error when they do not fit.
    std::shared_ptr<const CompiledRules> accept(const RelationPtr& relation, Position position);
    // The definition as it is published; nothing while the rules do not fit it, for then no row of it is.
    [[nodiscard]] std::optional<Relation> shown(const Relation& relation) const;
    // A DDL message's content as it is published; nothing when nothing is left of it.
    [[nodiscard]] std::optional<std::string> ddl(std::string_view content) const;

   private:
    std::shared_ptr<const CompiledRules> require_publishable(std::shared_ptr<const CompiledRules> compiled) const;
    void check_unchanged(const std::vector<RelationPtr>& tables);

    const ReplicatorOptions& options_;
    Broker& broker_;
    const Log& log_;
    Ruleset ruleset_;
    SchemaHistory seen_;
    DeliveredRulesKeys keys_;
    std::optional<Delivered> published_;
};

// At a session's start, before anything is written: whether the group may continue with the rules that are given, or
// without. A stop Error when it was published with rules and none are given, or without and some are. `resuming`: what
// was published before stays. A usage Error where rules are given that a direct snapshot would pass by. Answers whether
// there are rules that end now: end_source_rules() is to be called.
bool check_source_rules(const ReplicatorOptions& options, Broker& broker, bool resuming, const Log& log);
// No rules are given: that is what the group says from now on.
void end_source_rules(Broker& broker, const Names& names);

}  // namespace pgsluice
