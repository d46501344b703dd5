#include "tests/support/nats_cluster.h"

#include <stdexcept>

#include "sql/error.h"
#include "stream/broker.h"
#include "tests/support/process.h"

namespace pgsluice::test {

NatsCluster::NatsCluster() {
    std::array<int, size> ports{};
    std::string routes;
    for (auto& port : ports) {
        port = free_port();
        routes += std::string(routes.empty() ? "" : ", ") + "\"nats://127.0.0.1:" + std::to_string(port) + "\"";
    }
    for (std::size_t i = 0; i < size; ++i) {
        const std::string config = "server_name: n" + std::to_string(i) +
                                   "\ncluster { name: pgsluice_test, listen: \"127.0.0.1:" + std::to_string(ports[i]) +
                                   "\", routes: [" + routes + " ] }";
        servers_[i] = std::make_unique<NatsServer>(NatsServerOptions{.extra_config = config});
    }
    BrokerOptions options;
    options.url = url();
    const bool up = eventually("the cluster answers", [&] {
        try {
            return Broker::connect(options, [](LogLevel, std::string_view) {}, {})->connected();
        } catch (const Error&) {
            return false;
        }
    });
    if (!up) throw std::runtime_error("unable to start a NATS cluster");
}

std::string NatsCluster::url() const {
    std::string all;
    for (const auto& server : servers_) all += (all.empty() ? "" : ",") + server->url();
    return all;
}

}  // namespace pgsluice::test
