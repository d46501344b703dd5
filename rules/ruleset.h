// The rules and routing files: what happens to a change between the stream and the sink.
//
// A Ruleset is what the files say; for each relation version it is compiled once into a TablePlan over column numbers.
// Whatever cannot be applied is refused when loading or compiling, or throws: a row is never let through.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sql/error.h"
#include "stream/arena.h"
#include "stream/change.h"
#include "stream/group/schema_history.h"
#include "stream/log.h"

namespace pgsluice {

struct RulesOptions {
    std::string rules_file;    // empty: none
    std::string routing_file;  // empty: none
};

class TablePlan {
   public:
    virtual ~TablePlan() = default;

    // The relation a sink sees: routed names, excluded columns gone.
    [[nodiscard]] virtual const RelationPtr& target() const = 0;
    // Whether apply() changes nothing but the relation (names, no rows, no values, same columns in the same order):
    // then COPY text may pass unparsed.
    [[nodiscard]] virtual bool passes_copy() const = 0;
    // Rewrites the change in place, values from the arena, relation to target(); may turn an update into an insert or
    // a delete (a filter entered or left). False: the change is dropped. A stop Error when a rule cannot be applied;
    // its text never holds a value.
    virtual bool apply(Change& change, Arena& arena) const = 0;
    // What check and the debug log print: one line per step.
    [[nodiscard]] virtual std::vector<std::string> describe() const = 0;
    // Warnings at start, such as deletes that a filter drops.
    [[nodiscard]] virtual const std::vector<std::string>& warnings() const = 0;
};

// Calls may come from several threads.
class Ruleset {
   public:
    // usage Error naming file, line, table and rule.
    static std::unique_ptr<Ruleset> load(const RulesOptions& options);
    virtual ~Ruleset() = default;

    // usage Error when a rule does not fit the relation (a column that does not exist, a type it cannot take).
    // Null when the table is routed away altogether. The same Relation object yields the same plan.
    [[nodiscard]] virtual std::shared_ptr<const TablePlan> compile(const RelationPtr& relation) const = 0;
    // The same for a relation that rows come with from `position` on, before the first of them. Also a stop Error when
    // the rules may be meant for other columns than those it has under their names, as far as the definitions that were
    // accepted before show. Call it whenever the rows' relation changes, in the order of the stream.
    [[nodiscard]] virtual std::shared_ptr<const TablePlan> accept(const RelationPtr& relation, Position position) = 0;
    // What earlier sessions accepted. `keep` (null: nothing of the table any more) must have kept what it is given when
    // it returns. Without this call, nothing but what this object has accepted itself is known.
    using Keep = std::function<void(Oid table, const TableHistory* seen)>;
    virtual void recall(std::map<Oid, TableHistory> seen, Keep keep) = 0;
    // Rows up to this one will not come again.
    virtual void applied(Position upto) = 0;
    // Tables named in the files ("users" or "shop.users"), for checking against the source.
    [[nodiscard]] virtual std::vector<std::string> tables() const = 0;
    // Applies a truncate of several tables: each is mapped to its target, those routed away or without TRUNCATE among
    // their operations are removed; false when none is left. Rules do not see a truncate: it leaves no row in the
    // source, so none in the target, whatever filters say. A stop Error when other tables are routed into the same
    // target, whose rows it would remove too. What `truncated` then points at lives as long as the Ruleset.
    virtual bool apply_truncate(Change& change, Arena& arena) = 0;
    // Applies a DDL message (stream/format/ddl_message.h): its tables are mapped to their targets, false when all of
    // them are routed away. Literals are taken out of its text where a table has rules, and `obstacle` says why a
    // target must not run it. A stop Error when it gives a table that has rules or a route a name that has none.
    virtual bool apply_ddl(Change& change, Arena& arena) const = 0;
    // Takes all tables that the source replicates, as they are now. Without them, a truncate of a table that is routed
    // to another name is refused unless the files say where the table of that name goes. Returns compile()'s errors for
    // the tables that the rules do not fit.
    virtual std::vector<Error> know(std::span<const RelationPtr> tables) = 0;
    // The same for tables that were replicated once: a target may hold rows of them.
    virtual void know_former(std::span<const RelationPtr> tables) = 0;
};

}  // namespace pgsluice
