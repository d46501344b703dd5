// All that the catalogs say of some schemas (a pattern of LIKE), and all rows: one line each, to be compared.
#pragma once

#include <string>
#include <vector>

#include "tests/support/postgres_server.h"

namespace pgsluice::test {

std::vector<std::string> ddl_state(PostgresServer& server, const std::string& database,
                                   const std::string& schemas = "f%");
// The lines without NOT NULL as a constraint, which it is from PostgreSQL 18 on (of a domain: 17); columns have it,
// too.
std::vector<std::string> without_not_null(const std::vector<std::string>& lines);
// What only one of them has, for a message; empty: they are equal.
std::string ddl_difference(const std::vector<std::string>& source, const std::vector<std::string>& target);

// The ordinary tables of these schemas, quoted.
std::vector<std::string> ddl_tables(PostgresServer& server, const std::string& database,
                                    const std::string& schemas = "f%");

}  // namespace pgsluice::test
