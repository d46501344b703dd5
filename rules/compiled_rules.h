// Rules as they run: filters judge the source's row, transforms rewrite what passes, the projection leaves columns out.
//
// Rules run in the file's order: a filter after a transform of its column judges the transformed value.
#pragma once

#include <string>
#include <vector>

#include "rules/rows/compiled_parts.h"
#include "rules/rule.h"
#include "stream/base/arena.h"

namespace pgsluice::rules {

// The rules and the route of one relation version.
class CompiledRules {
   public:
    explicit CompiledRules(CompiledParts parts);

    // The relation a sink sees: routed names, excluded columns gone.
    [[nodiscard]] const RelationPtr& target() const { return parts_.target; }
    // Whether apply() changes nothing but the relation (names, no rows, no values, same columns in the same order):
    // then COPY text may pass unparsed.
    [[nodiscard]] bool passes_copy() const { return passes_copy_; }
    // What each line of COPY text is to begin with, where that is all that apply() would do; empty where it is not.
    [[nodiscard]] const std::string& copy_prefix() const { return copy_prefix_; }
    // Whether the route lets the operation through.
    [[nodiscard]] bool passes(Op op) const { return parts_.operations.has(op); }
    // Whether it may leave rows out.
    [[nodiscard]] bool leaves_rows_out() const { return !parts_.stages.insert_filters.empty() || !passes(Op::insert); }
    // Whether a row's values, or whether it is there, depend on the operation it came by and not only on the row.
    [[nodiscard]] bool depends_on_operation() const { return depends_on_operation_; }
    // Whether it is always known if the target had a row before an update: Change::upsert never comes of apply().
    [[nodiscard]] bool knows_old_rows() const;
    // The columns of the target whose values expressions make.
    [[nodiscard]] const std::vector<ComputedStep>& computed() const { return parts_.computed; }
    // Whether a transform or an expression may write to this column of the target.
    [[nodiscard]] bool writes(std::size_t target_column) const;
    // Rewrites the change in place, values from the arena, relation to target(); may turn an update into an insert or
    // a delete (a filter entered or left). False: the change is dropped. A stop Error when a rule cannot be applied;
    // its text never holds a value.
    bool apply(Change& change, Arena& arena) const;
    // What check and the debug log print: one line per step.
    [[nodiscard]] const std::vector<std::string>& describe() const { return parts_.description; }
    // Warnings at start, such as deletes that a filter drops.
    [[nodiscard]] const std::vector<std::string>& warnings() const { return parts_.warnings; }

   private:
    // Whether the target had the row before the update.
    [[nodiscard]] Verdict was_there(const Change& change, Arena& arena) const;
    bool insert(Change& change, Arena& arena) const;
    bool update(Change& change, Arena& arena) const;
    bool enter(Change& change, Arena& arena) const;
    bool leave(Change& change, Arena& arena) const;
    bool del(Change& change, Arena& arena) const;

    CompiledParts parts_;
    bool passes_copy_ = false;
    std::string copy_prefix_;
    bool same_filters_ = false;  // for inserts and updates
    bool depends_on_operation_ = false;
    bool identity_ = false;  // no row is looked at at all
};

// Whether the rules that `source` has passed made something else of it: other values, columns left out, another
// operation. Not whether the relation's name is another.
bool rewrote(const Change& source, const Change& passed);

}  // namespace pgsluice::rules
