// A column's definition as SQL.
#pragma once

#include <string>

#include "stream/definition/table_definition.h"

namespace pgsluice {

// "numeric(6,2)" or "text COLLATE ...".
std::string type_text(const ColumnDefinition& column);
// `'2020-01-01'::date`: what its rows from before hold. The column has a missing value.
std::string missing_text(const ColumnDefinition& column);
// "id" bigint DEFAULT ...: as in CREATE TABLE, but for NOT NULL (not_null_ddl.h).
std::string column_text(const ColumnDefinition& column);
// GENERATED ALWAYS AS IDENTITY.
std::string identity_text(const ColumnDefinition& column);
// " SET START WITH 7 SET INCREMENT BY 3 ...": what ALTER COLUMN gives an identity column's sequence.
std::string identity_changes(const ColumnDefinition& column);

}  // namespace pgsluice
