// A second opinion on what rules mean: one row at a time, column by name, rule by rule in the file's order. Slow and
// plain on purpose, and sharing no code with rules/.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pgsluice::rules_test {

struct Cell {
    enum class Is { null, unknown, text } is = Is::null;  // unknown: unchanged TOAST, or not in an old row
    std::string text;
    bool operator==(const Cell&) const = default;
};
using Record = std::map<std::string, Cell>;

struct RefRule {
    std::string kind;  // transform, filter, exclude_column, keep
    std::string column;
    std::string what;                   // the transform's type, or the operator
    std::vector<std::string> operands;  // value(s), or the transform's parameter; of hash: the length
    std::vector<std::string> paths{};   // of a transform inside JSON: `what` and `operands` are those of the inner one
    std::set<char> ops{'I', 'U', 'D'};
    bool allow_empty_deletes = false;
    std::vector<RefRule> when{};  // of a transform: conditions, of which column, what and operands count
};

struct RefChange {
    char op = 'I';
    char old = '-';  // '-' none, 'k' key, 'f' full
    Record new_row;
    Record old_row;
    bool upsert = false;
    bool operator==(const RefChange&) const = default;
};

struct RefTable {
    std::vector<std::string> columns;
    std::set<std::string> keys;
    std::set<std::string> numbers;
    std::set<char> route{'I', 'U', 'D'};
    std::vector<RefRule> rules;
};

// The secret of all hashes.
inline const std::string reference_secret = "a secret of the reference";

enum class RefResult { passes, dropped, stops };

// Changes `change` as the rules say.
RefResult interpret(const RefTable& table, RefChange& change);

}  // namespace pgsluice::rules_test
