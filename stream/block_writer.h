// Writes a `changes` body: a JSON block, grammar in FORMAT.md. Each block reads alone: it repeats the relations it uses
// and the begin of a transaction it continues. Nothing is allocated per change once the buffer has grown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>

#include "stream/change.h"

namespace pgsluice {

class BlockWriter {
   public:
    // Starts or continues a transaction; needs xid, commit_lsn and commit_time_us. Written when its first change is, so
    // an empty transaction leaves no trace. `continued`: a block of an earlier session already holds changes of it, so
    // its commit is written even when no change of this session comes before it.
    void begin(const Transaction& transaction, bool continued = false);
    // A change of the transaction begun, or a non-transactional message. The relation's definition goes before its
    // first use in the block.
    void change(const Change& change);
    // Ends the transaction begun (end_lsn). Writes nothing when no block holds a change of it.
    void commit(Lsn end_lsn);

    // Bytes so far; 0 when nothing is in the block.
    [[nodiscard]] std::size_t size() const noexcept;
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    // Closes the block and returns it. The view is valid until the next call of any other function, which starts a new
    // block; an open transaction is then continued.
    std::string_view finish();

   private:
    std::string buffer_;
    std::unordered_set<const Relation*> defined_;
    Transaction transaction_;
    bool in_transaction_ = false;     // between begin() and commit()
    bool begin_written_ = false;      // in this block
    bool transaction_has_changes_ = false;  // in any block
};

}  // namespace pgsluice
