// The commands that the user is to run: pg_dump of an exported snapshot, or where to stop restoring a backup.
#pragma once

#include <set>
#include <string>

#include "replicator/options.h"
#include "sql/connection.h"
#include "sql/lsn.h"
#include "stream/change.h"

namespace pgsluice {

// The application_name of the dump's sessions, by which their end is noticed.
std::string dump_application_name(const Names& names);
// One line of sh. The whole database, without the rows of tables other than `tables`; no password is in it.
std::string dump_command(sql::Connection& source, const ReplicatorOptions& options, const std::string& snapshot,
                         const std::set<Oid>& tables);
// What is printed: that command, and what else there is to do.
std::string bootstrap_guide(const ReplicatorOptions& options, const std::string& command, Lsn point);

}  // namespace pgsluice
