// What belongs to a group, as functions in the source.
#pragma once

#include <string>

namespace pgsluice::ddl {

// All but `joining` as literals.
struct Scope {
    std::string group;
    std::string publication;
    // Which tables that are made later the group takes in: a condition on n.nspname and t.relname.
    std::string joining;
    std::string prefix;  // before a message's id
    std::string slot;
    std::string suffix;  // of the names of the group's functions; no literal
    // Classes that are captured beside tables and what belongs to them: "'{view,trigger}'::pg_catalog.text[]".
    std::string objects = "'{}'::pg_catalog.text[]";
};

// A body with {0} to {5} and {7} replaced by the parts of the scope, in their order.
std::string filled(const char* body, const Scope& scope);

// Of a table, by its oid: 'published' by itself, a 'child' of such or of one that the group knows, 'joins' when the
// group will take it in: its name is wanted and it has a replica identity (without one the source would refuse updates
// and deletes of it); null: none of the group's.
std::string place_body(const Scope& scope);
// Whether a table of the group uses a schema, sequence or type, through whatever other types.
std::string uses_body(const Scope& scope);
// Which columns of the group's tables use a type, through whatever other types (TypeUse).
std::string users_body(const Scope& scope);
// Whether a view reads a table of the group, or a function's schema has one.
std::string has_body(const Scope& scope);
// Keeps the definitions of all objects that have none yet, some at a time; how many, 0: all is there. A schema,
// sequence or type is kept whether or not the group uses it: so two transactions that begin to use it do not meet.
std::string fill_body(const Scope& scope);

}  // namespace pgsluice::ddl
