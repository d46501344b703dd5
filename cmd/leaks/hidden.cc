#include "cmd/leaks/hidden.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "cmd/leaks/texts.h"
#include "rules/listed_columns.h"
#include "rules/ruleset.h"

namespace pgsluice {
namespace {

using rules::Rule;
using rules::ValueType;

// A column of the source that a rule writes to or leaves out.
struct Ruled {
    std::size_t column = 0;             // of the source
    std::optional<std::size_t> target;  // nothing: it is left out
    std::string target_name;            // "public.users.email"
};

std::string target_name_of(const std::string& column, const rules::Route* route) {
    if (route != nullptr)
        for (const auto& [source, target] : route->columns)
            if (source == column) return target;
    return column;
}

std::vector<Ruled> ruled_columns(const RulesFiles& files, const Relation& relation, const Relation& target) {
    const rules::Route* route = entry_for(files.routes, relation, &rules::Route::source);
    const auto entry = with_listed(entry_for(files.rules.tables, relation, &rules::TableRules::name), route, relation);
    std::vector<Ruled> ruled;
    for (std::size_t i = 0; i < relation.columns.size(); ++i) {
        const std::string& name = relation.columns[i].name;
        const auto has = [&](Rule::Kind kind) {
            return std::ranges::any_of(entry.rules,
                                       [&](const Rule& rule) { return rule.column == name && rule.kind == kind; });
        };
        const bool computed =
            route != nullptr && std::ranges::find(route->set, name, &rules::ComputedColumn::name) != route->set.end();
        if (has(Rule::Kind::exclude)) {
            ruled.push_back({i, std::nullopt, {}});
        } else if (computed || has(Rule::Kind::transform)) {
            const std::string target_column = target_name_of(name, route);
            const auto found = std::ranges::find(target.columns, target_column, &Column::name);
            if (found == target.columns.end()) continue;
            ruled.push_back({i, static_cast<std::size_t>(found - target.columns.begin()),
                             fmt::format("{}.{}.{}", target.schema, target.table, target_column)});
        }
    }
    return ruled;
}

// Empty where values of the type say whose they are.
std::string why_not(const Column& column) {
    switch (rules::value_type(column)) {
        case ValueType::boolean:
        case ValueType::date:
        case ValueType::timestamp:
        case ValueType::timestamptz:
        case ValueType::time:
        case ValueType::timetz:
        case ValueType::interval:
            return fmt::format("a {} does not say whose it is", column.type_name);
        default:
            return {};
    }
}

// What a transform leaves of a value is not hidden, also where a filter or a sample leaves the row out: another row may
// have the same.
RulesFiles of_all_rows(RulesFiles files) {
    for (rules::TableRules& table : files.rules.tables)
        std::erase_if(table.rules, [](const Rule& rule) { return rule.kind == Rule::Kind::filter; });
    for (rules::Route& route : files.routes) route.where = {};
    return files;
}

// A row as it is, and what the transforms have left of it.
class AfterRules {
   public:
    AfterRules(const rules::CompiledRules& compiled, const Relation& relation)
        : compiled_(compiled), relation_(relation) {}

    Row apply(Row row) {
        Change change;
        change.relation = &relation_;
        change.new_row = row;
        arena_.clear();
        try {
            return compiled_.apply(change, arena_) ? change.new_row : Row{};
        } catch (const Error&) {  // a worker would stop
            return {};
        }
    }

   private:
    const rules::CompiledRules& compiled_;
    const Relation& relation_;
    Arena arena_;
};

std::unordered_set<std::uint64_t> hashes_of(const Value& value, ValueType type, const HashKey& key) {
    std::unordered_set<std::uint64_t> hashes;
    if (value.is_text())
        each_text(value.text(), type, true, [&](std::string_view text) {
            each_window(text, key, [&](std::uint64_t hash) { hashes.insert(hash); });
        });
    return hashes;
}

// One table: the same steps for its needles and for the chance of meeting them.
class Table {
   public:
    Table(const Ruleset& ruleset, const RulesFiles& files, const SourceTable& table)
        : table_(table),
          relation_(std::make_shared<const Relation>(table.relation)),
          plan_(ruleset.compile(relation_)) {
        if (plan_ != nullptr) ruled_ = ruled_columns(files, *relation_, *plan_->target());
    }
    [[nodiscard]] bool hides() const { return !ruled_.empty(); }

