// Columns that rows have and that the target's table lacks: refused, left out, or added (--on-missing-column).
//
// What the rows say of a column is its name, its number on the source and its type, nothing else: not whether another
// column was renamed to it, not its default. A column's number tells a new one from a renamed one where the table's
// definition before this one was met in the same session; otherwise a column that only the target has may be the same
// one under its old name.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sinks/options.h"
#include "sinks/postgres/target.h"
#include "sql/error.h"
#include "stream/base/log.h"
#include "stream/change.h"

namespace pgsluice {

class MissingColumns {
   public:
    // Both must outlive it.
    MissingColumns(sql::Connection& connection, OnMissingColumn policy, const Log& log)
        : connection_(connection), policy_(policy), log_(log) {}

    // Rows of `relation` are to be written to `table`, which may have other columns afterwards. A stop Error where it
    // lacks a column that can neither be left out nor added. The connection must be free; a column is added in the
    // transaction that is open, or else in one of its own.
    void resolve(const Relation& relation, TargetTable& table);
    // The target's tables have become what the source's are.
    void forget() { met_.clear(); }
    // The table's rows come again.
    void forget(Oid oid) { met_.erase(oid); }
    // All that resolve() would refuse, without doing anything.
    [[nodiscard]] std::vector<Error> faults(const Relation& relation, const TargetTable& table);

   private:
    struct Missing {
        const Column* column = nullptr;
        std::string type;                    // on the target, with its length; empty: the target has no such type
        std::vector<std::string> old_names;  // it may have one of these on the target
    };

    [[nodiscard]] std::vector<Missing> find(const Relation& relation, const TargetTable& table);
    [[nodiscard]] std::vector<std::string> old_names(const Column& column, const Relation& relation,
                                                     const TargetTable& table) const;
    [[nodiscard]] std::string type_of(const Column& column);
    static void require_dispensable(const Relation& relation, const TargetTable& table, const Missing& missing);
    void leave_out(const Relation& relation, const TargetTable& table, const Missing& missing) const;
    static void require_addable(const Relation& relation, const TargetTable& table, const Missing& missing);
    void refuse_unless_allowed(const Relation& relation, const TargetTable& table, const Missing& missing) const;
    void add(const Relation& relation, const TargetTable& table, const Missing& missing);
    [[nodiscard]] QualifiedName altered_table(const TargetTable& table);
    void alter(const QualifiedName& table, const Column& column, const std::string& type);
    void remember(const Relation& relation, const TargetTable& table);

    sql::Connection& connection_;
    const OnMissingColumn policy_;
    const Log& log_;
    std::map<Oid, Relation> met_;  // each table's definition that was planned last
};

}  // namespace pgsluice
