#include "cmd/commands/decrypt.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iostream>

#include "cmd/finding/source_tables.h"
#include "rules/rules_files.h"
#include "sql/error.h"

namespace pgsluice {

namespace {

using rules::Rule;
using rules::RulesFile;
using rules::TableRules;

bool is_of(const TableRules& entry, const rules::TableName& table) {
    return entry.name == table || (table.schema.empty() && entry.name.table == table.table);
}

// What was applied last comes first.
std::vector<const Rule*> transforms_of(const TableRules& entry, const std::string& column) {
    std::vector<const Rule*> found;
    for (const Rule& rule : entry.rules)
        if (rule.kind == Rule::Kind::transform && rule.column == column) found.push_back(&rule);
    std::reverse(found.begin(), found.end());
    return found;
}

bool are_same(const std::vector<const Rule*>& some, const std::vector<const Rule*>& others) {
    return std::ranges::equal(some, others, [](const Rule* one, const Rule* other) {
        return one->transform->meaning() == other->transform->meaning();
    });
}

// Of the entry of this name. Where that has none for the column, of those that are named with a schema, as entries are
// that inherit rules: several must agree.
std::vector<const Rule*> transforms_of(const RulesFile& file, const std::string& name) {
    const std::size_t dot = name.rfind('.');
    const Error not_one =
        usage_error(fmt::format("unable to decrypt: --column '{}' does not name one table and a column", name),
                    "Write table.column, or schema.table.column.");
    if (dot == std::string::npos) throw not_one;
    const auto table = rules::TableName::parse(name.substr(0, dot), {file.path, 0, {}, 0, {}});
    bool named = false;
    std::vector<const Rule*> transforms;
    for (const TableRules& entry : file.tables) {
        if (!is_of(entry, table)) continue;
        named = true;
        auto found = transforms_of(entry, name.substr(dot + 1));
        if (found.empty()) continue;
        if (entry.name == table) return found;
        if (!transforms.empty() && !are_same(transforms, found)) throw not_one;
        transforms = found;
    }
    if (!named)
        throw usage_error(
            fmt::format("unable to decrypt: {} has no rules for table '{}'", file.path, name.substr(0, dot)),
            "Name the table in --column as the rules file does. If the column inherits its rules along a foreign key, "
            "give --column the one that it refers to, or --source-url.");
    return transforms;
}

Error no_way_back(const std::string& column, std::string_view why) {
    return usage_error(fmt::format("unable to decrypt column '{}': {}", column, why),
                       "Only what encrypt, encrypt_digits and encrypt_number make can be turned back. If the column "
                       "inherits its rules along a foreign key, give --column the one that it refers to, or "
                       "--source-url.");
}

bool has_transforms(const RulesFile& file, const std::string& column) {
    try {
        return !transforms_of(file, column).empty();
    } catch (const Error&) {  // the rules of another column may be for it
        return false;
    }
}

// The file's rules; where these are for no such column, and a source is given, with what its foreign keys make of them.
RulesFile rules_for(const Settings& settings, const std::stop_token& stop) {
    RulesFile file = read_rules_files(settings.worker.rules).rules;
    if (!is_given(settings.replicator.source) || has_transforms(file, settings.decrypted_column)) return file;
    return with_inherited(file, settings.replicator.source, stop);
}

}  // namespace

std::string decrypted(const RulesFile& file, const std::string& column, const std::string& value) {
    const auto transforms = transforms_of(file, column);
    if (transforms.empty()) throw no_way_back(column, "no transform is for it");
    std::string text = value;
    for (const Rule* rule : transforms) {
        auto before = rule->transform->undone(text);
        if (!before) throw no_way_back(column, fmt::format("{} has no way back", rule->place.text()));
        text = std::move(*before);
    }
    return text;
}

void run_decrypt(Settings settings, const Log& /*log*/, std::stop_token stop) {
    const RulesFile file = rules_for(settings, stop);
    std::uint64_t number = 0;
    for (std::string line; !stop.stop_requested() && std::getline(std::cin, line);) {
        ++number;
        try {
            const std::string text = line.empty() ? line : decrypted(file, settings.decrypted_column, line);
            std::fwrite(text.data(), 1, text.size(), stdout);
            std::fputc('\n', stdout);
        } catch (const rules::Unreadable& unreadable) {
            std::fflush(stdout);
            throw stop_error(fmt::format("unable to decrypt line {}: {}", number, unreadable.reason),
                             "Give the rules file and the secret that the values were made with.");
        }
    }
}

}  // namespace pgsluice
