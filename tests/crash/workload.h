// A seeded writer: several clients that commit transactions of every kind on the source until they are told to stop.
#pragma once

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/postgres_server.h"

namespace pgsluice::test {

class Workload {
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
    ~Workload();  // stops
    void stop();
    [[nodiscard]] long committed() const { return committed_; }

   private:
    void run_client(unsigned seed);

    PostgresServer& server_;
    std::string database_;
    std::atomic<bool> stopping_ = false;
    std::atomic<long> committed_ = 0;
    std::vector<std::thread> clients_;
};

}  // namespace pgsluice::test
