// Reads a `changes` body: JSON as described in FORMAT.md. Takes bytes, knows no socket.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "stream/change.h"

namespace pgsluice {

// A decoded block. Everything its changes point at lives in it (relations are shared with the reader's cache).
struct Block {
    struct Item {
        enum class Kind : std::uint8_t { change, commit } kind;
        std::uint32_t index;  // into `changes`, or into `transactions` for a commit
    };
    std::vector<Change> changes;
    std::vector<const Transaction*> transactions;
    std::vector<Item> items;             // in stream order
    std::vector<RelationPtr> relations;  // those the changes use
    // The memory all views point into; the reader fills it.
    struct Storage;
    std::shared_ptr<Storage> storage;
};

class BlockReader {
   public:
    // Throws a stop Error that says what is wrong when the body is not as described in FORMAT.md. `body` is copied.
    // The same definition of a relation in a later block yields the same Relation object, which lives as long as the
    // reader. The block's memory is reused once its last owner has released it, on any thread; a block may outlive the
    // reader.
    std::shared_ptr<const Block> read(std::string_view body);

    BlockReader();
    ~BlockReader();

   private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace pgsluice
