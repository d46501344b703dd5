#include "worker/batcher.h"

#include <utility>

#include "stream/format/ddl_message.h"
#include "stream/heartbeat.h"
#include "worker/row_bytes.h"

namespace pgsluice {

namespace {

// A piece of a transaction makes nothing visible, so it may be larger: fewer round trips.
constexpr std::size_t pieces_factor = 4;

std::size_t change_bytes(const Change& change) {
    return row_bytes(change.new_row) + row_bytes(change.old_row) + change.content.size();
}

}  // namespace

Batcher::Batcher(Ruleset& ruleset, Plans& plans, BatchLimits limits, const Checkpoint& from)
    : ruleset_(ruleset),
      plans_(plans),
      limits_(limits),
      position_(from.position),
      message_seq_(from.resume_seq),
      message_end_(from.resume_seq) {}

void Batcher::start(const Message& message, std::shared_ptr<const Block> block) {
    message_seq_ = message.first_seq;
    message_end_ = StreamSeq{message.last_seq.value + 1};
    block_ = std::move(block);
    next_item_ = 0;
    block_kept_ = false;
}

bool Batcher::fill() {
    batch_.complete = !in_transaction_;
    stopped_ = false;
    while (next_item_ < block_->items.size()) {
        if (must_stop()) {
            batch_.upto = here();
            block_kept_ = false;
            stopped_ = true;
            return true;
        }
        if (origin_changes()) {
            block_kept_ = false;  // the next batch must keep it too
            return true;
        }
        const auto& item = block_->items[next_item_++];
        if (item.kind == Block::Item::Kind::commit)
            take_commit(*block_->transactions[item.index]);
        else
            take_change(block_->changes[item.index]);
        batch_.upto = here();
        if (full()) {
            block_kept_ = false;  // the next batch must keep it too
            return true;
        }
    }
    batch_.upto = here();
    moved_ = true;
    return false;
}

// Transactions come in the order of their commits, so that between two of them is the place.
bool Batcher::must_stop() const {
    const auto& item = block_->items[next_item_];
    if (!stop_before_ || item.kind == Block::Item::Kind::commit) return false;
    const Position next = block_->changes[item.index].position;
    return next > position_ && next.commit >= *stop_before_;
}

// The batch ends between transactions then, for all of one have the same.
bool Batcher::origin_changes() const {
    const auto& item = block_->items[next_item_];
    if (!by_origin_ || batch_.changes.empty() || item.kind == Block::Item::Kind::commit) return false;
    const Change& next = block_->changes[item.index];
    return next.transaction != nullptr && next.position > position_ && !made_at_home(next) &&
           next.transaction->made_in != batch_.made_in;
}

bool Batcher::made_at_home(const Change& change) const {
    return !home_.empty() && change.transaction != nullptr && change.transaction->made_in == home_;
}

void Batcher::take_commit(const Transaction& transaction) {
    if (batch_.changes.size() > complete_changes_) committed_.push_back(transaction.commit_time_us);
    if (std::exchange(beats_, false)) heartbeats_.push_back(transaction.commit_time_us);
    batch_.complete = true;
    batch_.commit_time_us = transaction.commit_time_us;
    in_transaction_ = false;
    has_complete_ = true;
    moved_ = true;
    ends_after_ddl_ = std::exchange(ddl_, false);
    complete_changes_ = batch_.changes.size();
    complete_upto_ = here();
}

void Batcher::take_change(const Change& source) {
    if (source.position <= position_) return;
    position_ = source.position;
    moved_ = true;
    if (source.transaction != nullptr) {
        in_transaction_ = true;
        commit_time_us_ = source.transaction->commit_time_us;
        if (oldest_us_ == 0) oldest_us_ = commit_time_us_;
        batch_.complete = false;
    }
    if (made_at_home(source)) {
        left_out_own_ = true;
        return;
    }
    Change change = source;
    if (change.op == Op::message) return take_message(change);
    if (change.op == Op::truncate) {
        if (share_ != nullptr && !share_->take_truncate(change, message_seq_)) return;
        if (ruleset_.apply_truncate(change, batch_.arena)) add(change);
        return;
    }
    using Half = ShareFilter::Half;
    const Half half = share_ == nullptr ? Half::whole : share_->half_of(source, block_->relations, message_seq_);
    if (half == Half::none) return;
    const CompiledRules* rules = plans_.find(change.relation, block_->relations, change.position);
    const bool passes = rules != nullptr && rules->apply(change, batch_.arena) && ShareFilter::narrow(change, half);
    if (show_) show_(source, passes ? &change : nullptr);
    const std::function<void(const Relation&)>& tell = passes ? rewritten_ : dropped_;
    if (tell && (!passes || rules::rewrote(source, change))) tell(*source.relation);
    if (passes) add(change);
}

void Batcher::take_message(Change change) {
    if (change.prefix == heartbeat_prefix) beats_ = change.transaction != nullptr;
    if (change.prefix != ddl_message_prefix || (ddl_allowed_ && !ddl_allowed_(change, message_seq_))) return;
    if (share_ != nullptr && !share_->takes_message(message_seq_, change.position)) return;
    if (!ruleset_.apply_ddl(change, batch_.arena)) return;
    add(change);
    ddl_ = change.transaction != nullptr;
}

void Batcher::add(Change change) {
    if (!block_kept_) {
        batch_.keep.push_back(block_);
        block_kept_ = true;
    }
    bytes_ += change_bytes(change);
    ++changes_;
    if (by_origin_ && change.transaction != nullptr) batch_.made_in = change.transaction->made_in;
    batch_.changes.push_back(change);
}

void Batcher::pass(const Message& message) {
    message_seq_ = message.first_seq;
    message_end_ = StreamSeq{message.last_seq.value + 1};
    block_.reset();
    next_item_ = 0;
    // A new snapshot may be of an earlier point than what came before it, when the source was set back.
    const bool restarts = message.meta.kind == MessageKind::snapshot_begin;
    if (restarts && share_ != nullptr) share_->begin_snapshot(message.first_seq);
    if (restarts) in_transaction_ = ddl_ = beats_ = false;
    if (!in_transaction_ && (restarts || message.meta.position > position_)) position_ = message.meta.position;
    batch_.upto = here();
    batch_.complete = !in_transaction_;
    moved_ = true;
}

Checkpoint Batcher::pass_alone(const Message& message) {
    pass(message);
    clear();
    return here();
}

const Batch& Batcher::next() {
    if (!batch_.complete && has_complete_) cut();
    return batch_;
}

void Batcher::cut() {
    const auto end = batch_.changes.begin() + static_cast<std::ptrdiff_t>(complete_changes_);
    rest_.assign(end, batch_.changes.end());
    batch_.changes.erase(end, batch_.changes.end());
    batch_.upto = complete_upto_;
    batch_.complete = true;
    is_cut_ = true;
}

void Batcher::applied() {
    if (!is_cut_) return clear();
    is_cut_ = false;
    restart_counts();
    batch_.changes.swap(rest_);
    batch_.upto = here();
    batch_.complete = false;
    batch_.commit_time_us = 0;
    for (const Change& change : batch_.changes) bytes_ += change_bytes(change);
    changes_ = batch_.changes.size();
    moved_ = true;
}

void Batcher::clear() noexcept {
    batch_.clear();
    restart_counts();
}

void Batcher::restart_counts() noexcept {
    oldest_us_ = in_transaction_ ? commit_time_us_ : 0;
    moved_ = false;
    has_complete_ = false;
    complete_changes_ = 0;
    committed_.clear();
    heartbeats_.clear();
    bytes_ = 0;
    changes_ = 0;
    ends_after_ddl_ = false;
}

bool Batcher::full() const noexcept {
    if (ends_after_ddl_) return true;
    const std::size_t factor = in_transaction_ ? pieces_factor : 1;
    return changes_ >= factor * limits_.changes || bytes_ >= factor * limits_.bytes;
}

Checkpoint Batcher::here() const noexcept {
    const bool more = block_ && next_item_ < block_->items.size();
    return {more ? message_seq_ : message_end_, position_};
}

}  // namespace pgsluice
