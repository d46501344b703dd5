// The plans of the relations seen so far.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "sinks/postgres/table_plan.h"

namespace pgsluice {

class PostgresPlans {
   public:
    explicit PostgresPlans(sql::Connection& connection) : connection_(connection) {}

    // A relation's plan, kept under its address. Addresses are used again once a relation is gone, so the first use
    // after start_batch() compares what is behind them.
    const std::shared_ptr<PostgresPlan>& at(const Relation& relation);
    void start_batch() {
        checked_.clear();
        last_ = nullptr;
    }
    // The target's catalog may have changed.
    void forget() {
        plans_.clear();
        start_batch();
    }

   private:
    sql::Connection& connection_;
    std::unordered_map<const Relation*, std::shared_ptr<PostgresPlan>> plans_;
    std::unordered_set<const Relation*> checked_;
    const Relation* last_ = nullptr;
    const std::shared_ptr<PostgresPlan>* last_plan_ = nullptr;
};

}  // namespace pgsluice
