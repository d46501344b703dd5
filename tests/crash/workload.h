// A seeded writer: several clients that commit transactions of every kind on the source until they are told to stop.
#pragma once

#include <string>
#include <vector>

#include "tests/crash/clients.h"

namespace pgsluice::test {

class Workload final : public Clients {
   public:
    // For source and target.
    static const char* schema();
    // For the source: what is there before the first copy.
    static const char* rows();
    static const std::vector<std::string>& tables();
    // The sum of all accounts, which no transaction changes; SQL that yields it, and its value.
    static const char* total_query();
    static const char* total();

    Workload(PostgresServer& server, std::string database, unsigned seed, int clients);
    ~Workload() override { stop(); }

   private:
    std::string next(Random& random) override;
    void rest(Random& random, bool failed) override;
};

}  // namespace pgsluice::test
