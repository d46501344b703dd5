// Turns pgoutput messages into the blocks of the group's stream: resolves relations, counts ordinals, skips what the
// stream already holds. Knows no socket and no time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "replicator/pgoutput.h"
#include "replicator/resume_point.h"
#include "stream/block_writer.h"
#include "stream/change.h"
#include "stream/message.h"

namespace pgsluice {

// Fills in type_name, base_oid and element_oid of every column; called for each definition that pgoutput sends.
using CompleteColumns = std::function<void(Relation&)>;

// A finished block: what its message's headers and body are.
struct EncodedBlock {
    MessageMeta meta;
    std::string_view body;  // valid until the encoder's next call
};

class WalEncoder {
   public:
    WalEncoder(const ResumePoint& resume, CompleteColumns complete);

    // Takes one pgoutput message. Its bytes may die afterwards.
    void take(std::string_view message);

    // Bytes in the block so far; 0 when there is nothing to publish.
    [[nodiscard]] std::size_t size() const noexcept { return writer_.size(); }
    [[nodiscard]] bool in_transaction() const noexcept { return in_transaction_; }
    // The stream's position and confirmable once all that was taken is published. `confirmable` also grows by
    // transactions that left no trace.
    [[nodiscard]] const ResumePoint& reached() const noexcept { return reached_; }
    // Changes published so far, over all blocks.
    [[nodiscard]] std::uint64_t changes() const noexcept { return changes_; }
    // Closes the block. An open transaction is continued in the next one.
    EncodedBlock finish();

   private:
    void on(const pgoutput::Begin& begin);
    void on(const pgoutput::Commit& commit);
    void on(const pgoutput::Origin&) noexcept {}
    void on(const pgoutput::RelationMessage& relation);
    void on(const pgoutput::Type&) noexcept {}
    void on(const pgoutput::Insert& insert);
    void on(const pgoutput::Update& update);
    void on(const pgoutput::Delete& del);
    void on(const pgoutput::Truncate& truncate);
    void on(const pgoutput::LogicalMessage& message);

    // Counts the transaction's next change; false when the stream already holds it.
    bool next_ordinal();
    [[nodiscard]] const RelationPtr& relation(Oid oid, Row row) const;
    void write(Change& change);

    CompleteColumns complete_;
    pgoutput::Decoder decoder_;
    BlockWriter writer_;
    std::unordered_map<Oid, RelationPtr> relations_;
    std::vector<RelationPtr> replaced_;   // definitions that the block may still name by their address
    std::vector<RelationPtr> truncated_;  // reused
    ResumePoint resume_;
    ResumePoint reached_;
    Transaction transaction_;
    std::uint64_t ordinal_ = 0;
    std::uint64_t changes_ = 0;
    bool in_transaction_ = false;
    bool skipping_ = false;  // the whole transaction
};

}  // namespace pgsluice
