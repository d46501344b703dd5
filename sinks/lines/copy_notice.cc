#include "sinks/lines/copy_notice.h"

#include <algorithm>
#include <utility>

namespace pgsluice {

namespace {

std::vector<RelationPtr> united(std::vector<RelationPtr> tables, const std::vector<RelationPtr>& more) {
    for (const RelationPtr& table : more) {
        const bool there = std::ranges::any_of(tables, [&](const RelationPtr& other) {
            return other && other->schema == table->schema && other->table == table->table;
        });
        if (!there) tables.push_back(table);
    }
    return tables;
}

}  // namespace

std::vector<RelationPtr> replaced_tables(const SnapshotBegin& begin, const std::vector<RelationPtr>& tables) {
    std::vector<RelationPtr> replaced;
    for (const std::uint32_t i : begin.replaces)
        if (i < tables.size() && tables[i]) replaced.push_back(tables[i]);
    return replaced;
}

std::string CopyNotice::begin(std::string& out, LineEncoder& encoder, const SnapshotBegin& begin,
                              const std::vector<RelationPtr>& tables, const SinkState& state) {
    const std::vector<RelationPtr> before = std::exchange(copied_, tables);
    if (is_within(state, begin)) return {};
    if (begin.added) {
        const bool interrupted = state.loading_epoch != 0;
        const std::vector<RelationPtr> replaced = replaced_tables(begin, tables);
        if (!interrupted && replaced.empty()) return {};
        encoder.append_snapshot_begin(out, begin, interrupted ? united(before, replaced) : replaced);
        if (interrupted)
            return "the copy of newly added tables was interrupted: the rows of it that were " + sent_ + " are void";
        return "tables are copied again: the rows of them that were " + sent_ + " before are void";
    }
    if (state.loading_epoch == 0 && begin.epoch <= 1) return {};
    encoder.append_snapshot_begin(out, begin, tables);
    return "the copy starts over: rows " + sent_ + " by its earlier attempts are void";
}

}  // namespace pgsluice
