// Random rules over random rows: the compiled rules and the reference interpreter must agree on every change.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <random>

#include "tests/support/rules_reference.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;

namespace {

class Dice {
   public:
    explicit Dice(unsigned seed) : engine_(seed) {}
    std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(engine_); }
    bool chance(unsigned percent) { return below(100) < percent; }
    template <typename T>
    const T& of(const std::vector<T>& choices) {
        return choices[below(choices.size())];
    }

   private:
    std::mt19937 engine_;
};

const std::vector<std::string> sample_words{"",      "a",     "ab",     "abc", "äöü",
                                            "zebra", "queue", "日本語", "B",   "john@example.com"};
const std::vector<std::string> sample_numbers{"0", "0.00", "-1", "-1.5", "1.50", "1.5", "17", "18", "18.01", "1000000"};

// id is the key; n is a number, a and b are text, j is JSON.
RefTable random_table(Dice& dice, bool full) {
    RefTable table{{"id", "a", "n", "b", "j"}, {"id"}, {"n"}, {'I', 'U', 'D'}, {}};
    if (full) table.keys = {"id", "a", "n", "b", "j"};
    if (dice.chance(20)) table.route = dice.of(std::vector<std::set<char>>{{'I'}, {'I', 'U'}, {'I', 'D'}, {'U', 'D'}});
    return table;
}

std::set<char> random_ops(Dice& dice) {
    return dice.of(
        std::vector<std::set<char>>{{'I', 'U', 'D'}, {'I', 'U', 'D'}, {'I'}, {'U'}, {'D'}, {'I', 'U'}, {'U', 'D'}});
}

RefRule random_filter(Dice& dice, const std::vector<std::string>& columns = {"id", "a", "n", "b"}) {
    RefRule rule{"filter", dice.of(columns), "", {}, {}, random_ops(dice), dice.chance(50)};
    const auto& words = rule.column == "n" ? sample_numbers : sample_words;
    rule.what = dice.of(std::vector<std::string>{"eq", "ne", "gt", "lt", "gte", "lte", "in", "not_in", "is_null",
                                                 "not_null", rule.column == "n" ? "gt" : "contains"});
    const bool list = rule.what == "in" || rule.what == "not_in";
    if (rule.what != "is_null" && rule.what != "not_null")
        for (std::size_t i = list ? 1 + dice.below(3) : 1; i > 0; --i) rule.operands.push_back(dice.of(words));
    return rule;
}

RefRule random_transform(Dice& dice, bool full) {
    RefRule rule{
        "transform", dice.of(std::vector<std::string>{"id", "a", "b", "b", "j", "j"}), "", {}, {}, random_ops(dice),
        false};
    if (full || rule.column == "id") rule.ops = {'I', 'U', 'D'};
    if (rule.column == "j") {
        const std::vector<std::string> paths{"$",     "$.a",      "$.b",    "$..s",     "$.*",
                                             "$.a.b", "$.a[*].s", "$.b[0]", "$..a[1].b"};
        for (std::size_t i = 1 + dice.below(2); i > 0; --i) rule.paths.push_back(dice.of(paths));
    }
    rule.what = dice.of(std::vector<std::string>{"mask", "regex", "null", "constant", "redact", "truncate", "hash"});
    if (rule.what == "regex") rule.operands = {dice.of(std::vector<std::string>{"", "#", "xy"})};
    if (rule.what == "constant") rule.operands = {dice.of(sample_words)};
    if (rule.what == "truncate") rule.operands = {dice.of(std::vector<std::string>{"0", "1", "3"})};
    if (rule.what == "hash") rule.operands = {dice.of(std::vector<std::string>{"8", "32", "64"})};
    const bool of_key = rule.column == "id" && !full;
    if (dice.chance(30))
        for (std::size_t i = 1 + dice.below(2); i > 0; --i)
            rule.when.push_back(of_key ? random_filter(dice, {"id"}) : random_filter(dice));
    return rule;
}

