// Table pgsluice.ddl_definition gets what it lacks: the definitions of objects from before the triggers.
#pragma once

#include <string>

#include "sql/connection.h"
#include "stream/base/log.h"

namespace pgsluice::ddl {

// The function that does it, quoted and qualified, without its arguments.
std::string fill_function(const std::string& group);

// Transactions that ran DDL before there were triggers: what they have done is seen once they have ended. It says so
// when that takes long.
void await_earlier(sql::Connection& source, const Log& log);
// Definitions from before triggers were disabled or gone for a while are not the last ones any more.
void forget_outdated(sql::Connection& source, const std::string& group);
// Keeps the definitions of what has none yet.
void fill(sql::Connection& source, const std::string& group);

}  // namespace pgsluice::ddl
