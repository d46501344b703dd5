// Makes batches by hand, to drive a sink without a stream.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "stream/batch.h"

namespace pgsluice::test {

inline Value text(std::string_view value) { return Value(value); }
inline const Value null_value{};
inline const Value unchanged_value = Value::unchanged();

using Values = std::vector<Value>;

// "id integer*" is a key column.
RelationPtr make_relation(const std::string& schema, const std::string& table, const std::vector<std::string>& columns,
                          ReplicaIdentity identity = ReplicaIdentity::default_key);

// Changes of consecutive transactions. Positions and sequences go on by themselves.
class SinkFeed {
   public:
    SinkFeed& insert(const RelationPtr& relation, const Values& row);
    SinkFeed& update(const RelationPtr& relation, const Values& row);
    SinkFeed& update(const RelationPtr& relation, OldRow kind, const Values& old_row, const Values& row);
    SinkFeed& remove(const RelationPtr& relation, OldRow kind, const Values& old_row);
    SinkFeed& truncate(const std::vector<RelationPtr>& relations, bool restart_identity = false);

    SinkFeed& message(std::string_view prefix, std::string_view content);

    // What has been collected since the last one, as a batch that ends its transaction, or as a piece of it.
    Batch& complete() { return finish(true); }
    Batch& piece() { return finish(false); }

    // Ends the transaction and goes on with the next one in the same batch.
    void next_transaction() { in_transaction_ = false; }
    // Frees the batches handed out so far.
    void forget();

    // Goes on behind a checkpoint, as a worker does after a restart.
    void resume(const Checkpoint& checkpoint);

   private:
    Change& add(Op op, const RelationPtr& relation);
    Row copy(const Values& values);
    Batch& finish(bool whole);
    void start();

    std::vector<std::unique_ptr<Batch>> batches_;  // all live as long as the feed
    std::vector<std::unique_ptr<Transaction>> transactions_;
    std::vector<std::unique_ptr<std::vector<RelationPtr>>> truncated_;
    Batch* current_ = nullptr;
    bool in_transaction_ = false;
    std::uint64_t commit_ = 1000;
    std::uint64_t ordinal_ = 0;
    std::uint64_t seq_ = 10;
};

}  // namespace pgsluice::test
