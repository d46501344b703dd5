// All that DDL capture makes in the source, as SQL: tables, functions and event triggers.
//
// Tables of schema pgsluice, beside those of ddl_capture.cc:
//   ddl_definition   the last definition of each object that a group has or may come to use, and 'filled' once all are
//                    there. "table": what an index, a sequence or statistics belong to; of a table, the one above it
//   ddl_rewrite      tables that the running command has rewritten, with the reasons; empty between commands
//   ddl_sent         schemas, sequences and types that targets have from us: their DROP is sent, too
#pragma once

#include <string>
#include <vector>

#include "replicator/source/ddl/scope.h"

namespace pgsluice::ddl {

extern const char* const make_tables;

struct Function {
    std::string name;       // in schema pgsluice
    std::string arguments;  // "id pg_catalog.oid"
    std::string result;
    std::string attributes;
    std::string body;
};

// In the order in which they are to be made.
std::vector<Function> functions(const Scope& scope, int server_version);
// Those that only this group has; the others are for all groups.
std::vector<std::string> functions_of_group(const Scope& scope);
std::vector<std::string> functions_of_all();

// Makes it, or replaces it; only its owner may call it.
std::string create_statement(const Function& function);

// Makes or replaces the group's event triggers. They fire in sessions that replicate, too: a source may itself be a
// target.
std::string trigger_statements(const Scope& scope);
// Their names.
std::vector<std::string> trigger_names(const Scope& scope);

}  // namespace pgsluice::ddl
