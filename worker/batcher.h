// Cuts the stream of decoded blocks into batches: skips what the sink has, applies the rules, keeps track of where the
// sink will be once a batch is applied. Pure: no time, no network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stream/batch.h"
#include "stream/format/block_reader.h"
#include "worker/plans.h"
#include "worker/share/filter.h"

namespace pgsluice {

struct BatchLimits {
    std::size_t changes = 1000;
    std::size_t bytes = 8 * 1024 * 1024;
};

// A batch grows until a transaction ends at or above a limit. Inside a transaction it is cut at four times the limits.
// Whole transactions never wait for the rest of a later one (next()): a full stream may have no room for that rest
// until they are applied.
class Batcher {
   public:
    // What is at or below `from.position` is skipped.
    Batcher(Ruleset& ruleset, Plans& plans, BatchLimits limits, const Checkpoint& from);

    // Called for each change of a row, with what the rules make of it; null: they drop it.
    void show(std::function<void(const Change& source, const Change* passed)> show) { show_ = std::move(show); }
    // Called for each change that the rules drop.
    void tell_dropped(std::function<void(const Relation&)> dropped) { dropped_ = std::move(dropped); }
    // Called for each change that the rules pass on otherwise than it came.
    void tell_rewritten(std::function<void(const Relation&)> rewritten) { rewritten_ = std::move(rewritten); }
    // Which DDL messages to pass on, by the change and its message's sequence; all, unless set.
    void pass_ddl_if(std::function<bool(const Change&, StreamSeq)> allowed) { ddl_allowed_ = std::move(allowed); }

    // Only this share of the rows is handed on.
    void take_share(ShareFilter& share) noexcept { share_ = &share; }

    // A batch holds only transactions first made in one database (Transaction::made_in), none of those made in `home`.
    void tell_origins_apart(std::string home) {
        by_origin_ = true;
        home_ = std::move(home);
    }
    // Whether any were left out for that.
    [[nodiscard]] bool left_out_own() const noexcept { return left_out_own_; }

    // Hands in the next message of kind changes; fill() must have used up the one before.
    void start(const Message& message, std::shared_ptr<const Block> block);
    // Reads on in the message. True: the batch is full and must be applied, then call again. False: the message is used
    // up; the batch may hold something (worth_applying) and more may be added to it.
    bool fill();
    // fill() does not take changes that committed at or above this LSN: it returns true and stopped() says why.
    void stop_before(std::optional<Lsn> lsn) noexcept { stop_before_ = lsn; }
    [[nodiscard]] bool stopped() const noexcept { return stopped_; }
    // Of the last change taken.
    [[nodiscard]] Position position() const noexcept { return position_; }
    // When that was committed, by the source's clock; 0 for a row of a snapshot.
    [[nodiscard]] std::int64_t commit_time_us() const noexcept { return commit_time_us_; }
    // The same of the oldest transaction that is not handed on, or not to its end; 0: there is none.
    [[nodiscard]] std::int64_t oldest_us() const noexcept { return oldest_us_; }
    // A message without changes (progress) moves the batch's end past itself.
    void pass(const Message& message);
    // The same for a message of a snapshot, which is not part of a batch: returns the checkpoint after it.
    Checkpoint pass_alone(const Message& message);

    // Whether applying the batch would move the sink: it has changes, ends a transaction, or passed something.
    [[nodiscard]] bool worth_applying() const noexcept { return moved_; }
    // What to apply now: the batch, or if it ends inside a transaction, its part up to the end of the last whole one.
    const Batch& next();
    // That was applied; what next() cut off is the batch now.
    void applied();
    // Whether the batch holds the end of a transaction.
    [[nodiscard]] bool has_complete() const noexcept { return has_complete_; }
    // Commit times of the transactions that end in what next() returned and have changes there.
    [[nodiscard]] const std::vector<std::int64_t>& committed() const noexcept { return committed_; }
    // The same of the heartbeats (stream/heartbeat.h).
    [[nodiscard]] const std::vector<std::int64_t>& heartbeats() const noexcept { return heartbeats_; }
    // Whether the changes read so far end inside a transaction.
    [[nodiscard]] bool in_transaction() const noexcept { return in_transaction_; }

   private:
    [[nodiscard]] bool must_stop() const;
    [[nodiscard]] bool origin_changes() const;
    [[nodiscard]] bool made_at_home(const Change& change) const;
    void take_commit(const Transaction& transaction);
    void take_change(const Change& source);
    void take_message(Change change);
    void add(Change change);
    void cut();
    void clear() noexcept;
    void restart_counts() noexcept;
    [[nodiscard]] bool full() const noexcept;
    [[nodiscard]] Checkpoint here() const noexcept;

    Ruleset& ruleset_;
    Plans& plans_;
    const BatchLimits limits_;
    ShareFilter* share_ = nullptr;  // null: all rows are
    std::function<bool(const Change&, StreamSeq)> ddl_allowed_;
    std::function<void(const Relation&)> dropped_;
    std::function<void(const Relation&)> rewritten_;
    std::function<void(const Change&, const Change*)> show_;
    Batch batch_;
    bool is_cut_ = false;
    std::vector<Change> rest_;  // cut off by next(); its views point into what the batch keeps
    Position position_;         // of the last change read
    std::int64_t commit_time_us_ = 0;
    std::int64_t oldest_us_ = 0;
    StreamSeq message_seq_;
    StreamSeq message_end_;  // the sequence after the message
    std::shared_ptr<const Block> block_;
    std::size_t next_item_ = 0;
    bool block_kept_ = false;
    std::optional<Lsn> stop_before_;
    bool stopped_ = false;
    bool by_origin_ = false;
    std::string home_;
    bool left_out_own_ = false;
    bool in_transaction_ = false;
    bool moved_ = false;
    bool ddl_ = false;             // the transaction that is read holds DDL
    bool ends_after_ddl_ = false;  // the batch ended one: what the target makes of it is used by later ones only
    bool has_complete_ = false;    // the batch holds the end of a transaction; the last one is here:
    std::size_t complete_changes_ = 0;
    Checkpoint complete_upto_;
    std::vector<std::int64_t> committed_;
    bool beats_ = false;  // the transaction that is read is a heartbeat
    std::vector<std::int64_t> heartbeats_;
    std::size_t bytes_ = 0;
    std::size_t changes_ = 0;
};

}  // namespace pgsluice
