#include "rules/personal/examined.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

namespace pgsluice::rules {
namespace {

class Sharing {
   public:
    Sharing(std::vector<ExaminedTable>& tables, const ReferenceGraph& graph) : tables_(tables), graph_(graph) {}

    void run() {
        each([](const ReferringTo& one) { tell_key(one); });
        each([](const ReferringTo& one) { go_by_key(one); });
    }

   private:
    struct ReferringTo {
        ExaminedColumn& column;
        std::string name;
        ExaminedColumn& key;
        ReferencedColumn to;
    };

    ExaminedColumn* find(const QualifiedName& table, const std::string& column) const {
        for (ExaminedTable& one : tables_) {
            const Relation& relation = *one.relation;
            if (relation.schema != table.schema || relation.table != table.table) continue;
            const auto found = std::ranges::find(relation.columns, column, &Column::name);
            if (found == relation.columns.end()) return nullptr;
            return &one.columns[static_cast<std::size_t>(found - relation.columns.begin())];
        }
        return nullptr;
    }

    // The column at the end of the way; nothing where it refers to none, or in a circle.
    std::optional<ReferencedColumn> end_of(const QualifiedName& table, const std::string& column) const {
        std::optional<ReferencedColumn> end;
        std::set<std::string> seen{ReferencedColumn{table, column}.text()};
        QualifiedName at = table;
        std::string name = column;
        for (bool same = true;;) {
            const auto& next = graph_.referenced_by(at, name);
            const auto known = std::ranges::find_if(
                next, [this](const ReferencedColumn& to) { return find(to.table, to.column) != nullptr; });
            if (known == next.end()) return end;
            if (!seen.insert(known->text()).second) return std::nullopt;
            same = same && known->same_type;
            end = ReferencedColumn{known->table, known->column, same};
            at = known->table;
            name = known->column;
        }
    }

    template <typename Use>
    void each(Use use) {
        for (ExaminedTable& table : tables_) {
            const QualifiedName name{table.relation->schema, table.relation->table};
            for (std::size_t i = 0; i < table.columns.size(); ++i) {
                const std::string& column = table.relation->columns[i].name;
                const auto end = end_of(name, column);
                if (end)
                    use({table.columns[i], ReferencedColumn{name, column}.text(), *find(end->table, end->column),
                         *end});
            }
        }
    }

    static void tell_key(const ReferringTo& one) {
        if (!one.key.findings.empty()) return;
        one.key.findings = one.column.findings;
        for (Finding& finding : one.key.findings) finding.reason += fmt::format(", in {} that refers to it", one.name);
    }

    static void go_by_key(const ReferringTo& one) {
        one.column.other_type = !one.to.same_type && !one.key.findings.empty();
        if (one.column.other_type) {
            if (one.column.findings.empty()) one.column.findings = one.key.findings;
            return;
        }
        one.column.findings.clear();
        if (!one.key.findings.empty()) one.column.goes_by = one.to.text();
    }

    std::vector<ExaminedTable>& tables_;
    const ReferenceGraph& graph_;
};

}  // namespace

void share_findings(std::vector<ExaminedTable>& tables, const ReferenceGraph& graph) { Sharing(tables, graph).run(); }

}  // namespace pgsluice::rules
