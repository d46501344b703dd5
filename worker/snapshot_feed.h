// Hands a snapshot's messages to the sink: as COPY text where the sink takes it (unparsed unless a rule touches the
// table), as inserts where it does not.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sinks/loads_directly.h"
#include "sinks/sink.h"
#include "worker/plans.h"
#include "worker/share/filter.h"

namespace pgsluice {

class SnapshotFeed {
   public:
    // `hint` is for messages that cannot be the replicator's.
    SnapshotFeed(Sink& sink, Plans& plans, Delivered& delivered, std::string hint)
        : sink_(sink), plans_(plans), delivered_(delivered), hint_(std::move(hint)) {}

    // Only this share of the rows is handed on.
    void take_share(ShareFilter& share) noexcept { share_ = &share; }

    // A begin marker: compiles the rules for all its tables, then calls the sink's begin_snapshot(). For one that
    // repeats the current epoch it only calls the sink, which may rely on the later marker from then on.
    void begin(SnapshotBegin begin, const Checkpoint& upto);
    // The same for a snapshot that a restarted sink is still loading.
    void resume(SnapshotBegin begin, const Checkpoint& upto);
    // What the rules have made of a message's rows.
    struct Taken {
        const Relation* source = nullptr;
        const Relation* target = nullptr;  // null where the table is routed away
        std::uint64_t rows = 0;            // that the sink was given
        std::uint64_t rewritten = 0;       // of these
        std::uint64_t dropped = 0;
    };
    // A message of kind copy. `upto` is the checkpoint after it.
    Taken copy(const Message& message, const Checkpoint& upto);
    void end(const SnapshotEnd& end, const Checkpoint& upto);

    // Of a direct snapshot: its tables as the sink is to load them, and what it has committed of one.
    [[nodiscard]] std::vector<DirectTable> direct_tables() const;
    Taken loaded(const DirectRange& range);

    // An epoch has begun and not ended.
    [[nodiscard]] bool loading() const noexcept { return begin_.has_value(); }
    [[nodiscard]] std::uint64_t epoch() const noexcept { return begin_ ? begin_->epoch : 0; }
    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }

   private:
    struct Table {
        RelationPtr relation;
        const CompiledRules* rules = nullptr;  // null: routed away, or of other shares
    };
    void compile(SnapshotBegin begin, StreamSeq marker);
    void tell_sink(const Checkpoint& upto);
    [[nodiscard]] std::map<std::uint32_t, std::set<std::string>> others_in(
        const std::vector<RelationPtr>& targets) const;
    void pass_text(const Message& message, const Table& table);
    void prefix_text(const Message& message, const Table& table);
    void rewrite_text(const Message& message, const Table& table, Taken& taken);
    void hand_on(const Message& message, const Table& table, std::shared_ptr<std::string> text, std::uint64_t rows);
    void apply_rows(const Message& message, const Table& table, const Checkpoint& upto, Taken& taken);
    template <typename Use>
    void for_each_row(const Message& message, const Table& table, Arena& arena, Taken& taken, const Use& use);

    Sink& sink_;
    Plans& plans_;
    Delivered& delivered_;
    const std::string hint_;
    ShareFilter* share_ = nullptr;  // null: all rows are
    std::optional<SnapshotBegin> begin_;
    std::vector<Table> tables_;
    Batch batch_;
    std::uint64_t rows_ = 0;
};

}  // namespace pgsluice
