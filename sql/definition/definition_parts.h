// A query for each class of object that reads its definition (stream/format/FORMAT.md, "DDL") as `found`, by its
// number `id`: plain catalog queries, patterns of fmt. What a newer catalog has comes in by {enforced}.
#pragma once

namespace pgsluice::sql {

extern const char* const table_definition;
extern const char* const index_definition;
extern const char* const statistics_definition;
extern const char* const type_definition;
extern const char* const sequence_definition;
extern const char* const schema_definition;
extern const char* const extension_definition;

}  // namespace pgsluice::sql
