// Seeded faults: what dies, stops, fills up or loses its connections, and then comes back.
#pragma once

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "tests/crash/actor.h"
#include "tests/crash/links.h"
#include "tests/support/pipeline.h"

namespace pgsluice::test {

// What a nemesis strikes at.
struct Victims {
    Pipeline& pipeline;  // the replicator and the PostgreSQL worker
    PipelineServers servers;
    Links& links;
    Actor& file_worker;
    Actor& webhook_worker;
};

class Nemesis {
   public:
    // From now on the pipeline's command lines go through the links, to a small stream, with endless patience.
    // The seed says whether with --confirm applied.
    static void prepare(Pipeline& pipeline, const Links& links, unsigned seed);
    Nemesis(Victims victims, unsigned seed);

    void start();  // all processes
    // One fault, over when this returns: all servers, links and processes are there again. Its name, for the report.
    std::string strike();

   private:
    struct Fault {
        std::string name;
        std::function<void()> happen;
    };

    int dice(int sides);
    template <typename T>
    const T& one_of(const std::vector<T>& choices) {
        return choices[static_cast<std::size_t>(dice(static_cast<int>(choices.size())) - 1)];
    }
    void pause(int at_most_ms);
    void stop_and_continue(Process& process, int at_most_ms = 1500);
    // Starts the process so that it kills itself at the named place.
    void replicator_failpoint();
    void worker_failpoint();
    void line_worker_failpoint();
    void stop_and_continue(PostgresServer& server);
    void kill_backend(PostgresServer& server);
    void second_replicator();
    void second_worker();
    void terminate_backends(PostgresServer& server, const std::string& which);
    void trouble_link();
    void fill_stream();
    void ensure_running();

    Victims victims_;
    Pipeline& pipeline_;
    PipelineServers servers_;
    std::mt19937 random_;
    std::vector<Fault> faults_;
    std::string detail_;
};

}  // namespace pgsluice::test
