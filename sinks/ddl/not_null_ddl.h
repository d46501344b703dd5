// NOT NULL of columns. From PostgreSQL 18 on it is a constraint with a name, which may also not be validated yet, or
// not be inherited; a target of an earlier version gets what it can have of that.
#pragma once

#include <string>

#include "sinks/ddl/phases.h"
#include "stream/definition/table_definition.h"

namespace pgsluice {

// " NOT NULL" or " CONSTRAINT n NOT NULL", after a column in CREATE TABLE or ADD COLUMN. Empty as well where that
// cannot say all of it: then derive_not_null() does, with nothing before.
std::string not_null_text(const TableDefinition& table, const ColumnDefinition& column);

// Null before PostgreSQL 18, and where the column may be NULL.
const ConstraintDefinition* not_null_constraint(const TableDefinition& table, const ColumnDefinition& column);

// Whether it is known to be so only because its parent's is.
bool inherits_not_null(const TableDefinition& table, const ColumnDefinition& column);

// Whether a partition has such a constraint under a name of its own, though it counts as inherited: it was a table
// before.
bool was_attached(const TableDefinition& table);

struct NotNullOf {
    const TableDefinition* table;
    const ColumnDefinition* column;
};

// What a child has of its own on a column that it has from its parent, whose NOT NULL it may have already.
void add_own_not_null(const NotNullOf& of, DdlPhases& out);

// What makes the column so after the command, as it was before. `before` may be null: a column made with
// not_null_text(). `with_parent`: what it inherits comes with the parent's command.
void derive_not_null(const NotNullOf* before, const NotNullOf& after, bool with_parent, DdlPhases& out);

}  // namespace pgsluice
