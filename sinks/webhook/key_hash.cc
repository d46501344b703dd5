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

KeyHash::Plan::Plan(const Relation& relation) : table(mix(mix(0xcbf29ce484222325, relation.schema), relation.table)) {
    if (relation.identity == ReplicaIdentity::full || relation.identity == ReplicaIdentity::nothing) return;
    for (std::size_t i = 0; i < relation.columns.size(); ++i) {
        const Column& column = relation.columns[i];
        if (!column.key) continue;
        keys.push_back(i);
        key += fmt::format("{} {} {}\n", column.type_oid, column.typmod, column.name);
    }
}

std::optional<std::uint64_t> KeyHash::of_row(const Plan& plan, Row row) {
    std::uint64_t hash = plan.table;
    for (const std::size_t key : plan.keys) {
        if (!row[key].is_text()) return std::nullopt;
        hash = mix(hash, row[key].text());
    }
    return hash;
}

bool KeyHash::is_new_key(const Plan& plan) {
    if (last_ == &plan) return false;
    last_ = &plan;
    const auto [newest, first] = newest_.try_emplace(plan.table, plan.key);
    if (first || newest->second == plan.key) return false;
    newest->second = plan.key;
    return true;
}

std::optional<std::uint64_t> KeyHash::of(const Change& change) {
    if (change.op == Op::truncate || change.op == Op::message) return std::nullopt;
    const Plan& plan = plans_.at(*change.relation);
    if (is_new_key(plan)) return std::nullopt;
    if (plan.keys.empty()) return plan.table;
    if (change.op == Op::del) return of_row(plan, change.old_row);
    const auto hash = of_row(plan, change.new_row);
    if (change.op == Op::insert || change.old_kind == OldRow::none) return hash;
    return hash == of_row(plan, change.old_row) ? hash : std::nullopt;
}

}  // namespace pgsluice
