#include "tests/support/rules_reference.h"

#include <algorithm>
#include <utility>

#include "tests/support/hmac_reference.h"
#include "tests/support/json_reference.h"

namespace pgsluice::rules_test {
namespace {

struct Stop {};
enum class Answer { no, unclear, yes };

std::vector<std::string> characters(const std::string& text) {
    std::vector<std::string> out;
    for (const char c : text) {
        if ((static_cast<unsigned char>(c) & 0xc0) == 0x80) {
            out.back() += c;
        } else {
            out.emplace_back(1, c);
        }
    }
    return out;
}

std::string masked(const std::string& text) {
    const auto all = characters(text);
    std::string out;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const bool shown = all.size() > 2 && (i == 0 || i + 1 == all.size());
        out += shown ? all[i] : "*";
    }
    return out;
}

std::string without_vowels(const std::string& text, const std::string& by) {
    std::string out;
    for (const char c : text) out += std::string("aeiou").find(c) == std::string::npos ? std::string(1, c) : by;
    return out;
}

Cell transformed(const RefRule& rule, const Cell& cell);

// A value that comes out as it was stays as it was written; what is replaced becomes a string.
std::string json_value(const RefRule& rule, const JsonPlace& place) {
    const bool null = place.is == JsonPlace::Is::null;
    const Cell after = transformed(rule, null ? Cell{} : Cell{Cell::Is::text, place.value});
    if (after.is == Cell::Is::null) return "null";
    const bool scalar = place.is == JsonPlace::Is::scalar;
    const bool looks = rule.what != "constant" && rule.what != "redact";
    return scalar && looks && after.text == place.value ? place.value : '"' + after.text + '"';
}

Cell in_json(RefRule rule, const Cell& cell) {
    if (cell.is != Cell::Is::text) return cell;
    const auto paths = std::exchange(rule.paths, {});
    const bool whole = rule.what == "null" || rule.what == "constant" || rule.what == "redact";
    return {Cell::Is::text,
            rewrite_json(cell.text, paths, whole, [&](const JsonPlace& place) { return json_value(rule, place); })};
}

Cell transformed(const RefRule& rule, const Cell& cell) {
    if (!rule.paths.empty()) return in_json(rule, cell);
    if (cell.is == Cell::Is::unknown) return cell;
    if (rule.what == "constant") return {Cell::Is::text, rule.operands[0]};
    if (cell.is == Cell::Is::null || rule.what == "null") return {};
    if (rule.what == "mask") return {Cell::Is::text, masked(cell.text)};
    if (rule.what == "hash")
        return {Cell::Is::text, hmac_hex(reference_secret, cell.text).substr(0, std::stoul(rule.operands[0]))};
    if (rule.what == "redact") return {Cell::Is::text, "********"};
    if (rule.what == "regex") return {Cell::Is::text, without_vowels(cell.text, rule.operands[0])};
    std::string out;
    const auto all = characters(cell.text);
    for (std::size_t i = 0; i < std::min<std::size_t>(all.size(), std::stoul(rule.operands[0])); ++i) out += all[i];
    return {Cell::Is::text, out};
}

// Numbers have at most two decimals: in hundredths.
long hundredths(const std::string& text) {
    const auto point = text.find('.');
    std::string decimals = point == std::string::npos ? "" : text.substr(point + 1);
    decimals.resize(2, '0');
    return std::stol(text.substr(0, point) + decimals);
}

int compare(const std::string& a, const std::string& b, bool numbers) {
    if (numbers) return hundredths(a) < hundredths(b) ? -1 : hundredths(a) > hundredths(b) ? 1 : 0;
    return a < b ? -1 : a > b ? 1 : 0;
}

bool holds(const RefRule& rule, const std::string& text, bool numbers) {
    const auto order = [&](const std::string& operand) { return compare(text, operand, numbers); };
    const auto any = [&] {
        return std::any_of(rule.operands.begin(), rule.operands.end(), [&](auto& o) { return order(o) == 0; });
    };
    if (rule.what == "in") return any();
    if (rule.what == "not_in") return !any();
    if (rule.what == "contains") return text.find(rule.operands[0]) != std::string::npos;
    const int found = order(rule.operands[0]);
    if (rule.what == "eq") return found == 0;
    if (rule.what == "ne") return found != 0;
    if (rule.what == "lt") return found < 0;
    if (rule.what == "lte") return found <= 0;
    return rule.what == "gt" ? found > 0 : found >= 0;
}

Answer answer(const RefTable& table, const RefRule& rule, const Cell& cell) {
    if (cell.is == Cell::Is::unknown) return Answer::unclear;
    const bool null = cell.is == Cell::Is::null;
    if (rule.what == "is_null") return null ? Answer::yes : Answer::no;
    if (rule.what == "not_null") return null ? Answer::no : Answer::yes;
    if (null) return Answer::no;
    return holds(rule, cell.text, table.numbers.count(rule.column) > 0) ? Answer::yes : Answer::no;
}

// What all rules of one operation say to a row; `toast` names the columns whose unknown value is surely not NULL.
Answer judge(const RefTable& table, Record row, char op, const std::set<std::string>& toast, bool empty_delete) {
    Answer all = Answer::yes;
    std::set<std::string> touched;
    for (const RefRule& rule : table.rules) {
        if (rule.ops.count(op) == 0) continue;
        if (rule.kind == "transform") {
            row[rule.column] = transformed(rule, row[rule.column]);
            touched.insert(rule.column);
        }
        if (rule.kind != "filter") continue;
        Answer one = answer(table, rule, row[rule.column]);
        if (one == Answer::unclear && toast.count(rule.column) > 0 && touched.count(rule.column) == 0) {
            if (rule.what == "not_null") one = Answer::yes;
            if (rule.what == "is_null") one = Answer::no;
        }
        if (one == Answer::unclear && empty_delete) one = rule.allow_empty_deletes ? Answer::yes : Answer::no;
        all = std::min(all, one);
    }
    return all;
}

// Whether a transform is for the row: NULL makes no condition false, and what is unknown is surely not NULL.
Answer is_meant(const RefTable& table, const RefRule& rule, const Record& source) {
    Answer all = Answer::yes;
    for (const RefRule& condition : rule.when) {
        const Cell& cell = source.at(condition.column);
        const bool asks = condition.what == "is_null" || condition.what == "not_null";
        Answer one = answer(table, condition, cell);
        if (cell.is == Cell::Is::unknown && asks) one = condition.what == "not_null" ? Answer::yes : Answer::no;
        if (cell.is == Cell::Is::null && !asks) one = Answer::yes;
        all = std::min(all, one);
    }
    return all;
}

bool is_excluded(const RefTable& table, const std::string& column) {
    return std::any_of(table.rules.begin(), table.rules.end(),
                       [&](const RefRule& rule) { return rule.kind == "exclude_column" && rule.column == column; });
}

// Transforms of any of these operations.
std::vector<const RefRule*> transforms_of(const RefTable& table, const std::set<char>& ops) {
    std::vector<const RefRule*> found;
    for (const RefRule& rule : table.rules) {
        const bool meant = std::any_of(ops.begin(), ops.end(), [&](char op) { return rule.ops.count(op) > 0; });
        if (rule.kind == "transform" && meant && !is_excluded(table, rule.column)) found.push_back(&rule);
    }
    return found;
}

// Key-only rows keep nothing but their key. `source` is all that is known of the row.
Record rewritten(const RefTable& table, Record row, const std::set<char>& ops, bool key_only, const Record& source) {
    for (const RefRule* rule : transforms_of(table, ops)) {
        Cell& cell = row[rule->column];
        if (cell.is == Cell::Is::unknown || (key_only && table.keys.count(rule->column) == 0)) continue;
        const Answer meant = is_meant(table, *rule, source);
        if (meant == Answer::unclear) throw Stop{};
        if (meant == Answer::yes) cell = transformed(*rule, cell);
    }
    for (const RefRule& rule : table.rules)
        if (rule.kind == "exclude_column") row.erase(rule.column);
    return row;
}

RefResult insert(const RefTable& table, RefChange& change) {
    if (judge(table, change.new_row, 'I', {}, false) != Answer::yes) return RefResult::dropped;
    change.new_row = rewritten(table, change.new_row, {'I'}, false, change.new_row);
    return RefResult::passes;
}

// An old row with the columns it does not have as unknown.
Record known_old(const RefTable& table, const RefChange& change) {
    Record row;
    for (const auto& column : table.columns) {
        const bool there = change.old == 'f' || (change.old == 'k' && table.keys.count(column) > 0);
        row[column] = there ? change.old_row.at(column) : Cell{Cell::Is::unknown, {}};
    }
    return row;
}

RefResult del(const RefTable& table, RefChange& change) {
    if (judge(table, known_old(table, change), 'D', {}, true) != Answer::yes) return RefResult::dropped;
    change.old_row = rewritten(table, change.old_row, {'D'}, change.old == 'k', change.old_row);
    return RefResult::passes;
}

RefResult leave(const RefTable& table, RefChange& change) {
    if (table.route.count('D') == 0) return RefResult::dropped;
    if (change.old == '-') {
        change.old = 'k';
        for (const auto& column : table.columns) {
            const bool key = table.keys.count(column) > 0;
            change.old_row[column] = key ? change.new_row[column] : Cell{};
        }
    }
    change.op = 'D';
    change.new_row.clear();
    change.old_row = rewritten(table, change.old_row, {'U', 'D'}, change.old == 'k', change.old_row);
    return RefResult::passes;
}

RefResult enter(const RefTable& table, RefChange& change, const Record& complete) {
    if (table.route.count('I') == 0) return RefResult::dropped;
    for (const auto& [name, cell] : complete)
        if (cell.is == Cell::Is::unknown) throw Stop{};
    change = {'I', '-', rewritten(table, complete, {'I', 'U'}, false, complete), {}, false};
    return RefResult::passes;
}

// Whether an update may have changed what a transform's conditions say. `toast`: columns that it did not touch.
bool may_differ(const RefTable& table, const RefRule& rule, const Record& before, const Record& after,
                const std::set<std::string>& toast) {
    bool all_same = true;
    for (const RefRule& condition : rule.when) {
        const Cell& was = before.at(condition.column);
        const bool same =
            toast.count(condition.column) > 0 || (was.is != Cell::Is::unknown && was == after.at(condition.column));
        if (!same && was.is == Cell::Is::unknown) return true;
        all_same = all_same && same;
    }
    if (all_same) return false;
    const Answer now = is_meant(table, rule, after);
    return now == Answer::unclear || now != is_meant(table, rule, before);
}

// What the update did not touch becomes another value where another rule is for it now, and so it must be known.
Record with_reopened(const RefTable& table, Record row, const std::set<char>& ops, const Record& before,
                     const Record& after, const std::set<std::string>& toast) {
    for (const RefRule* rule : transforms_of(table, ops)) {
        Cell& cell = row[rule->column];
        if (cell.is != Cell::Is::unknown || !may_differ(table, *rule, before, after, toast)) continue;
        cell = after.at(rule->column);
        if (cell.is == Cell::Is::unknown) throw Stop{};
    }
    return row;
}

RefResult update(const RefTable& table, RefChange& change) {
    Record before = known_old(table, change);
    Record after = change.new_row;
    std::set<std::string> toast;
    for (const auto& column : table.columns) {
        if (after[column].is == Cell::Is::unknown) {
            toast.insert(column);
            after[column] = before[column];
        } else if (change.old == '-' && table.keys.count(column) > 0) {
            before[column] = after[column];  // the key did not change
        }
    }
    const bool filtered = std::any_of(table.rules.begin(), table.rules.end(),
                                      [](const RefRule& r) { return r.kind == "filter" && r.ops != std::set{'D'}; });
    if (filtered) {
        const Answer now = judge(table, after, 'U', toast, false);
        if (now == Answer::unclear) throw Stop{};
        const Answer inserted = judge(table, before, 'I', toast, false);
        const Answer updated = judge(table, before, 'U', toast, false);
        const Answer then = inserted == updated ? inserted : Answer::unclear;
        if (now == Answer::no) return then == Answer::no ? RefResult::dropped : leave(table, change);
        if (then == Answer::no) return enter(table, change, after);
        change.upsert = then == Answer::unclear;
    }
    const std::set<char> ops = change.upsert ? std::set{'I', 'U'} : std::set{'U'};
    change.new_row = with_reopened(table, change.new_row, ops, before, after, toast);
    change.new_row = rewritten(table, change.new_row, ops, false, after);
    if (change.old != '-') change.old_row = rewritten(table, change.old_row, {'U'}, change.old == 'k', change.old_row);
    return RefResult::passes;
}

}  // namespace

RefResult interpret(const RefTable& table, RefChange& change) {
    if (table.route.count(change.op) == 0) return RefResult::dropped;
    try {
        if (change.op == 'I') return insert(table, change);
        return change.op == 'U' ? update(table, change) : del(table, change);
    } catch (const Stop&) {
        return RefResult::stops;
    }
}

}  // namespace pgsluice::rules_test
