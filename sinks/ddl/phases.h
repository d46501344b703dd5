// Where in a message's commands each has its place.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sinks/ddl/derived_statement.h"

namespace pgsluice {

enum class DdlPhase : std::uint8_t {
    drop_dependents,   // statistics, indexes, foreign keys
    drop_constraints,  // the others
    detach,
    empty,  // tables whose rows come again
    drop_tables,
    schemas,
    extensions,
    types,
    sequences,
    functions,
    rename_tables,
    create_tables,
    drop_columns,
    rename_columns,
    add_columns,
    alter_columns,
    constraints,
    partitions,
    foreign_keys,
    indexes,
    attach_indexes,
    table_settings,
    code,  // views, triggers, policies
    owners,
    comments,
    drop_sequences,
    drop_types,
    drop_schemas,
    count,
};

class DdlPhases {
   public:
    // The obstacle of what is added from now on, unless it has one.
    void obstacle(std::string why) { obstacle_ = std::move(why); }
    // DefinitionChange::own_rows of what is added from now on.
    void own_rows(std::vector<std::string> rows) { own_rows_ = std::move(rows); }
    // What is added from now on is for an object that the target may have.
    void only_if_missing(bool so) { only_if_missing_ = so; }
    void add(DdlPhase phase, DerivedStatement statement) {
        statement.only_if_missing = only_if_missing_;
        if (only_if_missing_ && statement.creates) statement.condition = statement.absent;
        if (statement.obstacle.empty()) statement.obstacle = obstacle_;
        statement.own_rows = own_rows_;
        statements_.at(static_cast<std::size_t>(phase)).push_back(std::move(statement));
    }
    [[nodiscard]] std::vector<DerivedStatement> in_order() && {
        std::vector<DerivedStatement> all;
        for (auto& phase : statements_)
            for (DerivedStatement& statement : phase) all.push_back(std::move(statement));
        return all;
    }

   private:
    std::string obstacle_;
    std::vector<std::string> own_rows_;
    bool only_if_missing_ = false;
    std::array<std::vector<DerivedStatement>, static_cast<std::size_t>(DdlPhase::count)> statements_;
};

}  // namespace pgsluice