// A filter below it on its column would be refused.
void leave_out_refused(std::vector<RefRule>& rules) {
    std::set<std::string> filtered;
    for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) {
        if (rule->kind == "filter") filtered.insert(rule->column);
        if (filtered.count(rule->column) > 0) rule->when.clear();
    }
}

std::string quoted_list(const std::vector<std::string>& items) {
    std::string out;
    for (const auto& item : items) out += fmt::format("{}'{}'", out.empty() ? "" : ", ", item);
    return "[" + out + "]";
}

std::string random_json(Dice& dice, int depth) {
    const std::string blank = dice.chance(30) ? " " : "";
    const auto kind = dice.below(depth > 0 ? 10 : 5);
    if (kind < 3) return '"' + dice.of(sample_words) + '"';
    if (kind < 5) return dice.of(std::vector<std::string>{"null", "true", "7", "-1.50", "12345"});
    std::string out;
    for (std::size_t i = dice.below(4); i > 0; --i) {
        if (!out.empty()) out += "," + blank;
        if (kind < 8) out += dice.of(std::vector<std::string>{"\"a\"", "\"b\"", "\"s\""}) + blank + ":";
        out += blank + random_json(dice, depth - 1) + blank;
    }
    return kind < 8 ? "{" + blank + out + "}" : "[" + out + blank + "]";
}

std::string condition(const RefRule& rule) {
    const bool list = rule.what == "in" || rule.what == "not_in";
    const std::string value = list                    ? ", values: " + quoted_list(rule.operands)
                              : rule.operands.empty() ? ""
                                                      : fmt::format(", value: '{}'", rule.operands[0]);
    return fmt::format("operator: {}{}", rule.what, value);
}

std::string parameters(const RefRule& rule) {
    if (rule.kind == "filter") return "{" + condition(rule) + "}";
    std::string more;
    if (rule.what == "regex") more = fmt::format(", pattern: '[aeiou]', replace: '{}'", rule.operands[0]);
    if (rule.what == "constant") more = fmt::format(", value: '{}'", rule.operands[0]);
    if (rule.what == "truncate" || rule.what == "hash") more = ", length: " + rule.operands[0];
    const std::string transform = fmt::format("{{type: '{}'{}}}", rule.what, more);
    if (rule.paths.empty()) return transform;
    return fmt::format("{{type: json, paths: {}, transform: {}}}", quoted_list(rule.paths), transform);
}

std::string operations(const std::set<char>& ops) {
    std::string out;
    for (const char op : ops)
        out += fmt::format("{}{}", out.empty() ? "" : ", ", op == 'I' ? "INSERT" : op == 'U' ? "UPDATE" : "DELETE");
    return "[" + out + "]";
}

std::string when(const RefRule& rule) {
    std::string out;
    for (const RefRule& one : rule.when)
        out += fmt::format("{}{{column: {}, {}}}", out.empty() ? "" : ", ", one.column, condition(one));
    return out.empty() ? "" : ", when: [" + out + "]";
}

std::string yaml(const RefTable& table) {
    std::string out = "secret_env: PGSLUICE_PROPERTY_SECRET\ntables:\n  t:\n    - {type: keep, column: id}\n";
    for (const RefRule& rule : table.rules) {
        out +=
            fmt::format("    - {{type: {}, column: {}, operations: {}", rule.kind, rule.column, operations(rule.ops));
        if (rule.kind != "exclude_column") out += ", parameters: " + parameters(rule) + when(rule);
        out += fmt::format(", allow_empty_deletes: {}, allow_uniqueness_loss: true}}\n", rule.allow_empty_deletes);
    }
    return out;
}

Cell random_cell(Dice& dice, const std::string& column, bool may_be_toast) {
    if (column == "id") return {Cell::Is::text, dice.of(sample_words)};
    if (dice.chance(15)) return {};
    if (may_be_toast && dice.chance(15)) return {Cell::Is::unknown, {}};
    if (column == "j") return {Cell::Is::text, random_json(dice, 3)};
    return {Cell::Is::text, dice.of(column == "n" ? sample_numbers : sample_words)};
}

