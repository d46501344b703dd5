// A plan as it runs: filters judge the source's row, transforms rewrite what passes, the projection leaves columns out.
//
// Rules run in the file's order: a filter after a transform of its column judges the transformed value.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "rules/rule.h"
#include "rules/ruleset.h"

namespace pgsluice::rules {

// What a filter says to a row.
enum class Verdict { fail, unknown, pass };

struct TransformStep {
    std::size_t column = 0;  // of the source
    std::size_t target = 0;  // of the target; of no meaning in FilterStep::before
    bool key = false;
    ValueType type = ValueType::other;
    std::shared_ptr<const Transform> transform;
    Place place;
};

struct FilterStep {
    std::size_t column = 0;
    Operator op = Operator::eq;
    ValueType type = ValueType::other;
    bool allow_empty_deletes = false;
    std::shared_ptr<const Predicate> predicate;  // null for is_null and not_null
    std::vector<TransformStep> before;           // earlier transforms of the column
    Place place;
};

// Which rules a change meets, by the source's operation. An update that becomes an insert (or a delete), or may
// become one in the sink (Change::upsert), passes the transforms of both operations: it must not show what either
// hides.
struct Stages {
    std::vector<FilterStep> insert_filters, update_filters, delete_filters;
    std::vector<TransformStep> insert, update, del, entered, left;
};

struct PlanParts {
    RelationPtr source;
    RelationPtr target;
    Operations operations = kAllOperations;  // that the route lets through
    Stages stages;
    std::vector<std::size_t> projection;  // the source's column of each target column; empty: all of them
    std::vector<std::string> description;
    std::vector<std::string> warnings;
};

class RunningPlan final : public TablePlan {
   public:
    explicit RunningPlan(PlanParts parts);

    [[nodiscard]] const RelationPtr& target() const override { return parts_.target; }
    [[nodiscard]] bool passes_copy() const override { return passes_copy_; }
    // Whether the route lets the operation through.
    [[nodiscard]] bool passes(Op op) const { return parts_.operations.has(op); }
    bool apply(Change& change, Arena& arena) const override;
    [[nodiscard]] std::vector<std::string> describe() const override { return parts_.description; }
    [[nodiscard]] const std::vector<std::string>& warnings() const override { return parts_.warnings; }

   private:
    // Whether the target had the row before the update.
    [[nodiscard]] Verdict was_there(const Change& change, Arena& arena) const;
    bool insert(Change& change, Arena& arena) const;
    bool update(Change& change, Arena& arena) const;
    bool enter(Change& change, Arena& arena) const;
    bool leave(Change& change, Arena& arena) const;
    bool del(Change& change, Arena& arena) const;

    PlanParts parts_;
    bool passes_copy_ = false;
    bool same_filters_ = false;  // for inserts and updates
    bool identity_ = false;      // no row is looked at at all
};

}  // namespace pgsluice::rules
