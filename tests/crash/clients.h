// Clients of the source: threads that each connect and run one statement after the other until they are told to stop.
#pragma once

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/postgres_server.h"

namespace pgsluice::test {

class Clients {
   public:
    Clients(PostgresServer& server, std::string database) : server_(server), database_(std::move(database)) {}
    Clients(const Clients&) = delete;
    virtual ~Clients() = default;

    void stop();
    [[nodiscard]] long committed() const { return committed_; }

   protected:
    using Random = std::mt19937;

    // The threads call a derived class's functions: its constructor ends with start(), its destructor begins with
    // stop(). Each client's seed is `step` above the one's before.
    void start(unsigned seed, unsigned step, int clients);
    // What to run next; several threads at once ask, each with its own source of chance.
    virtual std::string next(Random& random) = 0;
    // After each statement.
    virtual void rest(Random& /*random*/, bool /*failed*/) {}

   private:
    void run_client(unsigned seed);

    PostgresServer& server_;
    std::string database_;
    std::atomic<bool> stopping_ = false;
    std::atomic<long> committed_ = 0;
    std::vector<std::thread> clients_;
};

}  // namespace pgsluice::test
