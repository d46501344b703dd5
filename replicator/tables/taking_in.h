// What changed around a group's tables while no replicator looked: written into the record before the publication is
// altered.
#pragma once

#include <vector>

#include "replicator/options.h"
#include "replicator/tables/owed.h"
#include "replicator/tables/wanted.h"
#include "sql/catalog.h"
#include "sql/connection.h"
#include "sql/lsn.h"
#include "stream/base/log.h"
#include "stream/broker.h"

namespace pgsluice {

struct TakingIn {
    const ReplicatorOptions& options;
    sql::Connection& source;
    Broker& broker;
    WantedTables& wanted;
    OwedTables& owed;
    const LastMessage& last;  // of the stream
    Lsn wal_end;
    bool again;  // a session of this process found that the tables had changed: then none fails it
    const Log& log;
};

// Of a group that resumes. Tables that cannot be taken in are removed from `tables`; one that was named fails instead,
// when it is added to the publication.
void take_in_changes(const TakingIn& with, std::vector<sql::CatalogTable>& tables);

struct StartingOver {
    const ReplicatorOptions& options;
    sql::Connection& source;
    WantedTables& wanted;
    const OwedTables& owed;
    const Log& log;
};

// Of a group that starts over: what it left out while it ran, for a replica identity that is lacking, is left out again
// and so removed from `tables`. A group that starts for the first time has no such record.
void keep_left_out(const StartingOver& with, std::vector<sql::CatalogTable>& tables);

}  // namespace pgsluice
