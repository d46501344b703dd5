// The network of a pipeline: a proxy on each way from a process to a server.
#pragma once

#include <array>
#include <string>

#include "tests/support/pipeline.h"
#include "tests/support/tcp_proxy.h"

namespace pgsluice::test {

struct Links {
    explicit Links(PipelineServers servers)
        : replicator_to_source(servers.source.port()),
          replicator_to_nats(servers.nats.port()),
          workers_to_nats(servers.nats.port()),
          worker_to_target(servers.target.port()) {}

    [[nodiscard]] PipelinePorts ports() const {
        return {replicator_to_source.port(), replicator_to_nats.port(), workers_to_nats.port(),
                worker_to_target.port()};
    }
    struct Named {
        std::string name;
        TcpProxy& proxy;
    };
    std::array<Named, 4> all() {
        return {Named{"replicator-source", replicator_to_source}, Named{"replicator-nats", replicator_to_nats},
                Named{"workers-nats", workers_to_nats}, Named{"worker-target", worker_to_target}};
    }

    TcpProxy replicator_to_source;
    TcpProxy replicator_to_nats;
    TcpProxy workers_to_nats;
    TcpProxy worker_to_target;
};

}  // namespace pgsluice::test
