#include "rules/expressions/parse_tree.h"

#include <fmt/format.h>
#include <pg_query.h>

#include <algorithm>

namespace pgsluice::rules {
namespace {

using simdjson::dom::element;

constexpr std::string_view before = "SELECT ";

struct Parsed {
    explicit Parsed(const std::string& text) : result(pg_query_parse(text.c_str())) {}
    Parsed(const Parsed&) = delete;
    Parsed& operator=(const Parsed&) = delete;
    ~Parsed() { pg_query_free_parse_result(result); }
    PgQueryParseResult result;
};

void note_columns(element tree, std::vector<std::string>& names) {
    if (tree.is_array())
        for (const element one : simdjson::dom::array(tree)) note_columns(one, names);
    if (!tree.is_object()) return;
    for (const auto field : simdjson::dom::object(tree)) {
        if (field.key == "ColumnRef") names.emplace_back(ParseNode(tree).name("fields"));
        note_columns(field.value, names);
    }
}

}  // namespace

ParseNode::ParseNode(element node) {
    for (const auto field : simdjson::dom::object(node)) {
        kind = field.key;
        fields = field.value;
    }
}

element ParseNode::at(std::string_view field) const { return fields[field].value(); }

std::string_view ParseNode::text(std::string_view field) const {
    return has(field) ? at(field).get_string().value() : std::string_view{};
}

std::int64_t ParseNode::number(std::string_view field) const { return has(field) ? at(field).get_int64().value() : 0; }

simdjson::dom::array ParseNode::list(std::string_view field) const { return at(field).get_array().value(); }

std::string_view ParseNode::name(std::string_view field) const {
    std::string_view name;
    for (const element one : list(field)) {
        if (!name.empty() && name != "pg_catalog") return {};
        const ParseNode part(one);
        if (part.kind != "String") return {};
        name = part.text("sval");
    }
    return name;
}

bool ParseNode::has_only(std::initializer_list<std::string_view> known) const {
    return std::ranges::all_of(simdjson::dom::object(fields),
                               [&](const auto field) { return std::ranges::find(known, field.key) != known.end(); });
}

ParseTree::ParseTree(const std::string& expression, const Place& place) {
    if (expression.find('\0') != std::string::npos) throw refuse(place, "the expression holds a zero byte");
    const Parsed parsed(std::string(before) + expression);
    if (parsed.result.error != nullptr)
        throw refuse(place,
                     fmt::format("{}{}", parsed.result.error->message, at_place(parsed.result.error->cursorpos - 1)));
    try {
        statement_ = parser_.parse(std::string(parsed.result.parse_tree));
        if (statement_["stmts"].get_array().size() == 1) {
            const ParseNode select(statement_["stmts"].at(0)["stmt"].value());
            const bool bare = select.kind == "SelectStmt" && select.has_only({"targetList", "limitOption", "op"});
            if (bare && select.list("targetList").size() == 1 &&
                ParseNode(select.list("targetList").at(0).value()).has_only({"val", "location"}))
                return;
        }
    } catch (const simdjson::simdjson_error& error) {
        throw refuse(place, fmt::format("unable to read what the parser says: {}", error.what()));
    }
    throw refuse(place, "it is not a single expression");
}

std::vector<std::string> ParseTree::columns() const {
    std::vector<std::string> names;
    note_columns(root().fields, names);
    if (root().kind == "ColumnRef") names.emplace_back(root().name("fields"));
    return names;
}

ParseNode ParseTree::root() const {
    const ParseNode select(statement_["stmts"].at(0)["stmt"].value());
    return ParseNode(select.list("targetList").at(0).value()).node("val");
}

std::string_view ParseTree::from(std::string_view expression, std::int64_t location) {
    const auto first = static_cast<std::int64_t>(before.size());
    const auto at = static_cast<std::size_t>(std::max<std::int64_t>(location - first, 0));
    return location < first || at > expression.size() ? std::string_view{} : expression.substr(at);
}

std::string at_place(std::int64_t location) {
    const auto first = static_cast<std::int64_t>(before.size());
    return location < first ? std::string{} : fmt::format(" at byte {} of the expression", location - first + 1);
}

}  // namespace pgsluice::rules
