// What the rules and routing files say, before any relation is known.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/filter.h"
#include "rules/place.h"
#include "rules/transforms/transform.h"
#include "stream/change.h"

namespace pgsluice::rules {

// A set of operations.
class Operations {
   public:
    constexpr Operations() noexcept = default;
    constexpr Operations(std::initializer_list<Op> ops) noexcept {
        for (const Op op : ops) bits_ |= bit(op);
    }
    [[nodiscard]] constexpr bool has(Op op) const noexcept { return (bits_ & bit(op)) != 0; }
    [[nodiscard]] constexpr bool any(Operations others) const noexcept { return (bits_ & others.bits_) != 0; }
    [[nodiscard]] constexpr bool all(Operations others) const noexcept {
        return (bits_ & others.bits_) == others.bits_;
    }
    [[nodiscard]] constexpr Operations operator&(Operations others) const noexcept {
        Operations both;
        both.bits_ = bits_ & others.bits_;
        return both;
    }
    constexpr Operations& operator|=(Operations others) noexcept {
        bits_ |= others.bits_;
        return *this;
    }
    friend constexpr bool operator==(Operations, Operations) noexcept = default;
    // "insert, update"
    [[nodiscard]] std::string text() const;

   private:
    static constexpr unsigned bit(Op op) noexcept { return 1U << static_cast<unsigned>(op); }
    unsigned bits_ = 0;
};

inline constexpr Operations row_operations{Op::insert, Op::update, Op::del};
inline constexpr Operations all_operations{Op::insert, Op::update, Op::del, Op::truncate};

// A list of INSERT, UPDATE, DELETE (and TRUNCATE, when `known` has it), in any case. usage Error when empty.
Operations read_operations(const Node& node, const Place& place, Operations known);

// "users" or "shop.users"; a part with a dot in it is written in double quotes.
struct TableName {
    std::string schema;  // empty: any
    std::string table;
    bool pattern = false;  // a '*' stands for any characters

    static TableName parse(std::string_view text, const Place& place);
    // The same, and "app_*.orders".
    static TableName parse_pattern(std::string_view text, const Place& place);
    static TableName any() { return {"", "*", true}; }
    [[nodiscard]] bool matches(std::string_view in_schema, std::string_view name) const;
    // Of several that match the one with the highest counts: with its schema, without, a pattern, any table.
    [[nodiscard]] int rank() const;
    [[nodiscard]] bool matches(const Relation& relation) const { return matches(relation.schema, relation.table); }
    // Whether it names the relation or a partitioned table above it.
    [[nodiscard]] bool covers(const Relation& relation) const;
    friend bool operator==(const TableName&, const TableName&) = default;
};

// A condition on another column of the row, or on the rule's own.
struct ColumnCondition {
    std::string column;
    Condition condition;
};

struct Rule {
    enum class Kind { transform, filter, exclude, keep } kind = Kind::keep;
    Place place;
    std::string column;
    std::string was;  // what the column was called before; empty: the rule does not say
    Operations operations = row_operations;
    std::shared_ptr<const Transform> transform;
    std::optional<Condition> condition;
    std::vector<ColumnCondition> when;  // of a transform: the rows that it is for; empty: all
    bool allow_empty_deletes = false;
    bool allow_uniqueness_loss = false;
    bool allow_type_change = false;
    bool allow_key_mismatch = false;  // a foreign key of its column need not hold (rules/keys/inherited_rules.h)
    std::string inherited_from{};     // "public.users.id", to which its column refers; empty: the file has it
    bool by_list = false;             // of what a route says of columns (rules/listed_columns.h), or a `when` reads

    // A filter by keyed hash (rules/rows/sampling.h); null: it is none.
    [[nodiscard]] const Sampling* sampling() const { return condition ? condition->sampling.get() : nullptr; }
};

struct TableRules {
    TableName name;
    Place place;
    bool strict = false;  // every column must be named by a transform, exclude_column or keep
    std::vector<Rule> rules;
};

struct RulesFile {
    std::string path;     // empty: none
    bool strict = false;  // a table that the file does not name is refused
    std::vector<TableRules> tables;
};

// A column that a route adds to every row.
struct ConstantColumn {
    std::string name;
    std::string value;  // PostgreSQL's text of it; {schema} and {table} stand for the source's
    Column type;        // but for the name
};

// A column of the source that a route lists.
struct ListedColumn {
    std::string name;
    Place place;
};

// An SQL expression (rules/expressions/).
struct WrittenExpression {
    std::string text;  // empty: none
    Place place;
    std::vector<std::string> columns;  // that it names
};

// A column of the target that an expression over the source's row makes: one that the source does not have, or one of
// its own, whose values it replaces.
struct ComputedColumn {
    std::string name;
    WrittenExpression expression;
};

struct Route {
    TableName source;
    TableName target;  // an empty schema or table: the source's
    Place place;
    bool replicate = true;
    std::vector<std::pair<std::string, std::string>> columns;  // source to target
    Operations operations = all_operations;
    std::vector<ConstantColumn> constants;  // come first
    WrittenExpression where;                // rows for which it is true
    std::vector<ListedColumn> only;         // the source's columns that the target gets; empty: all
    std::vector<ComputedColumn> set;        // those that the source does not have come last
    Keeping::Mode mode = Keeping::Mode::clone;
    HistoryColumns history;

    // Whether it is of one table, under its name.
    [[nodiscard]] bool names_table() const { return !source.pattern; }
    // Whether it sends rows of some source table into this one. False where that depends on the source's name: of a
    // pattern without a name of its own for the target.
    [[nodiscard]] bool fills(std::string_view schema, std::string_view table) const;
    // What the relation's rows get.
    [[nodiscard]] Keeping keeping(const Relation& relation) const;
};

RulesFile read_rules(const Node& root, const std::string& path);
std::vector<Route> read_routes(const Node& root, const std::string& path);

// The entry of this name, of the highest rank and at least this one; of several the first. Null when there is none.
template <typename Entry>
const Entry* entry_of(const std::vector<Entry>& entries, std::string_view schema, std::string_view table,
                      TableName Entry::*name, int least_rank = 0) {
    const Entry* found = nullptr;
    for (const Entry& entry : entries) {
        const TableName& named = entry.*name;
        if (named.rank() < least_rank || !named.matches(schema, table)) continue;
        if (found == nullptr || named.rank() > (found->*name).rank()) found = &entry;
    }
    return found;
}

// The entry for a table; for a partition without one of its own, that of the nearest table above it which has one. One
// for any table comes last.
template <typename Entry>
const Entry* entry_for(const std::vector<Entry>& entries, const Relation& relation, TableName Entry::*name) {
    const Entry* found = entry_of(entries, relation.schema, relation.table, name, 1);
    for (auto above = relation.ancestors.begin(); found == nullptr && above != relation.ancestors.end(); ++above)
        found = entry_of(entries, above->schema, above->table, name, 1);
    return found != nullptr ? found : entry_of(entries, relation.schema, relation.table, name);
}

}  // namespace pgsluice::rules
