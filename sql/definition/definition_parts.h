// A query for each class of object that reads its definition (stream/format/FORMAT.md, "DDL") as `found`, by its
// number `id`: plain catalog queries, patterns of fmt. What a newer catalog has comes in by {enforced}, and
// ancestors_of_t by {ancestors}.
#pragma once

namespace pgsluice::sql {

// An expression: the tables above table t, of which it is a partition or inherits, the nearest first; null: none.
extern const char* const ancestors_of_t;

extern const char* const table_definition;
extern const char* const index_definition;
extern const char* const statistics_definition;
extern const char* const type_definition;
extern const char* const sequence_definition;
extern const char* const schema_definition;
extern const char* const extension_definition;
extern const char* const view_definition;
extern const char* const function_definition;
extern const char* const trigger_definition;
extern const char* const policy_definition;
extern const char* const grants_definition;

}  // namespace pgsluice::sql
