// Writers on the tables of table_changes.h, at the same time as these change.
#pragma once

#include <string>

#include "tests/crash/clients.h"

namespace pgsluice::test {

class TableWriter final : public Clients {
   public:
    TableWriter(PostgresServer& server, std::string database, unsigned seed, int clients);
    ~TableWriter() override { stop(); }

   private:
    std::string next(Random& random) override;
    void rest(Random& random, bool failed) override;
};

}  // namespace pgsluice::test
