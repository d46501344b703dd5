// Writers that change whatever tables schema public has, while something else alters these
// (tests/migrations/churn.sql).
#pragma once

#include <optional>
#include <thread>

#include "tests/support/pipeline.h"
#include "tests/support/writers.h"

namespace pgsluice::test {

class Churn {
   public:
    // On the pipeline's source.
    explicit Churn(Pipeline& pipeline);

    void await(int transactions) { writers_->await(transactions); }
    void stop();

   private:
    std::jthread refresher_;
    std::optional<Writers> writers_;
};

}  // namespace pgsluice::test
