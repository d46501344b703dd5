// What PostgreSQL's parser makes of an expression.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>
#include <vector>

#include "rules/place.h"

namespace pgsluice::rules {

// A node of the tree: an object of one key, its kind, whose value has the node's fields. Views into the ParseTree.
struct ParseNode {
    std::string_view kind;
    simdjson::dom::element fields;

    explicit ParseNode(simdjson::dom::element node);
    [[nodiscard]] simdjson::dom::element at(std::string_view field) const;  // must be there
    [[nodiscard]] bool has(std::string_view field) const { return !fields[field].error(); }
    [[nodiscard]] ParseNode node(std::string_view field) const { return ParseNode(at(field)); }
    [[nodiscard]] std::string_view text(std::string_view field) const;  // empty where it is left out
    [[nodiscard]] std::int64_t number(std::string_view field) const;    // 0 where it is left out
    [[nodiscard]] simdjson::dom::array list(std::string_view field) const;
    // The last of a list of names; what is before it must be pg_catalog. Empty where it is another.
    [[nodiscard]] std::string_view name(std::string_view field) const;
    // Whether it has no other fields than these.
    [[nodiscard]] bool has_only(std::initializer_list<std::string_view> known) const;
};

class ParseTree {
   public:
    // usage Error at what is no single expression.
    ParseTree(const std::string& expression, const Place& place);
    [[nodiscard]] ParseNode root() const;
    // The names of the columns in it.
    [[nodiscard]] std::vector<std::string> columns() const;
    // The expression from a node's location on.
    static std::string_view from(std::string_view expression, std::int64_t location);

   private:
    simdjson::dom::parser parser_;
    simdjson::dom::element statement_;
};

// The place in the expression that a node's location stands for, as an error says it: " at byte 5 of the expression".
std::string at_place(std::int64_t location);

}  // namespace pgsluice::rules
