#include "rules/personal/json_tally.h"

#include <fmt/format.h>

#include <algorithm>

#include "rules/personal/column_names.h"
#include "rules/personal/looks.h"
#include "rules/values/leaves.h"

namespace pgsluice::rules {
namespace {

constexpr std::size_t most_paths = 64;  // of one column; with more, names are data

bool is_odd(std::string_view name) {
    const bool known = std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
               c == ' ';
    });
    const bool named = std::ranges::any_of(name, [](char c) { return c < '0' || c > '9'; });
    return !known || !named || name.size() > 40 || is_phone(name) || is_ssn(name) || is_card(name) || is_iban(name) ||
           is_full_name(name);
}

// Of the names on the path; the last one's words are of the leaf.
struct PathWords {
    std::vector<std::string> leaf;
    std::vector<std::string> before;
};

PathWords words_on(std::string_view path) {
    PathWords words;
    while (!path.empty()) {
        const std::size_t dot = path.find('.', 1);
        const auto part = name_words(path.substr(0, dot));
        path.remove_prefix(std::min(dot, path.size()));
        if (part.empty()) continue;
        words.before.insert(words.before.end(), words.leaf.begin(), words.leaf.end());
        words.leaf = part;
    }
    return words;
}

Finding finding_at(const std::string& path, const ValueFinding& seen, const std::vector<std::string>& about) {
    PathWords words = words_on(path);
    words.before.insert(words.before.end(), about.begin(), about.end());
    const PersonalKind named = kind_by_name(words.leaf, words.before);
    std::string reason;
    if (named != PersonalKind::none) reason = "its name in the JSON";
    if (seen.kind != PersonalKind::none)
        reason += fmt::format("{}{} of {} different values", reason.empty() ? "" : ", ", seen.hits, seen.values);
    const bool by_values = named == PersonalKind::none || named == PersonalKind::note;
    return {by_values && seen.kind != PersonalKind::none ? seen.kind : named, path, reason};
}

}  // namespace

void JsonTally::add(std::string_view json) {
    ++rows_;
    each_json_name(json, [&](std::string_view name) { odd_names_ = odd_names_ || is_odd(name); });
    each_json_leaf(json, [&](std::string_view path, std::string_view text) {
        auto found = leaves_.find(path);
        if (found == leaves_.end()) {
            too_many_ = too_many_ || leaves_.size() >= most_paths;
            if (too_many_) return;
            found = leaves_.emplace(std::string(path), Leaf{}).first;
        }
        Leaf& leaf = found->second;
        if (leaf.last_row != rows_) ++leaf.rows;
        leaf.last_row = rows_;
        leaf.values.add(text);
    });
}

std::vector<Finding> JsonTally::findings(const std::vector<std::string>& about) const {
    std::vector<Finding> found;
    bool rare = false;
    for (const auto& [path, leaf] : leaves_) {
        Finding finding = finding_at(path, leaf.values.finding(), about);
        if (finding.kind == PersonalKind::none) continue;
        rare = rare || (leaf.rows < 2 && rows_ > 1);
        found.push_back(std::move(finding));
    }
    const bool data = odd_names_ || too_many_ || rare;
    if (found.empty() && !data) return {};
    if (!data) return found;
    return {{PersonalKind::note, {}, "names within the JSON may be data themselves"}};
}

}  // namespace pgsluice::rules
