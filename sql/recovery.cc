#include "sql/recovery.h"

namespace pgsluice::sql {

bool in_recovery(Connection& connection) {
    return connection.query("SELECT pg_catalog.pg_is_in_recovery()", {}, {1, 1, 1}).boolean(0, 0);
}

}  // namespace pgsluice::sql
