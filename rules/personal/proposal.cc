#include "rules/personal/proposal.h"

#include <fmt/format.h>

#include <algorithm>

namespace pgsluice::rules {
namespace {

// Of text.
std::string_view fake_of(PersonalKind kind) {
    switch (kind) {
        case PersonalKind::email:
            return "{type: email}";
        case PersonalKind::phone:
            return "{type: phone}";
        case PersonalKind::name:
            return "{type: name}";
        case PersonalKind::first_name:
            return "{type: first_name}";
        case PersonalKind::last_name:
            return "{type: last_name}";
        case PersonalKind::username:
            return "{type: username}";
        case PersonalKind::address:
            return "{type: street_address}";
        case PersonalKind::city:
            return "{type: city}";
        case PersonalKind::zip:
            return "{type: characters}";
        case PersonalKind::ssn:
            return "{type: ssn}";
        case PersonalKind::id_number:
            return "{type: characters}";
        case PersonalKind::card:
            return "{type: credit_card}";
        case PersonalKind::iban:
            return "{type: iban}";
        case PersonalKind::ip:
            return "{type: ipv4}";
        case PersonalKind::mac:
            return "{type: mac}";
        default:
            return {};
    }
}

// char(n) and varchar(n); 0: of any length.
std::int32_t length_of(const Column& column) {
    constexpr std::int32_t header = 4;  // atttypmod counts it
    return column.typmod > header && column.type_oid == column.base_oid ? column.typmod - header : 0;
}

std::string redact_for(const Column& column) {
    const std::int32_t length = length_of(column);
    return length > 0 && length < 8 ? fmt::format("{{type: redact, length: {}}}", length) : "{type: redact}";
}

// All numbers of a kind as likely, within the type.
std::string_view range_of(const Column& column) {
    switch (column.base_oid != 0 ? column.base_oid : column.type_oid) {
        case 20:
            return "{type: integer, min: 1000000000, max: 9999999999}";
        case 21:
            return "{type: integer, min: 1, max: 9999}";
        default:
            return "{type: integer, min: 1, max: 99999}";
    }
}

void add_numbers(std::vector<std::string>& all, PersonalKind kind, const Column& column) {
    if (kind == PersonalKind::place) all.emplace_back("{type: noise, absolute: 1}");
    if (kind == PersonalKind::sensitive) all.emplace_back("{type: noise, percent: 20}");
    if (kind == PersonalKind::birth) all.emplace_back("{type: noise, absolute: 5}");
    all.emplace_back(range_of(column));
    all.emplace_back("{type: constant, value: 0}");
}

void add_text(std::vector<std::string>& all, PersonalKind kind, const Column& column) {
    if (const auto fake = fake_of(kind); !fake.empty()) all.emplace_back(fake);
    all.push_back(redact_for(column));
    all.emplace_back("{type: hash, length: 32}");
    all.emplace_back("{type: hash}");
    all.emplace_back("{type: characters}");
    all.emplace_back("{type: constant, value: ''}");
}

// The transforms' parameters.
std::vector<std::string> transforms(PersonalKind kind, const Column& column, ValueType type) {
    std::vector<std::string> all;
    switch (type) {
        case ValueType::text:
        case ValueType::padded_text:
            add_text(all, kind, column);
            break;
        case ValueType::number:
            add_numbers(all, kind, column);
            break;
        case ValueType::date:
            if (kind == PersonalKind::birth) all.emplace_back("{type: date_of_birth}");
            [[fallthrough]];
        case ValueType::timestamp:
        case ValueType::timestamptz:
            all.emplace_back("{type: truncate_date, to: year}");
            break;
        case ValueType::boolean:
            all.emplace_back("{type: boolean}");
            break;
        case ValueType::uuid:
            all.emplace_back("{type: uuid}");
            break;
        case ValueType::bytea:
            all.emplace_back("{type: hash}");
            all.emplace_back("{type: constant, value: '\\x'}");
            break;
        case ValueType::json:
        case ValueType::array:
            all.emplace_back("{type: constant, value: '{}'}");
            break;
        default:
            if (const auto fake = fake_of(kind); !fake.empty()) all.emplace_back(fake);
            break;
    }
    return all;
}

bool is_plain(std::string_view text) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    static constexpr std::string_view words[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
    std::string lower;
    for (const char c : text) {
        if (!letter(c) && (c < '0' || c > '9')) return false;
        lower += static_cast<char>(c | 0x20);
    }
    return !text.empty() && letter(text[0]) && std::ranges::find(words, lower) == std::end(words);
}

// A part of a table's name that holds a dot or a quote is in quotes.
std::string name_part(std::string_view name) {
    if (name.find_first_of(".\"*") == std::string_view::npos) return std::string(name);
    std::string out = "\"";
    for (const char c : name) {
        if (c == '"') out += c;
        out += c;
    }
    return out + '"';
}

}  // namespace

std::string yaml_text(std::string_view text) {
    if (is_plain(text)) return std::string(text);
    std::string out = "\"";
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : '\0');
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
        } else if (c == '\xc2' && next >= 0x80 && next < 0xa0) {  // a control character as well
            out += fmt::format("\\x{:02x}", static_cast<unsigned>(next));
            ++i;
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string yaml_table(std::string_view schema, std::string_view table) {
    const std::string name = name_part(schema) + "." + name_part(table);
    const bool plain = is_plain(schema) && is_plain(table);
    return plain ? name : yaml_text(name);
}

std::vector<std::string> proposals(const Finding& finding, const Column& column, bool nullable) {
    const std::string name = yaml_text(column.name);
    std::vector<std::string> rules;
    const auto add = [&](std::string_view parameters) {
        rules.push_back(fmt::format("{{type: transform, column: {}, parameters: {}}}", name, parameters));
    };
    if (!finding.path.empty()) {
        // Within JSON all are text, and of any length.
        const auto fake = fake_of(finding.kind);
        for (const std::string_view inner :
             {fake.empty() ? "{type: redact}" : fake, std::string_view("{type: redact}")})
            add(fmt::format("{{type: json, path: {}, transform: {}}}", yaml_text(finding.path), inner));
    }
    for (const std::string& parameters : transforms(finding.kind, column, value_type(column))) add(parameters);
    if (nullable) add("{type: 'null'}");
    rules.push_back(fmt::format("{{type: exclude_column, column: {}}}", name));
    return rules;
}

}  // namespace pgsluice::rules
