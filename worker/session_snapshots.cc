// What a session does with the messages of a snapshot.
#include <fmt/format.h>

#include <stdexcept>
#include <utility>

#include "rules/unmatched_tables.h"
#include "stream/base/failpoint.h"
#include "stream/format/markers.h"
#include "stream/origin.h"
#include "worker/session.h"

namespace pgsluice {

void Session::take_copy(const Message& message) {
    const Spell::During loading(metrics_.in_sink);
    tally_.copied(snapshot_.copy(message, batcher_.pass_alone(message)));
}

void Session::take_snapshot_begin(const Message& message) {
    apply_pending();
    const auto plan = decoded(message, decode_direct_plan);
    auto begin = decoded(message, decode_snapshot_begin);
    begin.added = message.meta.added;
    if (passes_over(begin, plan)) {
        batcher_.pass_alone(message);
        return;
    }
    if (!before_epoch_) before_epoch_ = state();
    begin_seq_ = message.first_seq;
    if (snapshot_.epoch() != begin.epoch) log_begin(begin);
    const Checkpoint after = batcher_.pass_alone(message);
    snapshot_.begin(std::move(begin), {begin_seq_, after.position});
    before_epoch_.reset();
    if (plan) load_directly();
}

bool Session::passes_over(const SnapshotBegin& begin, const std::optional<DirectPlan>& plan) {
    if (start_.direct != nullptr)
        return !start_.direct->begins(begin, plan, start_.source ? database_id(*start_.source) : "");
    if (plan) throw std::logic_error("a session that cannot load a direct snapshot meets one");
    return false;
}

// What was not loaded when this returns, because the session ends or another snapshot begins, is missing at the end
// marker.
void Session::load_directly() {
    const Spell::During loading(metrics_.in_sink);
    start_.direct->load(snapshot_.direct_tables(), [this](const std::vector<DirectRange>& committed) {
        for (const DirectRange& range : committed)
            if (!range.before) tally_.copied(snapshot_.loaded(range));
        report_if_due();
        return !stop_.stop_requested() && !(control_.asked_to_give_way && control_.asked_to_give_way());
    });
}

void Session::log_begin(const SnapshotBegin& begin) const {
    log_(LogLevel::info, fmt::format("snapshot begins: epoch {}, {} tables as of {}", begin.epoch, begin.tables.size(),
                                     to_string(begin.consistent_point)));
    for (const auto& warning : unmatched_tables(unchecked_tables_, begin.tables)) log_(LogLevel::warning, warning);
}

void Session::take_snapshot_end(const Message& message) {
    const auto end = decoded(message, decode_snapshot_end);
    const Checkpoint after = batcher_.pass_alone(message);
    if (start_.direct != nullptr && !start_.direct->ends(end)) return;
    snapshot_.end(end, after);
    applied_upto_ = after;
    begin_seq_ = {};
    if (end.epoch >= start_.awaited_epoch) snapshot_done_ = true;
    PGSLUICE_FAILPOINT("snapshot-end-applied");
    log_(LogLevel::info, fmt::format("snapshot complete: epoch {}, {} rows", end.epoch, snapshot_.rows()));
}

}  // namespace pgsluice
