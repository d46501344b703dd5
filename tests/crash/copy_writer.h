// Writers at full speed during a copy, on tables with a key, without one, and with REPLICA IDENTITY FULL.
#pragma once

#include <string>
#include <vector>

#include "tests/crash/clients.h"

namespace pgsluice::test {

class CopyWriter final : public Clients {
   public:
    // `keyed`, `keyless` and `whole`, for source and target; and what the source holds before the copy.
    static const char* schema();
    static const char* rows();
    static const std::vector<std::string>& tables();

    CopyWriter(PostgresServer& server, std::string database, unsigned seed, int clients);
    ~CopyWriter() override { stop(); }

   private:
    std::string next(Random& random) override;
};

}  // namespace pgsluice::test
