#include "replicator/retention.h"

#include <algorithm>

namespace pgsluice {

namespace {

// Above three quarters of its limit the stream gives up what is kept only for workers that may still join.
bool needs_space(const StreamState& stream) {
    return stream.max_bytes > 0 && stream.bytes >= static_cast<std::uint64_t>(stream.max_bytes) / 4 * 3;
}

}  // namespace

std::optional<StreamSeq> Retention::trim_before(const StreamState& stream, const std::vector<WorkerEntry>& workers,
                                                Time now, bool refused) {
    const StreamSeq end{stream.last_seq.value + 1};
    // A few samples over the time are enough: what is kept a little too long does no harm.
    if (samples_.empty() || now - samples_.back().taken >= retain_ / 64) samples_.push_back({now, end});
    const bool scarce = refused || needs_space(stream);
    auto keep = keep_from(workers, scarce ? end : young_from(now));
    if (keep && !scarce && keep->value > 0) --keep->value;
    if (!keep || *keep <= stream.first_seq) return std::nullopt;
    return keep;
}

// The newest sample that is old enough; older ones are of no more use.
StreamSeq Retention::young_from(Time now) {
    while (samples_.size() > 1 && now - samples_[1].taken >= retain_) samples_.pop_front();
    const Sample& oldest = samples_.front();
    return now - oldest.taken >= retain_ ? oldest.end : StreamSeq{0};
}

}  // namespace pgsluice
