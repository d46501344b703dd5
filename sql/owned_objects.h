// Objects of ours in other people's databases: schema pgsluice, with its tables and functions.
//
// Whoever may create a schema can make one of that name first, with a table whose trigger, rule, default or policy then
// runs with our rights, which may be a superuser's. So what exists is used only if the current role or a superuser owns
// it, and if nothing hangs on its tables that runs code: nothing that we make does.
#pragma once

#include <string>
#include <vector>

#include "sql/connection.h"

namespace pgsluice::sql {

struct OwnedObjects {
    std::string schema;
    std::vector<std::string> tables;
    std::vector<std::string> functions{};  // by name: any of its arguments
};

// A stop Error that names what is not ours, its owner and the way out. What does not exist yet is no error: after it
// was created with IF NOT EXISTS, and in the same transaction, ask again. One query.
void require_owned(Connection& connection, const OwnedObjects& objects);

}  // namespace pgsluice::sql
