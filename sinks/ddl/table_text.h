// A table's definition, and what of it other commands name, as SQL.
#pragma once

#include <string>

#include "stream/definition/object_name.h"
#include "stream/definition/table_definition.h"

namespace pgsluice {

std::string quoted(const TableDefinition& table);
std::string quoted(const ObjectName& name);
// A partitioned table's partitions follow it; children otherwise have changes of their own.
std::string only(const TableDefinition& table);

bool is_partition(const TableDefinition& table);
// CREATE TABLE ... PARTITION OF brings all the columns.
bool made_as_partition(const TableDefinition& table);
// Not in CREATE TABLE: a foreign key, and a check that is not valid, which CREATE TABLE would make valid.
bool is_added(const ConstraintDefinition& constraint);
// CREATE TABLE, with all that it can name at once.
std::string create_text(const TableDefinition& table);

// CONSTRAINT name CHECK (...).
std::string constraint_text(const ConstraintDefinition& constraint);
// DEFERRABLE INITIALLY DEFERRED.
std::string deferral(const ConstraintDefinition& constraint);
// As SET STORAGE, SET COMPRESSION and REPLICA IDENTITY take them.
std::string storage_name(const ColumnDefinition& column);
std::string compression_name(char compression);
std::string replica_identity_text(const TableDefinition& table);

}  // namespace pgsluice