RefChange random_change(Dice& dice, const RefTable& table, bool full) {
    RefChange change;
    change.op = dice.of(std::vector<char>{'I', 'U', 'U', 'U', 'D'});
    if (change.op == 'U') change.old = full ? 'f' : dice.of(std::vector<char>{'-', '-', 'k'});
    if (change.op == 'D') change.old = full ? 'f' : 'k';
    for (const auto& column : table.columns) {
        if (change.op != 'D') change.new_row[column] = random_cell(dice, column, change.op == 'U');
        const bool there = change.old == 'f' || (change.old == 'k' && table.keys.count(column) > 0);
        if (change.old != '-') change.old_row[column] = there ? random_cell(dice, column, false) : Cell{};
    }
    return change;
}

// A row's values in the order of the relation's columns, as views into the record.
Values to_values(const Record& record, const RelationPtr& relation) {
    Values out;
    for (const Column& column : relation->columns) {
        const auto found = record.find(column.name);
        if (found == record.end()) return {};
        const Cell& cell = found->second;
        out.push_back(cell.is == Cell::Is::null ? null : cell.is == Cell::Is::unknown ? toast : text(cell.text));
    }
    return out;
}

void agree(const CompiledRules& compiled, const RefTable& table, const RelationPtr& source, RefChange reference) {
    const RefChange original = reference;
    const Values new_row = to_values(original.new_row, source);
    const Values old_row = to_values(original.old_row, source);
    Change change = insert(source, new_row);
    change.op = original.op == 'I' ? Op::insert : original.op == 'U' ? Op::update : Op::del;
    change.old_kind = original.old == '-' ? OldRow::none : original.old == 'k' ? OldRow::key : OldRow::full;
    change.old_row = old_row;
    Arena arena;
    const RefResult expected = interpret(table, reference);
    RefResult found = RefResult::stops;
    try {
        found = compiled.apply(change, arena) ? RefResult::passes : RefResult::dropped;
    } catch (const Error&) {
    }
    CAPTURE(original.op);
    CAPTURE(new_row);
    CAPTURE(old_row);
    REQUIRE(found == expected);
    if (expected != RefResult::passes) return;
    CHECK((change.op == Op::insert ? 'I' : change.op == Op::update ? 'U' : 'D') == reference.op);
    CHECK((change.old_kind == OldRow::none ? '-' : change.old_kind == OldRow::key ? 'k' : 'f') == reference.old);
    CHECK(change.upsert == reference.upsert);
    CHECK(change.relation == compiled.target().get());
    CHECK(values(change.new_row) == to_values(reference.new_row, compiled.target()));
    CHECK(values(change.old_row) == to_values(reference.old_row, compiled.target()));
}

}  // namespace

TEST_CASE("the compiled rules agree with the reference interpreter") {
    setenv("PGSLUICE_PROPERTY_SECRET", reference_secret.c_str(), 1);
    for (unsigned seed = 1; seed <= 400; ++seed) {
        Dice dice(seed);
        const bool full = dice.chance(40);
        RefTable table = random_table(dice, full);
        for (std::size_t i = dice.below(6); i > 0; --i)
            table.rules.push_back(dice.chance(50) ? random_filter(dice) : random_transform(dice, full));
        leave_out_refused(table.rules);
        if (dice.chance(25)) table.rules.push_back({"exclude_column", "b", "", {}, {}, {'I', 'U', 'D'}, false});
        const RelationPtr source =
            relation("t",
                     {column("id", text_type, true), column("a", text_type), column("n", numeric_type),
                      column("b", text_type), column("j", jsonb_type)},
                     full ? ReplicaIdentity::full : ReplicaIdentity::default_key);
        const std::string rules = yaml(table);
        CAPTURE(seed);
        CAPTURE(rules);
        const auto compiled = load(rules, "t: {operations: " + operations(table.route) + "}")->compile(source);
        for (int i = 0; i < 60; ++i) agree(*compiled, table, source, random_change(dice, table, full));
    }
}
