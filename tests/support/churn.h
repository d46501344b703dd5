// Writers that change whatever tables schema public has, while something else alters these
// (tests/migrations/churn.sql).
#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "tests/support/pipeline.h"

namespace pgsluice::test {

class Churn {
   public:
    // On the pipeline's source.
    explicit Churn(Pipeline& pipeline, int writers = 2);
    ~Churn();
    Churn(const Churn&) = delete;
    Churn& operator=(const Churn&) = delete;

    // Waits until so many more transactions have ended. Not while the caller holds locks.
    void await(int transactions);
    void stop();

   private:
    std::atomic<int> transactions_ = 0;
    std::vector<std::jthread> threads_;
};

}  // namespace pgsluice::test
