// A column's type as a dump writes it, and what rules and sinks need to know of it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "worker/dump/token_cursor.h"

namespace pgsluice::dump {

struct TypeText {
    std::string schema;          // empty: none was written
    std::string name;            // "character varying", "mood"
    std::vector<int> modifiers;  // of character varying(20): 20
    bool array = false;
};

// Reads as much as belongs to the type.
TypeText read_type(TokenCursor& tokens);

class Types {
   public:
    // CREATE DOMAIN name AS base.
    void add_domain(const QualifiedName& name, TypeText base) { domains_[key(name)] = std::move(base); }
    // Fills in what a Column says of its type; `schema` is that of names without one. OIDs of types that are not built
    // in are made up, and tell one type from another.
    void describe(Column& column, const TypeText& type, const std::string& schema) {
        describe(column, type, schema, 0);
    }

   private:
    void describe(Column& column, const TypeText& type, const std::string& schema, int depth);
    static std::string key(const QualifiedName& name);
    Oid made_up(const std::string& name);

    std::map<std::string, TypeText> domains_;
    std::map<std::string, Oid> oids_;
};

}  // namespace pgsluice::dump
