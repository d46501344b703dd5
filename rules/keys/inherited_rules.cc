#include "rules/keys/inherited_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "rules/keys/column_rules.h"
#include "rules/keys/inherited_samples.h"
#include "rules/named_columns.h"

namespace pgsluice::rules {
namespace {

using Goes = ReferringColumn::Goes;

// Why the same transforms would not make the same of it in another column; empty when they do.
std::string why_not_elsewhere(const std::vector<const Rule*>& transforms, bool same_type) {
    for (const Rule* rule : transforms) {
        if (!rule->operations.all(row_operations)) return "its transform is not for all operations";
        if (!rule->when.empty()) return "its transform is not for all rows";
        if (!rule->transform->repeats()) return "a random value would not be found again";
        if (rule->transform->reads_row()) return "its transform goes by another column of the row";
    }
    return same_type ? "" : "is of another type, in which the transform may make another value of it";
}

// What a column that is referred to goes by, perhaps since it refers to yet another.
struct OtherSide {
    ReferencedColumn column;
    ColumnRules rules;
    bool same_type = true;  // all the way from the column that refers
};

std::string text_of(const ReferringColumn& one) {
    return fmt::format("{}.{}.{}", one.table.schema, one.table.table, one.column);
}

// By the rule of the column that refers.
Error refuse_own(const Rule& rule, const std::string& reason) {
    return refuse(rule.place, reason,
                  "Give both columns the same rules, which the column that refers has without one of its own. Or set "
                  "allow_key_mismatch: true in its rule, where joins need not hold.");
}

// By the rule of the column that is referred to.
Error refuse_key(const Place& place, const ReferringColumn& one, const std::string& reason) {
    return refuse(place, fmt::format("{} refers to the column, and {}", text_of(one), reason),
                  fmt::format("Give '{}' of {}.{} a rule of its own: exclude_column, or one with "
                              "allow_key_mismatch: true, where joins need not hold.",
                              one.column, one.table.schema, one.table.table));
}

}  // namespace

// Tables above come before their partitions.
class InheritedRules::Decide {
   public:
    Decide(InheritedRules& result, const RulesFile& file, const ReferenceGraph& graph)
        : result_(result), file_(file), graph_(graph) {}

    void run() {
        for (const QualifiedName& table : graph_.referring_tables())
            for (const std::string& column : graph_.referring_columns(table)) take(table, column);
    }

   private:
    [[nodiscard]] const TableRules* entry(const QualifiedName& table) const { return entry_of(file_, graph_, table); }

    // A partition that goes by the entry of the table above goes by what is inherited there.
    [[nodiscard]] bool is_taken_above(const QualifiedName& table, const std::string& column) const {
        return std::ranges::any_of(graph_.ancestors(table), [&](const QualifiedName& above) {
            return !graph_.referenced_by(above, column).empty() && entry(above) == entry(table);
        });
    }

    void take(const QualifiedName& table, const std::string& column) {
        if (is_taken_above(table, column)) return;
        ReferringColumn& one =
            result_.columns_.emplace_back(ReferringColumn{table, column, graph_.referenced_by(table, column)});
        const ColumnRules own(entry(table), column);
        one.rules = own.text();
        try {
            one.goes = decide(one, own);
        } catch (const Error& problem) {
            one.goes = Goes::refused;
            one.problem = in_one_line(problem);
            result_.refused_.try_emplace({table.schema, table.table}, problem);
        }
    }

    Goes decide(ReferringColumn& one, const ColumnRules& own) {
        if (own.goes_own_way()) return Goes::own_way;
        std::optional<OtherSide> key;
        std::string unruled;
        for (const ReferencedColumn& to : one.to) {
            check_partitions(one, to);
            OtherSide side = other_side(to);
            if (!side.rules.hides()) {
                if (graph_.is_replicated(to.table)) unruled = to.text();
            } else if (!key) {
                key.emplace(std::move(side));
            } else if (!same_transforms(key->rules.transforms, side.rules.transforms)) {
                throw refuse_key(key->rules.place(), one, fmt::format("to {}, which has other rules", to.text()));
            }
        }
        if (key) return decide_by(*key, unruled, one, own);
        if (own.transforms.empty()) return Goes::as_it_is;
        if (unruled.empty() || own.keeps_or_nulls()) return Goes::own_way;
        throw refuse_own(*own.transforms[0], fmt::format("the column refers to {}, which has no transform: what it "
                                                         "refers to would not be found",
                                                         unruled));
    }

