// Writes a rules file that hides what is found in some tables, and keeps what nothing is found in.
//
// The file is strict, so that a column that comes later stops a worker. It holds no value of a row.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "rules/personal/examined.h"
#include "rules/personal/trial.h"
#include "stream/change.h"

namespace pgsluice::rules {

// The values of a table's sampled rows, by column.
struct SampledTable {
    RelationPtr relation;
    std::vector<ColumnFacts> facts;
    std::vector<std::vector<Value>> values;
};

class Suggestion {
   public:
    // `sample`: of at most how many rows of each table; for the file's own words.
    explicit Suggestion(std::size_t sample) : sample_(sample) {}

    // What is in its columns. Other tables' columns that it refers to may say more (share_findings).
    static ExaminedTable examine(const SampledTable& table);
    void add(const ExaminedTable& table);
    void add(const SampledTable& table) { add(examine(table)); }
    // Rows of this table cannot be looked at: no rule names it, so that a worker stops.
    void leave_out(const Relation& table, const std::string& why);
    [[nodiscard]] std::string text() const;
    [[nodiscard]] std::size_t hidden() const { return hidden_; }
    [[nodiscard]] std::size_t kept() const { return kept_; }
    // Columns ("public.users.ssn") that something was found in, and that no rule can hide. Until you decide, no
    // rule names them, so that a worker stops.
    [[nodiscard]] const std::vector<std::string>& undecided() const { return undecided_; }

   private:
    bool hide(const ExaminedTable& table, std::size_t column, const Finding& finding);
    // What is not kept as it is. False when it is.
    bool write(const ExaminedTable& table, std::size_t column);

    std::size_t sample_;
    Trial trial_;
    std::string left_out_;
    std::string tables_;
    std::size_t hidden_ = 0;
    std::size_t kept_ = 0;
    std::vector<std::string> undecided_;
};

}  // namespace pgsluice::rules
