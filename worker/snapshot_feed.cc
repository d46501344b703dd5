#include "worker/snapshot_feed.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "rules/ruled_lines.h"
#include "sql/error.h"
#include "stream/format/copy_text.h"

namespace pgsluice {

namespace {

class RuledRows : public RewritesLines {
   public:
    RuledRows(const Relation& relation, const CompiledRules& rules) : lines_(relation, &rules) {}
    std::string_view of(std::string_view line) override { return lines_.of(line); }
    [[nodiscard]] bool rewrote() const override { return lines_.rewrote(); }

   private:
    rules::RuledLines lines_;
};

}  // namespace

void SnapshotFeed::begin(SnapshotBegin begin, const Checkpoint& upto) {
    const bool repeated = begin_ && begin_->epoch == begin.epoch && begin_->consistent_point == begin.consistent_point;
    if (!repeated) compile(std::move(begin), upto.resume_seq);
    tell_sink(upto);
    if (repeated) return;
    std::vector<RelationPtr> sources;
    for (const Table& table : tables_)
        if (share_ == nullptr || share_->takes_table(table.relation, upto.resume_seq))
            sources.push_back(table.relation);
    delivered_.replaced(begin_->epoch, sources);
}

void SnapshotFeed::resume(SnapshotBegin begin, const Checkpoint& upto) {
    compile(std::move(begin), upto.resume_seq);
    tell_sink(upto);
}

void SnapshotFeed::tell_sink(const Checkpoint& upto) {
    std::vector<RelationPtr> targets;
    for (const Table& table : tables_) targets.push_back(table.rules == nullptr ? nullptr : table.rules->target());
    sink_.shares_targets(begin_->added ? others_in(targets) : std::map<std::uint32_t, std::set<std::string>>{});
    sink_.begin_snapshot(*begin_, targets, upto);
}

std::map<std::uint32_t, std::set<std::string>> SnapshotFeed::others_in(const std::vector<RelationPtr>& targets) const {
    std::vector<RelationPtr> copied;
    for (const Table& table : tables_) copied.push_back(table.relation);
    std::map<std::uint32_t, std::set<std::string>> all;
    for (std::uint32_t i = 0; i < targets.size(); ++i) {
        if (!targets[i]) continue;
        auto others = plans_.others_in(*targets[i], copied);
        if (!others.empty()) all.emplace(i, std::move(others));
    }
    return all;
}

void SnapshotFeed::compile(SnapshotBegin begin, StreamSeq marker) {
    tables_.clear();
    rows_ = 0;
    for (const Relation& relation : begin.tables) {
        Table table{std::make_shared<const Relation>(relation), nullptr};
        if (share_ == nullptr || share_->takes_table(table.relation, marker))
            table.rules = plans_.find(table.relation, {begin.consistent_point, 0});
        tables_.push_back(std::move(table));
    }
    begin_ = std::move(begin);
}

SnapshotFeed::Taken SnapshotFeed::copy(const Message& message, const Checkpoint& upto) {
    const CopyHeader& header = message.copy;
    if (!begin_ || header.epoch != begin_->epoch || header.table >= tables_.size())
        throw stop_error(
            fmt::format("unable to read message {} of the stream: it holds rows of epoch {}, table number {}, which no "
                        "begin marker announced",
                        message.first_seq.value, header.epoch, header.table),
            hint_);
    const Table& table = tables_[header.table];
    rows_ += header.rows;
    Taken taken{table.relation.get(), nullptr, 0, 0, header.rows};
    if (table.rules == nullptr) return taken;
    taken.target = table.rules->target().get();
    taken.dropped = 0;
    if (!sink_.takes_copy()) {
        apply_rows(message, table, upto, taken);
    } else if (table.rules->passes_copy()) {
        pass_text(message, table);
        taken.rows = header.rows;
    } else if (!table.rules->copy_prefix().empty()) {
        prefix_text(message, table);
        taken.rows = header.rows;
    } else {
        rewrite_text(message, table, taken);
    }
    return taken;
}

void SnapshotFeed::end(const SnapshotEnd& end, const Checkpoint& upto) {
    if (!begin_ || end.epoch != begin_->epoch)
        throw stop_error(fmt::format("unable to end the snapshot of epoch {}: its begin marker is missing", end.epoch),
                         hint_);
    sink_.end_snapshot(end, upto);
    begin_.reset();
}

std::vector<DirectTable> SnapshotFeed::direct_tables() const {
    std::vector<DirectTable> tables;
    for (const Table& table : tables_) {
        DirectTable& direct = tables.emplace_back();
        for (const Column& column : table.relation->columns) direct.columns.push_back(column.name);
        if (table.rules == nullptr) continue;
        direct.target = table.rules->target();
        if (table.rules->passes_copy()) continue;
        direct.rules = [relation = table.relation, rules = table.rules] {
            return std::make_unique<RuledRows>(*relation, *rules);
        };
    }
    return tables;
}

SnapshotFeed::Taken SnapshotFeed::loaded(const DirectRange& range) {
    const Table& table = tables_.at(range.table);
    rows_ += range.rows;
    return {table.relation.get(), table.rules->target().get(), range.rows - range.dropped, range.rewritten,
            range.dropped};
}

void SnapshotFeed::pass_text(const Message& message, const Table& table) {
    const RelationPtr& target = table.rules->target();
    sink_.copy({target.get(), message.body, message.copy.rows, message.first_seq, message.last_seq,
                message.copy.first_page, message.owner, target,
                Position{begin_->consistent_point, message.copy.first_row}});
}

void SnapshotFeed::rewrite_text(const Message& message, const Table& table, Taken& taken) {
    auto text = std::make_shared<std::string>();
    text->reserve(message.body.size());
    Arena arena;
    for_each_row(message, table, arena, taken, [&](const Change& change) {
        append_copy_line(*text, change.new_row);
        arena.clear();
    });
    hand_on(message, table, text, taken.rows);
}

// A line of COPY text holds no line feed of its own.
void SnapshotFeed::prefix_text(const Message& message, const Table& table) {
    const std::string& prefix = table.rules->copy_prefix();
    auto text = std::make_shared<std::string>();
    text->reserve(message.body.size() + prefix.size() * message.copy.rows);
    for (std::string_view rest = message.body; !rest.empty();) {
        const std::string_view line = take_copy_line(rest);
        text->append(prefix).append(line).push_back('\n');
    }
    hand_on(message, table, text, message.copy.rows);
}

void SnapshotFeed::hand_on(const Message& message, const Table& table, std::shared_ptr<std::string> text,
                           std::uint64_t rows) {
    const RelationPtr& target = table.rules->target();
    sink_.copy({target.get(), *text, rows, message.first_seq, message.last_seq, message.copy.first_page, text, target,
                Position{begin_->consistent_point, message.copy.first_row}});
}

void SnapshotFeed::apply_rows(const Message& message, const Table& table, const Checkpoint& upto, Taken& taken) {
    batch_.clear();
    batch_.keep.push_back(message.owner);
    for_each_row(message, table, batch_.arena, taken, [&](const Change& change) { batch_.changes.push_back(change); });
    batch_.upto = upto;
    sink_.apply(batch_);
}

template <typename Use>
void SnapshotFeed::for_each_row(const Message& message, const Table& table, Arena& arena, Taken& taken,
                                const Use& use) {
    std::string_view text = message.body;
    std::uint64_t row = message.copy.first_row;
    while (!text.empty()) {
        Change change;
        change.snapshot = true;
        change.relation = table.relation.get();
        change.position = {begin_->consistent_point, row++};
        change.new_row = parse_copy_line(take_copy_line(text), table.relation->columns.size(), arena);
        if (share_ != nullptr && !share_->takes_row(change, table.relation, message.first_seq)) continue;
        const Change source = change;
        if (!table.rules->apply(change, arena)) {
            ++taken.dropped;
            continue;
        }
        ++taken.rows;
        if (rules::rewrote(source, change)) ++taken.rewritten;
        use(change);
    }
}

}  // namespace pgsluice
