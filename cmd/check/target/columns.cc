#include "cmd/check/target/columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cmd/check/target/column_facts.h"
#include "sinks/postgres/column_fit.h"
#include "sql/quote.h"

namespace pgsluice {

namespace {

// What is said of values that the target does not take as they are; empty when it does.
std::string said_of(const ColumnFit& fit) {
    if (fit.changes.empty() && !fit.refuses) return "";
    std::string changed = fit.changes.empty() ? "" : fmt::format("values {}", fit.changes);
    if (!fit.refuses) return changed;
    return changed + (changed.empty() ? "" : ", and ") + "a value that it does not take stops the worker";
}

std::vector<std::string> missing_labels(const ColumnFacts& target, const ColumnFacts& source) {
    std::vector<std::string> missing;
    for (const std::string& label : source.labels)
        if (std::ranges::find(target.labels, label) == target.labels.end()) missing.push_back(label);
    return missing;
}

class Columns {
   public:
    Columns(const DeliveredTable& delivered, const TargetTable& table, Findings& found)
        : delivered_(delivered), table_(table), found_(found) {}

    // What rows bring.
    void look_at_coming(const FactsByName& source, const FactsByName& target) {
        const Relation& relation = *delivered_.rules->target();
        for (std::size_t i = 0; i < relation.columns.size(); ++i) {
            const auto own = target.find(relation.columns[i].name);
            const auto from = source.find(source_name(i));
            if (own == target.end() || from == source.end() || delivered_.rules->writes(i)) continue;
            if (own->second.generated_as.empty())
                compare(own->first, from->second, own->second);
            else if (from->second.generated_as.empty())
                warn_of_generated(own->first, own->second);
        }
    }
    // What the source computes: PostgreSQL publishes no generated column, unless it is 18 or later and is told to.
    void look_at_generated(const FactsByName& source, const FactsByName& target) {
        for (const auto& [name, from] : source) {
            const auto own = target.find(name);
            if (from.generated_as.empty() || own == target.end() || comes(name)) continue;
            if (own->second.generated_as.empty()) warn_of_ordinary(name, from);
        }
    }
    // What they do not bring.
    void look_at_others(const FactsByName& target) {
        for (const auto& [name, facts] : target) {
            if (!facts.needs_value || comes(name)) continue;
            found_.fail(fmt::format("column '{}' of the target's table '{}' is NOT NULL without a default, and rows do "
                                    "not bring it",
                                    name, full_name()),
                        fmt::format("On the target, run ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL, or give it a "
                                    "default.",
                                    table_.name, table_.find(name)->quoted));
        }
    }

   private:
    void compare(const std::string& name, const ColumnFacts& from, const ColumnFacts& own) {
        if (!from.labels.empty() && !own.labels.empty()) {
            compare_labels(name, from, own);
        } else if (const std::string said = said_of(fit_of(own.type, from.type)); !said.empty()) {
            found_.warn(fmt::format("column '{}' of the target's table '{}' is {}, and on the source {}: {}", name,
                                    full_name(), own.full, from.full, said),
                        fmt::format("On the target, run ALTER TABLE {} ALTER COLUMN {} TYPE {}.", table_.name,
                                    table_.find(name)->quoted, from.full));
        }
        if (own.not_null && !from.not_null)
            found_.warn(fmt::format("column '{}' of the target's table '{}' is NOT NULL, and on the source it is not: "
                                    "a row without a value stops the worker",
                                    name, full_name()),
                        fmt::format("On the target, run ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL.", table_.name,
                                    table_.find(name)->quoted));
    }
    void compare_labels(const std::string& name, const ColumnFacts& from, const ColumnFacts& own) {
        std::string labels;
        std::string commands;
        for (const std::string& label : missing_labels(own, from)) {
            const std::string quoted = sql::quote_literal(label);
            labels += (labels.empty() ? "" : ", ") + quoted;
            commands += fmt::format("{}ALTER TYPE {} ADD VALUE {}", commands.empty() ? "" : "; ",
                                    own.type.base.substr(0, own.type.base.find("[]")), quoted);
        }
        if (labels.empty()) return;
        found_.warn(fmt::format("column '{}' of the target's table '{}' is {}, which lacks labels that the source's "
                                "{} has ({}): a row with one of them stops the worker",
                                name, full_name(), own.full, from.full, labels),
                    fmt::format("On the target, run {}.", commands));
    }
    void warn_of_generated(const std::string& name, const ColumnFacts& own) {
        const std::string& quoted = table_.find(name)->quoted;
        const std::string plain = own.generated_stored
                                      ? fmt::format("ALTER COLUMN {} DROP EXPRESSION", quoted)
                                      : fmt::format("DROP COLUMN {0}, ADD COLUMN {0} {1}", quoted, own.full);
        found_.warn(fmt::format("column '{}' of the target's table '{}' is generated, and on the source it is not: "
                                "the values of rows are dropped, and the target computes its own",
                                name, full_name()),
                    fmt::format("If the source's values are wanted, run ALTER TABLE {} {} on the target, before its "
                                "rows are copied.",
                                table_.name, plain));
    }
    void warn_of_ordinary(const std::string& name, const ColumnFacts& from) {
        found_.warn(
            fmt::format("column '{}' of the target's table '{}' is generated on the source, and not on the target: "
                        "rows do not bring it, and it keeps its default, or NULL",
                        name, full_name()),
            fmt::format("On the target, run ALTER TABLE {} DROP COLUMN {}, ADD COLUMN {} {} GENERATED ALWAYS AS ({}) "
                        "STORED; or let a route compute it (set, in --routing-config).",
                        table_.name, table_.find(name)->quoted, table_.find(name)->quoted, from.full,
                        from.generated_as));
    }
    // Of the column that the target's gets its values from: a route may rename it, and none is added.
    [[nodiscard]] std::string source_name(std::size_t i) const {
        const Column& wanted = delivered_.rules->target()->columns[i];
        for (const Column& column : delivered_.source->columns)
            if (column.number != 0 && column.number == wanted.number) return column.name;
        return wanted.name;
    }
    [[nodiscard]] bool comes(const std::string& name) const {
        return std::ranges::any_of(delivered_.rules->target()->columns,
                                   [&](const Column& column) { return column.name == name; });
    }
    [[nodiscard]] std::string full_name() const { return table_.schema + '.' + table_.table; }

    const DeliveredTable& delivered_;
    const TargetTable& table_;
    Findings& found_;
};

}  // namespace

void look_at_columns(const DeliveredTable& delivered, const TargetTable& table, sql::Connection* source,
                     sql::Connection& target, Findings& found) {
    found.attempt([&](const Log&) {
        const FactsByName own = facts_of(target, table.oid);
        Columns columns(delivered, table, found);
        if (source != nullptr) {
            const FactsByName from = facts_of(*source, delivered.source->oid);
            columns.look_at_coming(from, own);
            columns.look_at_generated(from, own);
        }
        columns.look_at_others(own);
    });
}

void look_at_match(const TargetMapping& mapping, Findings& found) {
    if (mapping.match != TargetMapping::Match::key) return;
    std::vector<std::string> names;
    for (const int number : mapping.key) names.push_back(mapping.column(number).quoted);
    std::string list;
    for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
    found.warn(fmt::format("the target's table '{}.{}' has no unique index on the key of its rows ({}): each update "
                           "and delete looks through the table",
                           mapping.table.schema, mapping.table.table, list),
               fmt::format("On the target, run ALTER TABLE {} ADD PRIMARY KEY ({}).", mapping.table.name, list));
}

}  // namespace pgsluice