    Goes decide_by(const OtherSide& key, const std::string& unruled, ReferringColumn& one, const ColumnRules& own) {
        const auto& transforms = key.rules.transforms;
        if (transforms.empty()) {
            if (!own.transforms.empty()) return Goes::own_way;
            throw refuse_key(key.rules.place(), one, "would show its values");
        }
        if (!unruled.empty())
            throw refuse_key(key.rules.place(), one, fmt::format("to {}, which has no transform", unruled));
        if (const std::string why = why_not_elsewhere(transforms, key.same_type); !why.empty())
            throw refuse_key(key.rules.place(), one, why);
        if (!own.transforms.empty() && !same_transforms(own.transforms, transforms))
            throw refuse_own(*own.transforms[0], fmt::format("the column refers to {}, which has other rules: what "
                                                             "it refers to would not be found",
                                                             key.column.text()));
        if (!own.transforms.empty()) return Goes::same_rules;
        if (own.keep != nullptr)
            throw refuse_own(*own.keep, fmt::format("the column refers to {}, whose values are hidden by {}",
                                                    key.column.text(), transforms[0]->place.text()));
        inherit(one, key);
        return Goes::inherited;
    }

    // What it goes by itself, or else what it inherits.
    OtherSide other_side(const ReferencedColumn& column) const {
        std::set<std::string> seen;
        return other_side(column, seen);
    }
    OtherSide other_side(const ReferencedColumn& column, std::set<std::string>& seen) const {
        OtherSide side{column, ColumnRules(entry(column.table), column.column), column.same_type};
        const bool own = side.rules.hides() || side.rules.keep != nullptr;
        if (own || !seen.insert(column.text()).second) return side;
        for (const ReferencedColumn& next : graph_.referenced_by(column.table, column.column)) {
            OtherSide further = other_side(next, seen);
            if (!further.rules.hides()) continue;
            further.same_type = further.same_type && column.same_type;
            return further;
        }
        return side;
    }

    // Those that have an entry of their own must say the same of it.
    void check_partitions(const ReferringColumn& one, const ReferencedColumn& to) const {
        const ColumnRules above(entry(to.table), to.column);
        for (const QualifiedName& partition : graph_.below(to.table)) {
            const ColumnRules own(entry(partition), to.column);
            if (same_transforms(own.transforms, above.transforms) &&
                (own.excluded != nullptr) == (above.excluded != nullptr))
                continue;
            throw refuse_key(own.hides() ? own.place() : above.place(), one, "not all partitions have the same rules");
        }
    }

    void inherit(ReferringColumn& one, const OtherSide& key) {
        TableRules& entry = entry_of_its_own(result_.file_, graph_, one.table, key.rules.place());
        for (const Rule* rule : key.rules.transforms) add_inherited(entry, one.column, *rule, key.column.text());
        one.rules = key.rules.text();
    }

    InheritedRules& result_;
    const RulesFile& file_;
    const ReferenceGraph& graph_;
};

InheritedRules::InheritedRules(const RulesFile& file, const ForeignKeys& keys, const std::vector<Route>& routes)
    : file_(file) {
    const ReferenceGraph graph(keys.references, keys.tables);
    Decide(*this, file, graph).run();
    inherit_samples(graph, keys.tables, routes);
}

void InheritedRules::inherit_samples(const ReferenceGraph& graph, std::span<const RelationPtr> tables,
                                     const std::vector<Route>& routes) {
    if (!samples_rows(file_)) return;
    const InheritedSamples samples(file_, graph, tables, routes);
    for (const FollowedKey& key : samples.keys())
        for (ReferringColumn& one : columns_)
            if (key.concerns(one.table, one.column)) note(key, one);
    for (const FollowedKey& key : samples.keys())
        if (key.problem) refused_.try_emplace({key.key.table.schema, key.key.table.table}, *key.problem);
}

void InheritedRules::note(const FollowedKey& key, ReferringColumn& one) {
    one.follows = one.follows || key.follows;
    if (const std::string sample = key.sample_of(one.column); !sample.empty()) one.sample = sample;
    if (!key.problem || one.goes == Goes::refused) return;
    one.goes = Goes::refused;
    one.problem = in_one_line(*key.problem);
}

void InheritedRules::check(const Relation& table) const {
    const auto refuse_if_known = [this](const std::string& schema, const std::string& name) {
        if (const auto found = refused_.find({schema, name}); found != refused_.end()) throw found->second;
    };
    if (refused_.empty()) return;
    refuse_if_known(table.schema, table.table);
    for (const QualifiedName& above : table.ancestors) refuse_if_known(above.schema, above.table);
}

}  // namespace pgsluice::rules
