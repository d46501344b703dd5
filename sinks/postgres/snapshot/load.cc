#include "sinks/postgres/snapshot/load.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "sql/timestamp.h"
#include "stream/base/failpoint.h"
#include "stream/table_pattern.h"

namespace pgsluice {

namespace {

// Tables whose rows here are void.
std::vector<RelationPtr> replaced(const SnapshotBegin& begin, const std::vector<RelationPtr>& targets) {
    std::vector<RelationPtr> tables;
    for (const std::uint32_t i : begin.replaces)
        if (targets.at(i)) tables.push_back(targets.at(i));
    return tables;
}

}  // namespace

void SnapshotLoad::open() {
    if (!running()) return;
    already_loaded_ = parts_.progress.loaded();
    kept_ = kept_rows_.tables();
}

bool SnapshotLoad::continues(const SnapshotBegin& begin, const std::vector<RelationPtr>& tables, StreamSeq seq) {
    tables_ = tables;
    time_us_ = begin.time_us != 0 ? begin.time_us : sql::postgres_time_us();
    if (!is_within(parts_.progress.state(), begin) || starts_over_) return false;
    note_begin(seq);
    return true;
}

void SnapshotLoad::note_begin(StreamSeq marker) {
    SinkState next = parts_.progress.state();
    if (marker <= next.begin_seq) return;
    next.begin_seq = marker;
    parts_.session.connection.exec("BEGIN");
    parts_.progress.move(next);
    parts_.session.connection.exec("COMMIT");
    parts_.progress.moved(next);
}

SnapshotTargets SnapshotLoad::look_at_targets(const SnapshotBegin& begin) {
    kept_ = starts_over_ ? std::set<Oid>{} : kept_rows_.tables();
    return {starts_over_ ? ExistingRows::truncate : parts_.options.existing_rows,
            tables_,
            replaced(begin, tables_),
            shared_,
            kept_,
            versions_};
}

bool SnapshotLoad::empty_ahead(const SnapshotBegin& begin) {
    return pgsluice::empty_ahead(parts_.session, parts_.progress, look_at_targets(begin));
}

void SnapshotLoad::begin(const SnapshotBegin& begin, const Checkpoint& upto) {
    loader_.reset();
    const SnapshotTargets targets = look_at_targets(begin);
    starts_over_ = false;
    std::vector<const Relation*> filled;
    for (const RelationPtr& table : tables_)
        if (table) filled.push_back(&*table);
    parts_.claims.claim(filled);
    prepare_snapshot(parts_.session, parts_.progress, parts_.mappings, targets,
                     SinkState{upto, begin.epoch, upto.resume_seq});
    already_loaded_.clear();
    last_block_ = {upto.resume_seq.value - 1};  // the marker, perhaps in parts, is needed until a block has passed
    if (targets.existing == ExistingRows::keep) warn_of_kept(begin);
    if (!kept_.empty()) tell_of_kept();
}

void SnapshotLoad::tell_of_kept() {
    for (const RelationPtr& table : tables_) {
        if (!table) continue;
        const auto mapping = parts_.mappings.at(*table);
        if (!is_written_over(*mapping, false, kept_)) continue;
        parts_.log(
            LogLevel::warning,
            fmt::format("the copy of '{0}.{1}' overwrites rows of the same key, because the recopy was left out: "
                        "rows that were deleted on the source since then stay (`pgsluice compare --tables {2} "
                        "--repair` removes them)",
                        table->schema, table->table, shell_argument({table->schema, table->table})));
    }
}

void SnapshotLoad::warn_of_kept(const SnapshotBegin& begin) const {
    for (const std::uint32_t i : begin.replaces) {
        const auto others = shared_.find(i);
        if (others == shared_.end() || !tables_.at(i)) continue;
        parts_.log(LogLevel::warning,
                   fmt::format("rows of '{}.{}' that the source no longer has stay in '{}.{}', which {} fills as well",
                               begin.tables[i].schema, begin.tables[i].table, tables_[i]->schema, tables_[i]->table,
                               fmt::join(others->second, ", ")));
    }
}

CopyLoader& SnapshotLoad::loader() {
    if (!loader_)
        loader_ = std::make_unique<CopyLoader>(parts_.options, parts_.origins, parts_.progress,
                                               parts_.progress.state().loading_epoch, kept_, stop_, parts_.dead_letters,
                                               tell_);
    return *loader_;
}

bool SnapshotLoad::open_source(const SnapshotBegin& begin, const DirectPlan& plan, const std::string& source) {
    direct_.emplace(Direct{plan, {}, std::nullopt});
    if (is_within(parts_.progress.state(), begin) && !starts_over_) {
        for (const auto& [number, range] : parts_.progress.loaded_ranges())
            direct_->loaded[number - LoadedRange::first_number] = range;
        if (direct_->loaded.erase(LoadedRange::all - LoadedRange::first_number) != 0) return true;
    }
    direct_->readers = open_source_readers(parts_.options, plan, source, tell_, stop_);
    if (!direct_->readers) direct_.reset();
    return direct_.has_value();
}

std::vector<DirectTarget> SnapshotLoad::direct_targets(const std::vector<DirectTable>& tables) {
    std::vector<DirectTarget> targets;
    for (const DirectTable& table : tables)
        targets.push_back({table, table.target ? parts_.mappings.at(*table.target) : nullptr});
    return targets;
}

std::vector<DirectRange> SnapshotLoad::loaded_before(const DirectPlan& plan) const {
    std::vector<DirectRange> before;
    const auto ranges = ranges_of(plan);
    for (const auto& [number, range] : direct_->loaded) {
        const PageRange& place = ranges.at(number);
        before.push_back({place.table, place.pages, range.rows, range.bytes, 0, 0, true});
    }
    return before;
}

bool SnapshotLoad::load_directly(const std::vector<DirectTable>& tables,
                                 const std::function<bool(const std::vector<DirectRange>&)>& tell) {
    if (!running() || !direct_) throw std::logic_error("a direct snapshot is to be loaded that was not begun");
    if (!tell(loaded_before(direct_->plan))) return false;
    if (direct_->readers) {
        std::set<std::uint64_t> loaded;
        for (const auto& [number, range] : direct_->loaded) loaded.insert(number);
        const std::stop_callback link(stop_, [stop = direct_->readers->stop]() mutable { stop.request_stop(); });
        DirectLoad load({parts_.options, parts_.origins, parts_.progress, parts_.progress.state().loading_epoch, kept_},
                        direct_->plan, direct_targets(tables), loaded, std::move(*direct_->readers));
        direct_->readers.reset();
        while (!load.complete())
            if (!tell(load.take_committed())) return false;
        note_all_loaded();
    }
    direct_.reset();
    return true;
}

// With synchronous_commit off, a commit that is waited for brings all before it to disk, too.
void SnapshotLoad::note_all_loaded() {
    sql::Connection& connection = parts_.session.connection;
    connection.exec("BEGIN; SET LOCAL synchronous_commit = on");
    PostgresProgress::fence(connection, parts_.progress);
    PostgresProgress::record_loaded(connection, parts_.progress, parts_.progress.state().loading_epoch,
                                    {LoadedRange::all, 0, 0});
    connection.exec("COMMIT");
    PGSLUICE_FAILPOINT("direct-all-loaded");
}

void SnapshotLoad::add(const CopyBlock& block) {
    if (!running()) throw std::logic_error("a block came outside a snapshot");
    passed(block.last_seq);
    if (already_loaded_.contains(block.first_seq.value)) return;
    loader().add(block, parts_.mappings.at(*block.relation));
}

void SnapshotLoad::await_loaded() {
    if (loader_) loader_->await_loaded();
}

void SnapshotLoad::check() {
    if (loader_) loader_->check();
}

bool SnapshotLoad::move_on() {
    // Without a loader all blocks that came had been loaded before a restart.
    const auto outstanding = loader_ ? loader_->first_outstanding() : std::nullopt;
    const StreamSeq next = outstanding.value_or(StreamSeq{last_block_.value + 1});
    SinkState state = parts_.progress.state();
    if (next <= state.checkpoint.resume_seq) return false;
    state.checkpoint.resume_seq = next;
    parts_.session.connection.exec("BEGIN");
    parts_.progress.forget_loaded(next);
    parts_.progress.move(state);
    parts_.session.connection.exec("COMMIT");
    parts_.progress.moved(state);
    return true;
}

void SnapshotLoad::close_loader() {
    await_loaded();
    loader_.reset();
}

void SnapshotLoad::end(const Checkpoint& upto, const std::function<void()>& within) {
    finish_snapshot(parts_.session, parts_.progress, kept_rows_, tables_, SinkState{upto, 0, {}}, [&] {
        within();
        versions_.merge(tables_, shared_, time_us_);
    });
    already_loaded_.clear();
}

}  // namespace pgsluice
