#include "sql/in_transaction.h"

#include <libpq-fe.h>

namespace pgsluice::sql {

bool in_transaction(const Connection& connection) noexcept {
    return PQtransactionStatus(connection.raw()) != PQTRANS_IDLE;
}

}  // namespace pgsluice::sql
