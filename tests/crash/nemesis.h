// Seeded faults: what dies, stops, or loses its connections, and then comes back.
#pragma once

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "tests/support/pipeline.h"

namespace pgsluice::test {

class Nemesis {
   public:
    Nemesis(Pipeline& pipeline, PipelineServers servers, unsigned seed);

    // One fault, over when this returns: all servers and both processes run again. Its name, for the report.
    std::string strike();

   private:
    struct Fault {
        std::string name;
        std::function<void()> happen;
    };

    int dice(int sides);
    void pause(int at_most_ms);
    void stop_and_continue(Process& process);
    // Starts the process so that it kills itself at the named place.
    std::string replicator_failpoint();
    std::string worker_failpoint();
    void terminate_backends(PostgresServer& server);
    void ensure_running();

    Pipeline& pipeline_;
    PipelineServers servers_;
    std::mt19937 random_;
    std::vector<Fault> faults_;
    std::string detail_;
};

}  // namespace pgsluice::test
