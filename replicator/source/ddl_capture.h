// DDL capture (--track-ddl): event triggers on the source write what each command has made of the group's objects into
// the WAL as a message, in the transaction of the command and between its changes.
//
// What is made in the source: schema pgsluice with what ddl/functions.h lists, event triggers pgsluice_<group>_ddl,
// _drop and _rewrite; a row of table pgsluice.ddl_capture, which says what is installed; and rows of
// pgsluice.ddl_event, which prove who wrote a message (ddl_events.h).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "replicator/options.h"
#include "replicator/source/ddl_events.h"
#include "sql/connection.h"
#include "stream/base/log.h"
#include "stream/names.h"

namespace pgsluice {

struct DdlScope {
    std::string publication;
    // Which new tables become part of the group if they have a primary key: a condition on n.nspname and t.relname
    // (TableSelection::condition).
    std::string joining = "false";
    DdlContent content = DdlContent::definitions;
    std::set<std::string> objects{};  // classes beside tables and what belongs to them: view, function, trigger, policy
};

DdlScope ddl_scope_of(const ReplicatorOptions& options);

// Makes all of it, or makes it what is wanted, and keeps the definitions of all objects that have none yet. When it is
// made, waits for transactions that began before: it says so. The prefixes of the messages.
// Event triggers need a superuser: a stop Error that says the way out when the role is none.
DdlPrefixes ensure_ddl_capture(sql::Connection& source, const Names& names, const DdlScope& scope, const Log& log);

// The same without making anything: a stop Error where the role is none and something would have to be made.
void check_ddl_capture(sql::Connection& source, const Names& names, const DdlScope& scope);

// Takes it away for a start without --track-ddl; warns when the role may not.
void end_ddl_capture(sql::Connection& source, const Names& names, const Log& log);

// What is there, for teardown: "event trigger 'pgsluice_shop_ddl'".
std::vector<std::string> ddl_capture_objects(sql::Connection& source, const Names& names);
// Does nothing when there is nothing. The schema goes with its last object.
void drop_ddl_capture(sql::Connection& source, const Names& names);

}  // namespace pgsluice
