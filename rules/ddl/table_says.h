// What the rules and routing files say about a table whose definition, or that of something on it, is in a DDL message.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "rules/ddl/definitions.h"

namespace pgsluice::rules {

struct TableSays {
    const TableRules* entry = nullptr;
    const Route* route = nullptr;
    TableRules rules;  // fitted
    bool strict = false;
    std::set<std::string> excluded;
    std::set<std::string> masked;
    std::set<std::string> ambiguous;             // masked, and different values may become the same
    std::set<std::string> unnamed;               // mode is strict, and no rule names them
    std::set<std::string> listed;                // by a route that lists columns; `excluded` has the others if known
    bool knows_columns = false;                  // all of the table's
    std::map<std::string, std::string> columns;  // to what they are renamed

    [[nodiscard]] bool hides() const {
        return !excluded.empty() || !masked.empty() || !unnamed.empty() || !listed.empty();
    }
    [[nodiscard]] bool excludes(const std::string& column) const {
        return excluded.contains(column) || (!listed.empty() && !listed.contains(column));
    }
    // Whether a text that PostgreSQL has printed names one of them.
    [[nodiscard]] bool names_excluded(std::string_view text) const;
    [[nodiscard]] std::set<std::string> hidden() const;
    [[nodiscard]] bool names(const std::string& column) const;
    // Whether a text that PostgreSQL has printed may be about the values of hidden columns.
    [[nodiscard]] bool is_about_hidden(std::string_view text) const;
};

class FilesSay {
   public:
    FilesSay(const RulesFile& file, const std::vector<Route>& routes, const Fitted& fitted)
        : file_(file), routes_(routes), fitted_(fitted) {}

    // Whether some route lists columns: what others are called is not known.
    [[nodiscard]] bool lists_columns() const;
    [[nodiscard]] bool nothing() const { return file_.tables.empty() && !file_.strict && routes_.empty(); }
    // Whether some table has columns that are not shown as they are.
    [[nodiscard]] bool hides_any() const;
    [[nodiscard]] TableSays of(const Relation& relation) const;
    // Of a table whose columns are not known, but for those that are given.
    [[nodiscard]] TableSays of(const ObjectName& table, const std::vector<ObjectName>& ancestors,
                               const std::vector<std::string>& columns = {}) const;
    [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }
    // A table that the rules file does not name is refused.
    [[nodiscard]] bool strict() const { return file_.strict; }
    // Words that a text about hidden values would hold: names of tables and columns with rules that hide, in lower
    // case.
    [[nodiscard]] std::set<std::string> hidden_words() const;
    // The same of what has another name on the target, or is not there.
    [[nodiscard]] std::set<std::string> routed_words() const;

   private:
    [[nodiscard]] TableSays begin(const Relation& relation) const;
    static void note_columns(TableSays& says, const Relation& relation);

    const RulesFile& file_;
    const std::vector<Route>& routes_;
    const Fitted& fitted_;
};

// A table as the row path knows it, from what the message says.
[[nodiscard]] Column column_of(const ColumnDefinition& definition);
[[nodiscard]] Relation relation_of(Oid oid, const TableDefinition& table);

// Whether neither rows of it nor itself are replicated under its name.
[[nodiscard]] bool is_left_out(const TableSays& says, const std::string& schema, const std::string& table);
// Gives it the names of its route.
void route(const TableSays& says, std::string& schema, std::string& table);

}  // namespace pgsluice::rules
