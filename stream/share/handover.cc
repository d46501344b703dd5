#include "stream/share/handover.h"

#include <algorithm>

namespace pgsluice {

namespace {

// A snapshot that was being loaded counts for nothing: it is loaded again from its begin marker.
Checkpoint continues_at(const OldShare& old) {
    if (old.loading_epoch == 0) return old.durable;
    return {std::min(old.begin_seq, old.durable.resume_seq), old.durable.position};
}

}  // namespace

bool DeliveredPart::covers(const RowHash& row) const {
    return std::ranges::all_of(of, [&](const Share& share) { return share.has(row); });
}

Handover hand_over(const Share& next, const std::vector<OldShare>& old) {
    Handover out;
    const std::uint32_t count = old.empty() ? 1 : old.front().share.count;
    const ShareBy by = old.empty() ? ShareBy::key : old.front().share.by;
    const OldShare* first = nullptr;
    bool missing = false;
    for (std::uint32_t number = 1; number <= count; ++number) {
        const Share share{number, count, by};
        if (!overlap(next, share)) continue;
        const auto found = std::ranges::find(old, share, &OldShare::share);
        if (found == old.end()) {
            missing = true;
            continue;
        }
        out.before.push_back(found->worker);
        const Checkpoint at = continues_at(*found);
        if (first == nullptr || at < continues_at(*first)) first = &*found;
        out.parts.push_back({{share}, at.resume_seq, found->loading_epoch == 0 ? at.position : Position{}});
        for (DeliveredPart part : found->parts) {
            part.of.push_back(share);
            out.parts.push_back(std::move(part));
        }
    }
    if (!missing && first != nullptr) {
        out.start = continues_at(*first);
        out.loading_epoch = first->loading_epoch;
        out.begin_seq = first->loading_epoch == 0 ? StreamSeq{} : first->begin_seq;
    }
    const auto adds_nothing = [&](const DeliveredPart& part) {
        return Checkpoint{part.from, part.position} <= out.start || part.from.value == 0;
    };
    std::erase_if(out.parts, adds_nothing);
    return out;
}

}  // namespace pgsluice
