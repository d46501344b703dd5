// The tables that a cutover is about, at both ends.
#pragma once

#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "cmd/cli/settings.h"
#include "sql/connection.h"
#include "stream/broker.h"
#include "stream/change.h"
#include "stream/names.h"

namespace pgsluice {

// A table of the source, and the one of the target that has its rows: by a route it has another name. Both are quoted
// and qualified.
struct TablePair {
    std::string source;
    std::string target;

    bool operator==(const TablePair&) const = default;
};

struct MovedTables {
    std::vector<std::string> names;  // the target's, quoted and qualified; of a partitioned table its own
    // The same with all that have rows of theirs, and the tables above them.
    std::vector<std::string> source;
    std::vector<std::string> target;
    std::vector<TablePair> pairs;
    std::vector<std::string> schemas;  // of the source's
    // All that the group delivered when these were found, by its record.
    std::set<Oid> group;

    bool operator==(const MovedTables&) const = default;
};

// All that the group delivers and the worker's rules and routes let through. A stop Error when one of them cannot be
// compared: then it is no copy of the source's.
MovedTables find_moved_tables(const Settings& settings, Broker& broker, sql::Connection& source,
                              sql::Connection& target);

// A table that has joined the group since they were found: "schema.table". Empty when none has, or the group keeps no
// record.
std::string joined_since(const MovedTables& tables, Broker& broker, const Names& names);

// Tables of the group whose rows are as of a later LSN than this, by its record: they joined it then, or were copied
// again.
std::vector<std::string> joined_after(Lsn lsn, Broker& broker, const Names& names);

// The sequences of the source that belong to the tables, or are in one of their schemas: quoted and qualified.
std::vector<std::string> sequences_to_move(sql::Connection& source, const MovedTables& tables);

}  // namespace pgsluice
