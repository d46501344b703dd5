// Functions of users that PostgreSQL runs when anybody plans a query on a table, with the rights of who asks: calls
// with constant arguments in expressions of indexes, statistics and partition keys are computed while planning.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "sql/connection.h"

namespace pgsluice::sql {

// Of those of these tables, with what is below them, that have such code of a role that may not do all that we may:
// what it is, by OID, as "index 'i' calls own.f(integer) of 'mallory'". The catalogs are read as of now.
std::map<std::uint32_t, std::string> code_run_by_planning(Connection& connection,
                                                          std::span<const std::uint32_t> tables);

// Of one table; empty: none.
std::string code_run_by_planning(Connection& connection, std::uint32_t table);

}  // namespace pgsluice::sql
