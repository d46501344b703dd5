// What reads objects' definitions (stream/format/FORMAT.md, "DDL") from a source's catalog, as JSON. To be run with an
// empty search_path and the other settings that a text depends on.
#pragma once

#include <string>

namespace pgsluice::sql {

// The body in PL/pgSQL of pgsluice.definition(class, oid): null when there is no such object.
std::string definition_body(int server_version);

// A query with classes ($1) and the objects' numbers ($2) as arrays: class, number and definition of those that there
// are.
std::string definitions_query(int server_version);

}  // namespace pgsluice::sql
