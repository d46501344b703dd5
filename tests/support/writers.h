// Sessions that write until they are stopped.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "sql/connection.h"

namespace pgsluice::test {

class Writers {
   public:
    // `statement` makes the transaction of each number from 1 on. Locks are given up after 200 ms: in a deadlock with
    // what the test alters, the writer is to be the one that gives up.
    // Each session rests after a transaction, for what it writes is work for five more processes.
    Writers(const sql::ConnectOptions& database, std::function<std::string(int)> statement, int sessions = 2,
            std::chrono::milliseconds rest = std::chrono::milliseconds(2));

    // Waits until so many more transactions have ended. Not while the caller holds locks.
    void await(int transactions);
    void stop() { threads_.clear(); }

   private:
    std::function<std::string(int)> statement_;
    std::atomic<int> begun_ = 0;
    std::atomic<int> ended_ = 0;
    std::vector<std::jthread> threads_;
};

}  // namespace pgsluice::test
