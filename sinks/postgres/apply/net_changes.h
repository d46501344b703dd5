// Folds the changes of one table to what they come to per key. Pure: knows no connection.
//
// A row is recognised by the text of its key. That is exact although other texts may be equal to the target's index
// ('1.0' and '1.00'): the source always names the text that is stored, and no two such rows exist at once. Applied as
// all deletes, then all updates, then all inserts, the result is that of the changes in source order, or a unique
// constraint fails on the way and nothing is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "stream/base/arena.h"
#include "stream/change.h"

namespace pgsluice {

class NetChanges {
   public:
    struct Update {
        Row row;
        bool partial = false;  // holds unchanged values
    };

    // False when the changes are not provably the same as their net effect: a key changes, or a row comes or goes that
    // should not be able to. The results are valid until the next call, and as long as the changes live.
    bool fold(std::span<const int> key, std::span<const Change* const> changes);

    [[nodiscard]] const std::vector<Row>& deletes() const noexcept { return deletes_; }  // only the key is meaningful
    [[nodiscard]] const std::vector<Update>& updates() const noexcept { return updates_; }  // of rows whose key stays
    [[nodiscard]] const std::vector<Row>& inserts() const noexcept { return inserts_; }
    // The first of the deletes, this many, are of rows these changes inserted themselves: normally none is there.
    [[nodiscard]] std::size_t passing_deletes() const noexcept { return passing_deletes_; }

   private:
    enum class State : std::uint8_t { inserted, updated, deleted, replaced, passed };
    struct Entry {
        std::size_t hash;
        Row key_row;
        Row row;
        State state;
        bool partial;
    };

    Entry* find(Row key_row, std::size_t hash);
    Entry& add(Row key_row, std::size_t hash, State state);
    [[nodiscard]] std::size_t hash_of(Row row) const noexcept;
    [[nodiscard]] bool same_key(Row a, Row b) const noexcept;
    bool insert(const Change& change);
    bool update(const Change& change);
    bool remove(const Change& change);
    Row resolved(const Change& change, bool& partial);
    void merge(Entry& entry, Row row, bool partial);
    void collect();

    std::span<const int> key_;
    std::vector<std::uint32_t> slots_;  // index into entries_ + 1, open addressing
    std::vector<Entry> entries_;
    std::vector<Row> deletes_;
    std::vector<Update> updates_;
    std::vector<Row> inserts_;
    std::size_t passing_deletes_ = 0;
    Arena arena_;
};

}  // namespace pgsluice
