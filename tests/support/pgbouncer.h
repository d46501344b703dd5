// A PgBouncer in front of a PostgresServer, on a free loopback port.
#pragma once

#include <optional>
#include <string>

#include "tests/support/postgres_server.h"
#include "tests/support/process.h"

namespace pgsluice::test {

struct PgBouncerOptions {
    std::string pool_mode = "transaction";
    int pool_size = 20;         // sessions on the server, for each database and user
    std::string settings = {};  // more lines for its file
};

class PgBouncer {
   public:
    PgBouncer(const PostgresServer& server, const PgBouncerOptions& options);

    [[nodiscard]] int port() const noexcept { return port_; }

   private:
    int port_;
    std::optional<Process> process_;
};

}  // namespace pgsluice::test
