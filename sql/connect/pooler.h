// Poolers between us and the server.
//
// One in session mode is as good as none: a client keeps its server session. One in transaction mode hands another
// session to each transaction, and ours to others in between: our settings become theirs (no foreign key is checked
// under session_replication_role = replica), and our locks are held by whoever comes next.
#pragma once

namespace pgsluice::sql {

class Connection;

// A stop Error when the connection leads to a pooler that shares sessions. To be called before the first setting.
void refuse_shared_session(Connection& connection);

}  // namespace pgsluice::sql