    void collect(Hidden& hidden, SourceSampler& source, std::size_t sample_rows) {
        refusal_ = source.refusal(table_);
        hidden.refused |= !refusal_.empty();
        const SampledRows sampled = sample(source, sample_rows);
        hidden.rows += sampled.rows.size();
        std::vector<Needles::Column> columns;
        for (const Ruled& ruled : ruled_)
            columns.emplace_back(hidden.needles, fmt::format("{}.{}.{}", relation_->schema, relation_->table,
                                                             relation_->columns[ruled.column].name));
        AfterRules rules(*plan_, *relation_);
        for (const auto& row : sampled.rows) {
            const Row after = rules.apply(row);
            for (std::size_t i = 0; i < ruled_.size(); ++i) add(columns[i], ruled_[i], row, after, hidden);
        }
        for (std::size_t i = 0; i < ruled_.size(); ++i) {
            columns[i].skip(refusal_.empty() ? why_not(relation_->columns[ruled_[i].column]) : refusal_);
            columns[i].finish(sampled.rows.size());
        }
    }

    // Of other rows than the needles are of, where the table is large.
    void measure(Hidden& hidden, SourceSampler& source, std::size_t sample_rows) {
        const SampledRows sampled = sample(source, sample_rows);
        AfterRules rules(*plan_, *relation_);
        for (const auto& row : sampled.rows) {
            const Row after = rules.apply(row);
            for (const Ruled& ruled : ruled_)
                if (ruled.target) measure(hidden, ruled, after);
        }
    }

   private:
    [[nodiscard]] SampledRows sample(SourceSampler& source, std::size_t rows) const {
        return source.sample(table_, refusal_.empty() ? rows : 0);
    }
    void add(Needles::Column& column, const Ruled& ruled, Row row, Row after, Hidden& hidden) const {
        const Column& source = relation_->columns[ruled.column];
        const Value& value = row[ruled.column];
        if (!value.is_text() || !why_not(source).empty()) return;
        const ValueType type = rules::value_type(source);
        std::unordered_set<std::uint64_t> left;
        if (ruled.target && !after.empty()) left = hashes_of(after[*ruled.target], type, hidden.needles.key());
        each_text(value.text(), type, false, [&](std::string_view text) { column.add(text, left); });
    }
    void measure(Hidden& hidden, const Ruled& ruled, Row after) const {
        Chance& chance = hidden.chances[ruled.target_name];
        if (after.empty()) return;
        ++chance.rows;
        const auto hashes =
            hashes_of(after[*ruled.target], rules::value_type(relation_->columns[ruled.column]), hidden.needles.key());
        chance.hits += std::ranges::any_of(hashes, [&](std::uint64_t hash) {
            const Needle* needle = hidden.needles.find(hash);
            return needle != nullptr && needle->makeable;
        });
    }

    const SourceTable& table_;
    RelationPtr relation_;
    std::shared_ptr<const rules::CompiledRules> plan_;
    std::vector<Ruled> ruled_;
    std::string refusal_;  // SourceSampler::refusal()
};

}  // namespace

std::unique_ptr<Hidden> collect_hidden(const RulesFiles& given, SourceSampler& source,
                                       std::span<const SourceTable> tables, std::size_t sample_rows) {
    const RulesFiles files = of_all_rows(given);
    const Ruleset ruleset(files.rules, files.routes);
    auto hidden = std::make_unique<Hidden>();
    std::vector<Table> hiding;
    for (const SourceTable& table : tables) {
        Table looked(ruleset, files, table);
        if (looked.hides()) hiding.push_back(std::move(looked));
    }
    for (Table& table : hiding) table.collect(*hidden, source, sample_rows);
    hidden->needles.close();
    for (Table& table : hiding) table.measure(*hidden, source, sample_rows);
    return hidden;
}

}  // namespace pgsluice
