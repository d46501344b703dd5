// The rules and routing files: what happens to a change between the stream and the sink.
//
// A Ruleset is what the files say; for each relation version it is compiled once into CompiledRules over column
// numbers. Whatever cannot be applied is refused when loading or compiling, or throws: a row is never let through.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "rules/compiled_rules.h"
#include "rules/keys/inherited_rules.h"
#include "rules/keys/known_keys.h"
#include "rules/named_columns.h"
#include "rules/rule.h"
#include "rules/rule_compiler.h"
#include "rules/table_memory.h"
#include "sql/error.h"
#include "stream/base/arena.h"
#include "stream/change.h"
#include "stream/group/delivered_rules.h"
#include "stream/group/schema_history.h"

namespace pgsluice {

using rules::CompiledRules;

struct RulesOptions {
    std::string rules_file;    // empty: none
    std::string routing_file;  // empty: none
};

// Calls may come from several threads.
class Ruleset {
   public:
    // usage Error naming file, line, table and rule.
    static std::unique_ptr<Ruleset> load(const RulesOptions& options);
    Ruleset(rules::RulesFile file, std::vector<rules::Route> routes);

    // usage Error when a rule does not fit the relation (a column that does not exist, a type it cannot take).
    // Null when the table is routed away altogether. The same Relation object yields the same result.
    [[nodiscard]] std::shared_ptr<const CompiledRules> compile(const RelationPtr& relation) const;
    // The same for a relation that rows come with from `position` on, before the first of them. Also a stop Error when
    // the rules may be meant for other columns than those it has under their names, as far as the definitions that were
    // accepted before show. Call it whenever the rows' relation changes, in the order of the stream.
    [[nodiscard]] std::shared_ptr<const CompiledRules> accept(const RelationPtr& relation, Position position);
    // What the rules mean for the relation's rows, for comparing with another start's rules.
    [[nodiscard]] DeliveredRules meaning(const RelationPtr& relation) const;
    // The same, had the rows come under that name. Columns that the files name of that table, and it has not, are
    // added.
    [[nodiscard]] DeliveredRules meaning_as(const RelationPtr& relation, const QualifiedName& name) const;
    // Where the routes alone send its rows; nothing where they are not replicated.
    [[nodiscard]] std::optional<QualifiedName> routed_to(const Relation& relation) const;
    // Whether the files name tables, and neither this one nor one above it.
    [[nodiscard]] bool passes_by(const RelationPtr& relation) const;
    // What earlier sessions accepted. `keep` (null: nothing of the table any more) must have kept what it is given when
    // it returns. Without this call, nothing but what this object has accepted itself is known.
    using Keep = rules::TableMemory::Keep;
    void recall(std::map<Oid, TableHistory> seen, Keep keep);
    // Rows up to this one will not come again.
    void applied(Position upto);
    // The source's foreign keys, by which rules are inherited; before anything is compiled. `look` reads them again,
    // where a table or a column is met that is not among these.
    using LookForKeys = rules::KnownKeys::Look;
    void refer(rules::ForeignKeys keys, LookForKeys look = {});
    // What they make of the rules.
    [[nodiscard]] std::vector<rules::ReferringColumn> referring_columns() const;
    [[nodiscard]] bool hides_something() const { return rules::hides_something(given_); }
    // Whether the foreign keys matter to it.
    [[nodiscard]] bool goes_by_keys() const { return hides_something() || rules::samples_rows(given_); }
    // Tables named in the files ("users" or "shop.users"), for checking against the source.
    [[nodiscard]] std::vector<std::string> tables() const;
    // Applies a truncate of several tables: each is mapped to its target, those routed away or without TRUNCATE among
    // their operations are removed; false when none is left. Rules do not see a truncate: it leaves no row in the
    // source, so none in the target, whatever filters say. A stop Error when other tables are routed into the same
    // target, whose rows it would remove too. What `truncated` then points at lives as long as the Ruleset.
    bool apply_truncate(Change& change, Arena& arena);
    // Applies a DDL message (stream/format/ddl_message.h): its tables are mapped to their targets, false when all of
    // them are routed away. Literals are taken out of its text where a table has rules, and `obstacle` says why a
    // target must not run it. A stop Error when it gives a table that has rules or a route a name that has none.
    bool apply_ddl(Change& change, Arena& arena) const;
    // Takes all tables that the source replicates, as they are now. Without them, a truncate of a table that is routed
    // to another name is refused unless the files say where the table of that name goes. Returns compile()'s errors for
    // the tables that the rules do not fit.
    std::vector<Error> know(std::span<const RelationPtr> tables);
    // The same for tables that were replicated once: a target may hold rows of them.
    void know_former(std::span<const RelationPtr> tables);
    // The tables beside these that are known to fill the target ("shop.users").
    [[nodiscard]] std::set<std::string> others_in(const Relation& target, std::span<const RelationPtr> tables) const;

