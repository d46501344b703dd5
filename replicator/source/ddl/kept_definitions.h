// Functions on the definitions that groups have kept (table pgsluice.ddl_definition): bodies in PL/pgSQL.
#pragma once

namespace pgsluice::ddl {

// Writes one, or removes it when it is null; `newer`: also where one is kept already.
extern const char* const keep_body;
// A definition without what only repeats the names of other objects: two that differ in no more are the same.
extern const char* const kept_body;
// A definition under the name that its schema has now: a schema that is renamed changes none of what lies in it.
extern const char* const with_schema_body;
// What an object newly needs, so that a target can make it: schemas, the types of columns with all that they consist
// of, sequences of defaults, extensions.
extern const char* const needs_body;

}  // namespace pgsluice::ddl
