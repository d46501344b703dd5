// Which dead letters a target still lacks: those whose row is in its table `pgsluice.parked`, written in the
// transaction that left their change out. A letter can be there without a row, when that transaction was rolled back
// after the letter was parked: the worker has then read the change again, and applied it or parked it in another
// letter. A replay removes the row in the transaction that applies the letter, so that no letter is applied twice, even
// if it is killed.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "sql/connection.h"
#include "stream/batch.h"
#include "worker/dead_letters/letter.h"

namespace pgsluice {

class OwedLetters {
   public:
    // A stop Error when the worker has never written there; nothing is made. One replay per worker at a time.
    OwedLetters(const sql::ConnectOptions& target, std::string group, std::string worker, std::stop_token stop);

    [[nodiscard]] bool holds(const DeadLetter& letter);
    // Adds the removal of the letter's row to the batch that applies it.
    void remove_with(Batch& batch, const DeadLetter& letter) const;

   private:
    sql::Connection connection_;
    std::string group_;
    std::string worker_;
    std::shared_ptr<const Relation> table_;
};

}  // namespace pgsluice
