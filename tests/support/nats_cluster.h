// Three nats-servers on loopback that form one cluster with JetStream.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "tests/support/nats_server.h"

namespace pgsluice::test {

class NatsCluster {
   public:
    static constexpr int size = 3;

    // Returns once JetStream answers.
    NatsCluster();

    // All servers' URLs, separated by commas.
    [[nodiscard]] std::string url() const;
    [[nodiscard]] NatsServer& server(int number) { return *servers_.at(static_cast<std::size_t>(number)); }
    // By its name, "n0" to "n2", as stream info tells the leader.
    [[nodiscard]] NatsServer& server(const std::string& name) { return server(std::stoi(name.substr(1))); }

   private:
    std::array<std::unique_ptr<NatsServer>, size> servers_;
};

}  // namespace pgsluice::test
