#include "stream/table_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include "sql/error.h"
#include "stream/process/shell.h"

namespace pgsluice {

namespace {

// One part of a name as it is written.
struct Part {
    std::string text;
    bool quoted = false;
};

// Takes what is in quotes off the front of `text`, and the quotes.
std::string take_quoted(std::string_view& text, std::string_view whole) {
    std::string part;
    for (;;) {
        text.remove_prefix(1);
        const auto quote = text.find('"');
        if (quote == std::string_view::npos) {
            throw usage_error(fmt::format("unable to use table name '{}': a quote is not closed", whole));
        }
        part += text.substr(0, quote);
        text.remove_prefix(quote + 1);
        if (!text.starts_with('"')) return part;
        part += '"';
    }
}

Part take_part(std::string_view& text, std::string_view whole) {
    Part part;
    if (text.starts_with('"')) {
        part = {take_quoted(text, whole), true};
    } else {
        part.text = text.substr(0, text.find('.'));
        text.remove_prefix(part.text.size());
    }
    if (part.text.empty() || !(text.empty() || text.starts_with('.'))) {
        throw usage_error(fmt::format("unable to use table name '{}': not 'table' or 'schema.table'", whole),
                          "Put a name that has a dot in it in double quotes: shop.\"a.b\".");
    }
    return part;
}

// The schema, if there is one, and the table.
std::pair<std::optional<Part>, Part> take_parts(std::string_view text) {
    std::string_view rest = text;
    Part first = take_part(rest, text);
    if (rest.empty()) return {std::nullopt, std::move(first)};
    rest.remove_prefix(1);
    Part second = take_part(rest, text);
    if (!rest.empty()) throw usage_error(fmt::format("unable to use table name '{}': more than two parts", text));
    return {std::move(first), std::move(second)};
}

NamePattern pattern_of(Part part) {
    const bool wildcard = !part.quoted && part.text.find('*') != std::string::npos;
    return {std::move(part.text), wildcard};
}

std::string quoted_part(const std::string& name) {
    const bool plain = !name.empty() && std::all_of(name.begin(), name.end(),
                                                    [](unsigned char c) { return c == '_' || std::isalnum(c) != 0; });
    if (plain) return name;
    std::string text = "\"";
    for (const char c : name) text += c == '"' ? std::string("\"\"") : std::string(1, c);
    return text + '"';
}

}  // namespace

QualifiedName parse_table_name(std::string_view text, std::string_view default_schema) {
    auto [schema, table] = take_parts(text);
    return {schema ? std::move(schema->text) : std::string(default_schema), std::move(table.text)};
}

TablePattern parse_table_pattern(std::string_view text, std::string_view default_schema) {
    auto [schema, table] = take_parts(text);
    return {schema ? pattern_of(std::move(*schema)) : NamePattern{std::string(default_schema), false},
            pattern_of(std::move(table))};
}

// After a mismatch, the last '*' takes one more character.
bool NamePattern::matches(std::string_view name) const {
    if (!wildcard) return name == text;
    std::size_t at = 0;
    std::size_t in_text = 0;
    std::optional<std::pair<std::size_t, std::size_t>> last_star;  // what follows it, and where that is tried
    while (at < name.size()) {
        if (in_text < text.size() && text[in_text] == '*') {
            last_star = {++in_text, at};
        } else if (in_text < text.size() && text[in_text] == name[at]) {
            ++in_text;
            ++at;
        } else if (last_star) {
            in_text = last_star->first;
            at = ++last_star->second;
        } else {
            return false;
        }
    }
    return text.find_first_not_of('*', in_text) == std::string::npos;
}

std::string NamePattern::like() const {
    std::string out;
    for (const char c : text) {
        if (wildcard && c == '*') {
            out += '%';
            continue;
        }
        if (c == '%' || c == '_' || c == '\\') out += '\\';
        out += c;
    }
    return out;
}

bool TablePattern::matches(std::string_view in_schema, std::string_view name) const {
    if (schema.wildcard && is_reserved_schema(in_schema)) return false;
    return schema.matches(in_schema) && table.matches(name);
}

std::string shell_argument(const QualifiedName& table) {
    std::string name = quoted_part(table.schema) + '.' + quoted_part(table.table);
    return name.find('"') == std::string::npos ? name : shell_quoted(name);
}

bool is_reserved_schema(std::string_view schema) {
    return schema.starts_with("pg_") || schema == "information_schema" || schema == "pgsluice";
}

}  // namespace pgsluice
