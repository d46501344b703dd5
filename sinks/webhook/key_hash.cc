#include "sinks/webhook/key_hash.h"

#include <fmt/format.h>

#include <string_view>

namespace pgsluice {

namespace {

// FNV-1a; each part is followed by a byte that no text holds.
std::uint64_t mix(std::uint64_t hash, std::string_view text) {
    constexpr std::uint64_t fnv_prime = 0x100000001b3;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * fnv_prime;
    return (hash ^ 0x100U) * fnv_prime;
}

}  // namespace

KeyHash::TableKey::TableKey(const Relation& relation)
    : hash(mix(mix(0xcbf29ce484222325, relation.schema), relation.table)) {
    if (relation.identity == ReplicaIdentity::full || relation.identity == ReplicaIdentity::nothing) return;
    for (std::size_t i = 0; i < relation.columns.size(); ++i) {
        const Column& column = relation.columns[i];
        if (!column.key) continue;
        columns.push_back(i);
        definition += fmt::format("{} {} {}\n", column.type_oid, column.typmod, column.name);
    }
}

std::optional<std::uint64_t> KeyHash::of_row(const TableKey& table, Row row) {
    std::uint64_t hash = table.hash;
    for (const std::size_t key : table.columns) {
        if (!row[key].is_text()) return std::nullopt;
        hash = mix(hash, row[key].text());
    }
    return hash;
}

bool KeyHash::is_new_key(const TableKey& table) {
    if (last_ == &table) return false;
    last_ = &table;
    const auto [newest, first] = newest_.try_emplace(table.hash, table.definition);
    if (first || newest->second == table.definition) return false;
    newest->second = table.definition;
    return true;
}

std::optional<std::uint64_t> KeyHash::of(const Change& change) {
    if (change.op == Op::truncate || change.op == Op::message) return std::nullopt;
    const TableKey& table = tables_.at(*change.relation);
    if (is_new_key(table)) return std::nullopt;
    if (table.columns.empty()) return table.hash;
    if (change.op == Op::del) return of_row(table, change.old_row);
    const auto hash = of_row(table, change.new_row);
    if (change.op == Op::insert || change.old_kind == OldRow::none) return hash;
    return hash == of_row(table, change.old_row) ? hash : std::nullopt;
}

}  // namespace pgsluice
