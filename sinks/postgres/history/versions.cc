#include "sinks/postgres/history/versions.h"

#include <algorithm>
#include <unordered_set>

#include "sinks/postgres/history/version_statements.h"
#include "sql/timestamp.h"

namespace pgsluice {

namespace {

Row resolved(const Change& change, Arena& arena) {
    const auto row = arena.make<Value>(change.new_row.size());
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = new_value(change, static_cast<int>(i));
    return row;
}

// The time is no column of the source.
ColumnSet known(Row row) {
    ColumnSet sent(row.size() - 1);
    for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = !row[i].is_unchanged();
    return sent;
}

}  // namespace

std::string commit_time_text(const Change& change) {
    return timestamptz_text(change.transaction != nullptr ? change.transaction->commit_time_us
                                                          : sql::postgres_time_us());
}

Row Versions::with_time(Row row) {
    const auto made = arena_.make<Value>(row.size() + 1);
    std::copy(row.begin(), row.end(), made.begin());
    made.back() = time_;
    return made;
}

std::span<const Versions::Layer> Versions::of(const TargetMapping& mapping, std::span<const Change* const> changes) {
    mapping_ = &mapping;
    arena_.clear();
    layers_.clear();
    last_.clear();
    const bool each = mapping.relation.keeping.history.every_change;
    while (!changes.empty()) {
        const auto end = std::find_if(changes.begin(), changes.end(), [&](const Change* change) {
            return each || change->position.commit != changes.front()->position.commit;
        });
        const auto count = std::max<std::size_t>(1, static_cast<std::size_t>(end - changes.begin()));
        add_transaction(changes.first(count));
        changes = changes.subspan(count);
    }
    return layers_;
}

void Versions::add_transaction(std::span<const Change* const> changes) {
    time_ = Value(arena_.copy(commit_time_text(*changes.front())));
    if (changes.size() == 1 || !net_.fold(mapping_->key, changes)) {
        for (const Change* change : changes) add(*change);
        return;
    }
    std::unordered_set<std::string> again;  // deleted and inserted: an update
    if (!net_.deletes().empty())
        for (const Row row : net_.inserts()) again.insert(key_of(row));
    // The first are of rows that it has made itself.
    for (std::size_t i = net_.passing_deletes(); i < net_.deletes().size(); ++i) {
        const Row row = net_.deletes()[i];
        if (!again.contains(key_of(row))) layer_after({row}).removed.push_back(with_time(row));
    }
    for (const auto& update : net_.updates()) {
        const Row row = with_time(update.row);
        layer_after({row}).updated[known(row)].push_back(row);
    }
    for (const Row inserted : net_.inserts()) layer_after({inserted}).inserted.push_back(with_time(inserted));
}

void Versions::add(const Change& change) {
    if (change.op == Op::del) {
        layer_after({change.old_row}).removed.push_back(with_time(change.old_row));
        return;
    }
    if (change.op == Op::insert) {
        layer_after({change.new_row}).inserted.push_back(with_time(change.new_row));
        return;
    }
    const Row row = with_time(resolved(change, arena_));
    if (!changes_key(*mapping_, change)) {
        layer_after({row}).updated[known(row)].push_back(row);
        return;
    }
    const Row old = with_time(change.old_row);
    layer_after({row, old}).moved.push_back({row, old, known(row)});
}

Versions::Layer& Versions::layer_after(std::initializer_list<Row> keys) {
    std::size_t layer = 0;
    std::vector<std::size_t*> all;
    for (const Row key : keys) all.push_back(&last_[key_of(key)]);
    for (const std::size_t* last : all) layer = std::max(layer, *last);
    for (std::size_t* last : all) *last = layer + 1;
    if (layer == layers_.size()) layers_.emplace_back();
    return layers_[layer];
}

std::string Versions::key_of(Row row) const {
    std::string key;
    for (const int column : mapping_->key) {
        const std::string_view text = row[static_cast<std::size_t>(column)].text();
        key.append(std::to_string(text.size())).append(":").append(text);
    }
    return key;
}

}  // namespace pgsluice