   private:
    struct Compiled {
        RelationPtr relation;  // held, so that its address is not reused
        std::shared_ptr<const CompiledRules> rules;
    };
    struct Truncate {
        std::vector<RelationPtr> sources;  // held, as above
        std::vector<RelationPtr> targets;
    };

    bool apply_definitions(Change& change, Arena& arena) const;
    void inherit();
    void meet_keys(const RelationPtr& relation);
    [[nodiscard]] std::shared_ptr<const rules::InheritedRules> in_force() const;
    [[nodiscard]] std::shared_ptr<const rules::InheritedRules> in_force_with(rules::ForeignKeys told) const;
    [[nodiscard]] const rules::RulesFile& file() const { return inherited_->file(); }
    [[nodiscard]] rules::CompilerInput input(const RelationPtr& relation) const;
    [[nodiscard]] const rules::TableRules* with_listed_columns(const rules::CompilerInput& input) const;
    [[nodiscard]] std::shared_ptr<const CompiledRules> compile_locked(const RelationPtr& relation) const;
    [[nodiscard]] std::shared_ptr<const CompiledRules> compile_fitted(const rules::CompilerInput& wanted) const;
    template <typename Use>
    auto with_fitted(rules::CompilerInput wanted, Use use) const;
    void refuse(const Relation& relation);
    void know_source(const RelationPtr& relation) const;
    void note_source(const Relation& source, const Relation& target) const;
    void remember_ancestors(const Relation& relation) const;
    [[nodiscard]] std::optional<std::vector<QualifiedName>> ancestors_of(const QualifiedName& table) const;
    [[nodiscard]] Truncate map_truncate(std::span<const RelationPtr> truncated) const;
    void check_shared(const Relation& target, std::span<const RelationPtr> truncated) const;
    [[nodiscard]] std::set<std::string> sources_of(const Relation& target) const;

    const rules::RulesFile given_;
    const std::vector<rules::Route> routes_;
    mutable std::mutex mutex_;  // for what follows, up to truncates_mutex_
    rules::KnownKeys keys_;
    std::shared_ptr<const rules::InheritedRules> inherited_;
    struct Listed {
        RelationPtr relation;  // held, as above
        std::unique_ptr<const rules::TableRules> rules;
    };

    mutable std::unordered_map<const Relation*, Compiled> compiled_;
    mutable std::unordered_map<const Relation*, Listed> listed_;  // of tables whose route lists columns
    rules::TableMemory memory_;
    // Tables by the target that they are routed to, and the constants that tell their rows apart there.
    mutable std::map<std::pair<std::string, std::vector<std::string>>, std::set<std::string>> sources_;
    mutable std::map<std::string, std::vector<QualifiedName>> ancestors_;  // of the tables met
    bool knows_all_ = false;
    std::mutex truncates_mutex_;
    std::map<std::vector<const Relation*>, Truncate> truncates_;
};

}  // namespace pgsluice
