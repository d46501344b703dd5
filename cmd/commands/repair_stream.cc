#include "cmd/commands/repair_stream.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "sql/error.h"
#include "stream/format/body_check.h"
#include "stream/format/markers.h"

namespace pgsluice {

namespace {

// What is around a message: the snapshot it is in, and the message before it.
class Context {
   public:
    // What is wrong with it here; empty when nothing is.
    [[nodiscard]] std::string fault_of(const GroupMessage& message) const {
        const MessageMeta& meta = message.headers.meta;
        const CopyHeader& copy = message.headers.copy;
        if (std::string fault = before_ ? fault_after(*before_, message.headers) : ""; !fault.empty()) return fault;
        if (!message.whole) return {};
        if (!message.fault.empty()) return message.fault;
        if (std::string fault = body_fault(meta, copy, message.body); !fault.empty()) return fault;
        if (!before_begin_ && meta.kind == MessageKind::copy && !belongs(copy))
            return "it holds rows of a snapshot that did not begin here";
        if (snapshot_ && meta.kind == MessageKind::changes) return "it holds changes in the middle of a snapshot";
        return {};
    }

    void pass(const GroupMessage& message) {
        const MessageMeta& meta = message.headers.meta;
        before_ = message.headers;
        if (!message.whole) return;
        if (meta.kind == MessageKind::snapshot_begin) {
            snapshot_ = decode_snapshot_begin(message.body);
            before_begin_ = false;
        }
        if (meta.kind == MessageKind::snapshot_end) snapshot_.reset();
    }

   private:
    [[nodiscard]] bool belongs(const CopyHeader& copy) const {
        return snapshot_ && copy.epoch == snapshot_->epoch && copy.table < snapshot_->tables.size();
    }

    std::optional<ParsedHeaders> before_;
    std::optional<SnapshotBegin> snapshot_;  // that is being read
    bool before_begin_ = true;               // the marker of the rows here may have been trimmed
};

struct Garbled {
    StreamSeq seq;
    std::string fault;
};

class Scan {
   public:
    Scan(Broker& broker, const Names& names) : broker_(broker), names_(names) {}

    void take(StreamSeq seq) {
        const auto message = broker_.group_message(names_.stream, seq);
        if (!message) return;  // removed
        if (!message->foreign.empty()) return removable(seq, message->foreign);
        std::string fault = context_.fault_of(*message);
        // Another program's message took the place of the one that it continues.
        if (any_own_ && message->follows > last_own_)
            fault = fmt::format("it continues message {}, which is not the replicator's", message->follows.value);
        if (!fault.empty()) {
            garbled_.push_back({seq, std::move(fault)});
            return;
        }
        for (const Garbled& each : std::exchange(garbled_, {})) {
            if (message->follows < each.seq)
                removable(each.seq, each.fault);
            else
                kept(each);
        }
        context_.pass(*message);
        any_own_ = true;
        last_own_ = seq;
    }

    std::vector<Foreign> finish() {
        for (const Garbled& each : garbled_) removable(each.seq, each.fault);
        if (any_own_) return std::move(found_);
        // Without them the stream would look like one that lost what it held.
        for (Foreign& each : found_) {
            each.remove = nullptr;
            each.what += "; it may be removed once the group's replicator has written to the stream";
        }
        return std::move(found_);
    }

   private:
    [[nodiscard]] std::string name(StreamSeq seq, const std::string& fault) const {
        return fmt::format("message {} of stream '{}': {}", seq.value, names_.stream, fault);
    }
    void removable(StreamSeq seq, const std::string& fault) {
        found_.push_back({name(seq, fault), [this_broker = &broker_, stream = names_.stream, seq] {
                              this_broker->erase_message(stream, seq);
                          }});
    }
    void kept(const Garbled& garbled) {
        found_.push_back({name(garbled.seq, garbled.fault) +
                              "; the replicator continued after it, so rows may be lost with it: remove the group with "
                              "pgsluice teardown, then start its replicator with --copy-and-stream and its workers "
                              "again",
                          nullptr});
    }

    Broker& broker_;
    const Names& names_;
    Context context_;
    bool any_own_ = false;
    StreamSeq last_own_;
    std::vector<Garbled> garbled_;  // after the last message of our own
    std::vector<Foreign> found_;
};

}  // namespace

std::vector<Foreign> foreign_messages(Broker& broker, const Names& names, const std::stop_token& stop) {
    const auto state = broker.stream_state(names.stream);
    if (!state || state->messages == 0) return {};
    Scan scan(broker, names);
    for (StreamSeq seq = state->first_seq; seq <= state->last_seq; ++seq.value) {
        if (stop.stop_requested()) throw Interrupted{};
        scan.take(seq);
    }
    return scan.finish();
}

}  // namespace pgsluice
