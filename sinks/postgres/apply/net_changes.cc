#include "sinks/postgres/apply/net_changes.h"

#include <algorithm>
#include <bit>
#include <functional>

#include "sinks/postgres/target_mapping.h"

namespace pgsluice {

bool NetChanges::fold(std::span<const int> key, std::span<const Change* const> changes) {
    key_ = key;
    slots_.assign(std::bit_ceil(changes.size() * 2 + 1), 0);
    entries_.clear();
    arena_.clear();
    for (const Change* change : changes) {
        const bool provable = change->op == Op::insert   ? insert(*change)
                              : change->op == Op::update ? update(*change)
                                                         : remove(*change);
        if (!provable) return false;
    }
    collect();
    return true;
}

std::size_t NetChanges::hash_of(Row row) const noexcept {
    std::size_t hash = 0;
    for (const int column : key_) {
        const std::size_t one = std::hash<std::string_view>{}(row[static_cast<std::size_t>(column)].text());
        hash = (hash ^ one) * 0x9E3779B97F4A7C15ULL;
    }
    return hash ^ (hash >> 32);
}

bool NetChanges::same_key(Row a, Row b) const noexcept {
    return std::all_of(key_.begin(), key_.end(), [&](int column) {
        return a[static_cast<std::size_t>(column)] == b[static_cast<std::size_t>(column)];
    });
}

NetChanges::Entry* NetChanges::find(Row key_row, std::size_t hash) {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t slot = hash & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
        Entry& entry = entries_[slots_[slot] - 1];
        if (entry.hash == hash && same_key(entry.key_row, key_row)) return &entry;
    }
    return nullptr;
}

NetChanges::Entry& NetChanges::add(Row key_row, std::size_t hash, State state) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = hash & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    entries_.push_back({hash, key_row, {}, state, false});
    slots_[slot] = static_cast<std::uint32_t>(entries_.size());
    return entries_.back();
}

bool NetChanges::insert(const Change& change) {
    const std::size_t hash = hash_of(change.new_row);
    Entry* entry = find(change.new_row, hash);
    if (entry == nullptr) {
        add(change.new_row, hash, State::inserted).row = change.new_row;
        return true;
    }
    if (entry->state != State::deleted && entry->state != State::passed) return false;
    entry->state = entry->state == State::deleted ? State::replaced : State::inserted;
    entry->row = change.new_row;
    entry->partial = false;
    return true;
}

// The new row, with what did not change taken from the old one where that is known.
Row NetChanges::resolved(const Change& change, bool& partial) {
    const auto is_unchanged = [](const Value& value) { return value.is_unchanged(); };
    partial = std::any_of(change.new_row.begin(), change.new_row.end(), is_unchanged);
    if (!partial || change.old_kind == OldRow::none) return change.new_row;
    auto row = arena_.make<Value>(change.new_row.size());
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = new_value(change, static_cast<int>(i));
    partial = std::any_of(row.begin(), row.end(), is_unchanged);
    return row;
}

void NetChanges::merge(Entry& entry, Row row, bool partial) {
    if (!partial) {
        entry.row = row;
        entry.partial = false;
        return;
    }
    auto merged = arena_.make<Value>(row.size());
    for (std::size_t i = 0; i < row.size(); ++i) merged[i] = row[i].is_unchanged() ? entry.row[i] : row[i];
    entry.row = merged;
    entry.partial = std::any_of(merged.begin(), merged.end(), [](const Value& value) { return value.is_unchanged(); });
}

bool NetChanges::update(const Change& change) {
    bool partial = false;
    const Row row = resolved(change, partial);
    if (change.old_kind != OldRow::none && !same_key(row, change.old_row)) return false;
    const std::size_t hash = hash_of(row);
    Entry* entry = find(row, hash);
    if (entry == nullptr) {
        Entry& added = add(row, hash, State::updated);
        added.row = row;
        added.partial = partial;
        return true;
    }
    if (entry->state == State::deleted || entry->state == State::passed) return false;
    merge(*entry, row, partial);
    return true;
}

bool NetChanges::remove(const Change& change) {
    const std::size_t hash = hash_of(change.old_row);
    Entry* entry = find(change.old_row, hash);
    if (entry == nullptr) {
        add(change.old_row, hash, State::deleted);
        return true;
    }
    if (entry->state == State::deleted || entry->state == State::passed) return false;
    entry->state = entry->state == State::inserted ? State::passed : State::deleted;
    return true;
}

void NetChanges::collect() {
    deletes_.clear();
    updates_.clear();
    inserts_.clear();
    // Should the target hold a row of such a key after all, source order would write over it and delete it.
    for (const Entry& entry : entries_) {
        if (entry.state == State::passed) deletes_.push_back(entry.key_row);
    }
    passing_deletes_ = deletes_.size();
    for (const Entry& entry : entries_) {
        if (entry.state == State::updated) updates_.push_back({entry.row, entry.partial});
        if (entry.state == State::deleted || entry.state == State::replaced) deletes_.push_back(entry.key_row);
        if (entry.state == State::inserted || entry.state == State::replaced) inserts_.push_back(entry.row);
    }
}

}  // namespace pgsluice
