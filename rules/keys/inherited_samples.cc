#include "rules/keys/inherited_samples.h"

#include <fmt/format.h>

#include <algorithm>

#include "rules/keys/column_rules.h"
#include "rules/rows/sampling.h"
#include "stream/full_name.h"

namespace pgsluice::rules {
namespace {

bool same_sample(const Rule& one, const Rule& other) {
    return one.column == other.column && one.sampling()->meaning() == other.sampling()->meaning();
}

bool has_sample(std::span<const Rule> rules, const Rule& sample) {
    return std::ranges::any_of(rules, [&](const Rule& one) { return same_sample(one, sample); });
}

// By which the table refers to the column; null when it does not.
const ForeignKey::Part* part_to(const ForeignKey& key, const std::string& column) {
    const auto found =
        std::ranges::find_if(key.parts, [&](const ForeignKey::Part& part) { return part.to.column == column; });
    return found == key.parts.end() ? nullptr : &*found;
}

Error refuse_closure(const ForeignKey& key, const Place& place, const std::string& reason, const std::string& more) {
    const std::string name = key.name.empty() ? std::string{} : fmt::format(" by '{}'", key.name);
    return refuse(place, fmt::format("{} refers to {}{}, and {}", key.text(), full_name(key.to), name, reason),
                  fmt::format("{} Or leave '{}' out, make it NULL, or set allow_key_mismatch: true in a rule for it, "
                              "where rows may refer to some that are left out.",
                              more, key.parts.front().column));
}

// Of a key that does not hold the column that the sample judges.
std::string other_sample(const ForeignKey& key, const Rule& sample) {
    const std::string& held = key.parts.front().to.column;
    if (sample.inherited_from.empty())
        return fmt::format("Sample {} by '{}' instead, or make '{}' part of the key in both tables.", full_name(key.to),
                           held, sample.column);
    return fmt::format("Sample {} by '{}' instead, and no longer {}; or make '{}' part of the key in both tables.",
                       full_name(key.to), held, sample.inherited_from, sample.column);
}

}  // namespace

bool FollowedKey::concerns(const QualifiedName& table, const std::string& column) const {
    return key.table == table &&
           std::ranges::any_of(key.parts, [&](const ForeignKey::Part& part) { return part.column == column; });
}

std::string FollowedKey::sample_of(const std::string& column) const {
    const auto found = samples.find(column);
    return found == samples.end() ? std::string{} : found->second;
}

// Each round hands samples one key further. A table has at most each sample on each of its columns, so it ends.
InheritedSamples::InheritedSamples(RulesFile& file, const ReferenceGraph& graph, std::span<const RelationPtr> tables,
                                   const std::vector<Route>& routes)
    : file_(file), graph_(graph), tables_(tables), routes_(routes) {
    std::vector<ForeignKey> keys;
    std::ranges::copy_if(graph_.foreign_keys(), std::back_inserter(keys), [this](const ForeignKey& key) {
        return graph_.is_replicated(key.table) && graph_.is_replicated(key.to);
    });
    // A partition goes by what the table above inherits, unless it has an entry of its own.
    std::ranges::stable_sort(keys, {}, [this](const ForeignKey& key) { return graph_.ancestors(key.table).size(); });
    for (bool grows = true; grows;) {
        grows = false;
        for (const ForeignKey& key : keys) grows = inherit(key) || grows;
    }
    for (const ForeignKey& key : keys) report(key);
}

std::vector<Rule> InheritedSamples::samples_of(const QualifiedName& table) const {
    std::vector<Rule> samples;
    if (const TableRules* entry = entry_of(file_, graph_, table))
        std::ranges::copy_if(entry->rules, std::back_inserter(samples),
                             [](const Rule& rule) { return rule.sampling() != nullptr; });
    return samples;
}

// Where one of its columns goes its own way, the key is not in the target, or need not hold there.
bool InheritedSamples::need_not_hold(const ForeignKey& key) const {
    const TableRules* entry = entry_of(file_, graph_, key.table);
    return std::ranges::any_of(
        key.parts, [&](const ForeignKey::Part& part) { return ColumnRules(entry, part.column).goes_own_way(); });
}

bool InheritedSamples::inherit(const ForeignKey& key) {
    if (need_not_hold(key)) return false;
    bool grew = false;
    for (const Rule& sample : samples_of(key.to)) {
        const ForeignKey::Part* part = part_to(key, sample.column);
        if (part == nullptr) continue;
        Rule wanted = sample;
        wanted.column = part->column;
        if (has_sample(samples_of(key.table), wanted)) continue;
        add_inherited(entry_of_its_own(file_, graph_, key.table, sample.place), part->column, sample, part->to.text());
        grew = true;
    }
    return grew;
}

void InheritedSamples::report(const ForeignKey& key) {
    const std::vector<Rule> samples = samples_of(key.to);
    const std::vector<Rule> own = samples_of(key.table);
    if ((samples.empty() && own.empty()) || need_not_hold(key)) return;
    FollowedKey& followed = keys_.emplace_back(FollowedKey{key});
    for (const Rule& sample : samples)
        if (const ForeignKey::Part* part = part_to(key, sample.column))
            followed.samples[part->column] = sample.sampling()->describe();
    try {
        check(key, samples);
        check_partitions(key, samples);
        check_filters(key, (samples.empty() ? own : samples).front().place);
        followed.follows = true;
    } catch (const Error& problem) {
        followed.problem = problem;
    }
}

void InheritedSamples::check(const ForeignKey& key, std::span<const Rule> samples) const {
    for (const Rule& sample : samples) {
        const ForeignKey::Part* part = part_to(key, sample.column);
        if (part == nullptr)
            throw refuse_closure(
                key, sample.place,
                fmt::format("rows of {} are kept by '{}', which the key does not hold: a kept row could refer to one "
                            "that is left out",
                            full_name(key.to), sample.column),
                other_sample(key, sample));
        check_types(key, *part, sample.place);
    }
}

void InheritedSamples::check_types(const ForeignKey& key, const ForeignKey::Part& part, const Place& place) const {
    const Column* own = column(key.table, part.column);
    const Column* other = column(key.to, part.to.column);
    const bool same = own != nullptr && other != nullptr ? Sampling::same_texts(*own, *other) : part.to.same_type;
    if (same && (own == nullptr || Sampling::unfit(*own).empty())) return;
    throw refuse_closure(key, place,
                         fmt::format("'{}' is of a type in which equal values may have other texts", part.column),
                         "Give both columns one type.");
}

void InheritedSamples::check_partitions(const ForeignKey& key, std::span<const Rule> samples) const {
    for (const QualifiedName& partition : graph_.below(key.to)) {
        const std::vector<Rule> own = samples_of(partition);
        const auto in_own = [&](const Rule& sample) { return has_sample(own, sample); };
        const auto above = [&](const Rule& sample) { return has_sample(samples, sample); };
        if (std::ranges::all_of(samples, in_own) && std::ranges::all_of(own, above)) continue;
        throw refuse_closure(key, (samples.empty() ? own : std::vector(samples.begin(), samples.end())).front().place,
                             fmt::format("its partition {} is not sampled as it is", full_name(partition)),
                             "Give all partitions the same samples.");
    }
}

void InheritedSamples::check_filters(const ForeignKey& key, const Place& place) const {
    std::vector<QualifiedName> filled = graph_.below(key.to);
    filled.push_back(key.to);
    for (const QualifiedName& table : filled)
        if (is_filtered(table))
            throw refuse_closure(key, place,
                                 fmt::format("a filter or a route leaves rows of {} out: a kept row could refer to one "
                                             "of them",
                                             full_name(table)),
                                 "Use a sample instead of the filter.");
}

const Column* InheritedSamples::column(const QualifiedName& table, const std::string& name) const {
    for (const RelationPtr& relation : tables_) {
        const auto found = std::ranges::find(relation->columns, name, &Column::name);
        if (is_or_is_below(*relation, table) && found != relation->columns.end()) return &*found;
    }
    return nullptr;
}

bool InheritedSamples::is_filtered(const QualifiedName& table) const {
    const TableRules* entry = entry_of(file_, graph_, table);
    const bool by_rule = entry != nullptr && std::ranges::any_of(entry->rules, [](const Rule& rule) {
                             return rule.condition.has_value() && rule.sampling() == nullptr;
                         });
    const Route* route = entry_for(routes_, graph_.as_relation(table), &Route::source);
    return by_rule ||
           (route != nullptr && route->replicate && (!route->where.text.empty() || !route->operations.has(Op::insert)));
}

}  // namespace pgsluice::rules
