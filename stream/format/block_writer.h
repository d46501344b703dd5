// Writes a `changes` body: a JSON block, grammar in FORMAT.md. Each block reads alone: it repeats the relations it uses
// and the begin of a transaction it continues. Nothing is allocated per change once the buffer has grown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "stream/change.h"
#include "stream/format/json_writer.h"

namespace pgsluice {

class BlockWriter {
   public:
    // Starts or continues a transaction; needs xid, commit_lsn, commit_time_us and made_in, which must live until its
    // end. Written with the first change, so an empty transaction writes nothing. `continued`: a block of an earlier
    // session already holds changes of it, so its commit is written even if this session adds no change.
    void begin(const Transaction& transaction, bool continued = false);
    // A change of the open transaction, or a non-transactional message. The relation's definition is written before its
    // first use in the block. Relations are told apart by address: each must live until finish() is called.
    void change(const Change& change);
    // Ends the open transaction (end_lsn). Writes nothing when no block holds a change of it.
    void commit(Lsn end_lsn);

    // Bytes so far; 0 when nothing is in the block.
    [[nodiscard]] std::size_t size() const noexcept { return finished_ ? 0 : text_.size(); }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    // Closes the block and returns it. The view is valid until the next call of any other function, which starts a new
    // block; an open transaction is then continued.
    std::string_view finish();

   private:
    void start_record(std::string_view kind);
    void write_begin();
    void write_row_change(const Change& change);
    void write_truncate(const Change& change);
    void write_message(const Change& change);
    void write_row(Row row);
    void write_old_row(const Change& change);
    // The relation's number in this block; defines it when it has none.
    std::uint32_t number_of(const Relation& relation);

    JsonText text_;
    bool finished_ = false;
    std::unordered_map<const Relation*, std::uint32_t> numbers_;  // in this block
    const Relation* last_relation_ = nullptr;
    std::uint32_t last_number_ = 0;
    Transaction transaction_;
    bool in_transaction_ = false;           // between begin() and commit()
    bool begin_written_ = false;            // in this block
    bool transaction_has_changes_ = false;  // in any block
};

}  // namespace pgsluice
