#include "sinks/lines/copy_notice.h"

#include <utility>

namespace pgsluice {

std::string CopyNotice::begin(std::string& out, LineEncoder& encoder, const SnapshotBegin& begin,
                              const std::vector<RelationPtr>& tables, const SinkState& state) {
    const std::vector<RelationPtr> before = std::exchange(copied_, tables);
    if (is_within(state, begin)) return {};
    if (begin.added) {
        if (state.loading_epoch == 0) return {};
        encoder.append_snapshot_begin(out, begin, before);
        return "the copy of newly added tables was interrupted: the rows of it that were " + sent_ + " are void";
    }
    if (state.loading_epoch == 0 && begin.epoch <= 1) return {};
    encoder.append_snapshot_begin(out, begin, tables);
    return "the copy starts over: rows " + sent_ + " by its earlier attempts are void";
}

}  // namespace pgsluice
