// Which dead letters a target has taken, in a table of its own there, `pgsluice.replayed`: a letter's row is written in
// the transaction that applies the letter, and goes once the letter is erased. A replay that died between the two finds
// the row and does not apply the letter again.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "cmd/dlq.h"
#include "sql/connection.h"
#include "stream/batch.h"

namespace pgsluice {

class ReplayedLetters {
   public:
    // Makes the table where it is missing; schema `pgsluice` must be there. One replay per worker at a time.
    ReplayedLetters(const sql::ConnectOptions& target, std::string group, std::string worker, std::stop_token stop);

    [[nodiscard]] bool holds(const DeadLetter& letter);
    // Adds the letter's row to the batch that applies it.
    void add_row(Batch& batch, const DeadLetter& letter) const;
    // The letter is erased.
    void forget(const DeadLetter& letter);

   private:
    [[nodiscard]] std::vector<std::string> row_of(const DeadLetter& letter) const;

    sql::Connection connection_;
    std::string group_;
    std::string worker_;
    std::shared_ptr<const Relation> table_;
};

}  // namespace pgsluice
