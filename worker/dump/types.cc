#include "worker/dump/types.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "sql/quote.h"

namespace pgsluice::dump {

namespace {

struct BuiltIn {
    std::string_view name;  // as format_type() has it
    Oid oid;
};

// pg_type.dat; these never change.
constexpr std::array built_in_types{
    BuiltIn{"boolean", 16},
    BuiltIn{"bytea", 17},
    BuiltIn{"\"char\"", 18},
    BuiltIn{"name", 19},
    BuiltIn{"bigint", 20},
    BuiltIn{"smallint", 21},
    BuiltIn{"integer", 23},
    BuiltIn{"text", 25},
    BuiltIn{"oid", 26},
    BuiltIn{"json", 114},
    BuiltIn{"xml", 142},
    BuiltIn{"point", 600},
    BuiltIn{"lseg", 601},
    BuiltIn{"path", 602},
    BuiltIn{"box", 603},
    BuiltIn{"polygon", 604},
    BuiltIn{"line", 628},
    BuiltIn{"cidr", 650},
    BuiltIn{"real", 700},
    BuiltIn{"double precision", 701},
    BuiltIn{"circle", 718},
    BuiltIn{"macaddr8", 774},
    BuiltIn{"money", 790},
    BuiltIn{"macaddr", 829},
    BuiltIn{"inet", 869},
    BuiltIn{"bpchar", 1042},
    BuiltIn{"character", 1042},
    BuiltIn{"character varying", 1043},
    BuiltIn{"date", 1082},
    BuiltIn{"time without time zone", 1083},
    BuiltIn{"timestamp without time zone", 1114},
    BuiltIn{"timestamp with time zone", 1184},
    BuiltIn{"interval", 1186},
    BuiltIn{"time with time zone", 1266},
    BuiltIn{"bit", 1560},
    BuiltIn{"bit varying", 1562},
    BuiltIn{"numeric", 1700},
    BuiltIn{"uuid", 2950},
    BuiltIn{"pg_lsn", 3220},
    BuiltIn{"tsvector", 3614},
    BuiltIn{"tsquery", 3615},
    BuiltIn{"jsonb", 3802},
    BuiltIn{"int4range", 3904},
    BuiltIn{"numrange", 3906},
    BuiltIn{"tsrange", 3908},
    BuiltIn{"tstzrange", 3910},
    BuiltIn{"daterange", 3912},
    BuiltIn{"int8range", 3926},
};

constexpr Oid first_made_up = 1U << 31;
constexpr int deepest = 32;  // domains over domains

// What follows the first word of a type's name.
constexpr std::array<std::string_view, 13> more_words{"varying", "precision", "without", "with", "time",
                                                      "zone",    "year",      "month",   "day",  "hour",
                                                      "minute",  "second",    "to"};

bool is_interval(const TypeText& type) { return type.name == "interval" || type.name.starts_with("interval "); }

Oid built_in(const TypeText& type) {
    if (!type.schema.empty() && type.schema != "pg_catalog") return 0;
    const std::string_view name = is_interval(type) ? "interval" : std::string_view(type.name);
    const auto* const found = std::ranges::find(built_in_types, name, &BuiltIn::name);
    return found == built_in_types.end() ? 0 : found->oid;
}

// As the input functions of modifiers make it.
std::int32_t typmod_of(const TypeText& type, Oid oid) {
    constexpr std::uint32_t header = 4;
    if (type.modifiers.empty() || is_interval(type)) return -1;
    const auto first = static_cast<std::uint32_t>(type.modifiers[0]);
    const auto scale = static_cast<std::uint32_t>(type.modifiers.size() > 1 ? type.modifiers[1] : 0) & 0x7ffU;
    if (oid == 1042 || oid == 1043) return static_cast<std::int32_t>(first + header);
    if (oid == 1700) return static_cast<std::int32_t>(((first << 16U) | scale) + header);
    return type.modifiers[0];
}

// Where it has to be; words that SQL reserves are left out of account.
std::string quoted(const std::string& name) {
    constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyz_0123456789$";
    const bool is_plain = !name.empty() && name.find_first_not_of(plain) == std::string::npos && name[0] > '9';
    return is_plain ? name : sql::quote_identifier(name);
}

int number(TokenCursor& tokens) {
    const bool negative = tokens.take('-');
    const Token* token = tokens.take();
    int value = 0;
    if (token != nullptr) {
        const std::string_view text = tokens.text(*token);
        if (std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc{})
            return negative ? -value : value;
    }
    tokens.refuse("a type's modifier is no number");
}

// (20), [] and [3], and the words after them.
void read_modifiers(TokenCursor& tokens, TypeText& type) {
    for (;;) {
        const bool words = std::ranges::any_of(more_words, [&](std::string_view word) { return tokens.is(word); });
        if (words) {
            type.name += ' ' + tokens.identifier();
        } else if (tokens.is('[')) {
            tokens.skip_parentheses();
            type.array = true;
        } else if (const Token* next = tokens.peek(1);
                   tokens.is('(') && next != nullptr && (next->kind == Token::Kind::number || tokens.is('-', 1))) {
            tokens.take();
            do type.modifiers.push_back(number(tokens));
            while (tokens.take(','));
            tokens.expect(')');
        } else if (tokens.is('(')) {  // of an extension's type: geometry(Point,4326)
            tokens.skip_parentheses();
        } else {
            return;
        }
    }
}

}  // namespace

TypeText read_type(TokenCursor& tokens) {
    TypeText type;
    const bool quoted = tokens.peek() != nullptr && tokens.peek()->kind == Token::Kind::quoted;
    type.name = tokens.identifier();
    if (tokens.take('.')) {
        type.schema = std::move(type.name);
        type.name = tokens.identifier();
    } else if (quoted && type.name == "char") {
        type.name = "\"char\"";
    }
    read_modifiers(tokens, type);
    return type;
}

// As format_type() has it.
std::string Types::key(const QualifiedName& name) {
    return name.schema.empty() ? quoted(name.table) : quoted(name.schema) + '.' + quoted(name.table);
}

Oid Types::made_up(const std::string& name) {
    return oids_.try_emplace(name, first_made_up + static_cast<Oid>(oids_.size())).first->second;
}

void Types::describe(Column& column, const TypeText& type, const std::string& schema, int depth) {
    const Oid known = built_in(type);
    const QualifiedName name{type.schema.empty() ? schema : type.schema, type.name};
    const std::string scalar = known != 0 ? type.name : key(name);
    column.type_name = type.array ? scalar + "[]" : scalar;
    column.type_oid = known != 0 && !type.array ? known : made_up(column.type_name);
    column.typmod = typmod_of(type, known);
    column.base_oid = column.type_oid;
    column.element_oid = 0;
    const auto domain = known != 0 ? domains_.end() : domains_.find(scalar);
    Column below;
    below.base_oid = known != 0 ? known : made_up(scalar);
    if (domain != domains_.end() && depth < deepest) describe(below, domain->second, schema, depth + 1);
    if (type.array) {
        column.element_oid = below.base_oid;
    } else {
        column.base_oid = below.base_oid;
        column.element_oid = below.element_oid;
    }
}

}  // namespace pgsluice::dump
