// A throwaway nats-server with JetStream on a free loopback port.
#pragma once

#include <memory>
#include <string>

#include "tests/support/hardening.h"

namespace pgsluice::test {

struct NatsServerOptions {
    bool jetstream = true;
    std::string jetstream_config = {};          // within its block, e.g. "max_file_store: 200K"
    std::string extra_config = {};              // appended to the configuration file, e.g. "max_payload: 65536"
    std::string login = {};                     // "user:password", the only one that may connect, and part of url()
    bool hardened = hardened_by_environment();  // hardening.h
};

class NatsServer {
   public:
    explicit NatsServer(NatsServerOptions options = {});
    ~NatsServer();

    // Through another port, a proxy's, when one is given.
    [[nodiscard]] std::string url(int port = 0) const;
    [[nodiscard]] int port() const;
    [[nodiscard]] bool hardened() const;
    // Of a hardened server: whose users may connect from now on.
    void admit(const std::string& group);
    [[nodiscard]] std::string store_dir() const;
    void kill();   // SIGKILL
    void pause();  // SIGSTOP
    void resume();
    void start();  // same port, same store
    void restart_with(const std::string& extra_config);
    [[nodiscard]] std::string log() const;  // since it was started
    // The server re-reads its configuration with another login; url() stays as it was.
    void change_login(const std::string& login);
    // The store as it is between a kill and a start, and later that instead of what it has become, between the same: a
    // power cut that takes what was not synced, a backup put back.
    void keep_store();
    void roll_back();

   private:
    struct State;
    std::unique_ptr<State> state_;
};

NatsServer& shared_nats();

}  // namespace pgsluice::test
