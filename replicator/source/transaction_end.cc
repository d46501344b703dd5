#include "replicator/source/transaction_end.h"

#include <string>

namespace pgsluice {

bool still_runs(sql::Connection& source, std::uint32_t xid) {
    const std::string id = std::to_string(xid);
    return source
        .query(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE l.locktype = 'transactionid' "
            "AND l.transactionid = $1::pg_catalog.xid)",
            {sql::Param(id)}, {1, 1, 1})
        .boolean(0, 0);
}

}  // namespace pgsluice
