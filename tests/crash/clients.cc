#include "tests/crash/clients.h"

#include <optional>

namespace pgsluice::test {

void Clients::start(unsigned seed, unsigned step, int clients) {
    for (int i = 0; i < clients; ++i) {
        clients_.emplace_back([this, own = seed + static_cast<unsigned>(i) * step] { run_client(own); });
    }
}

void Clients::stop() {
    stopping_ = true;
    for (auto& client : clients_) client.join();
    clients_.clear();
}

// A statement that fails (a deadlock, a server that is being killed) is forgotten: the source's contents are the truth.
void Clients::run_client(unsigned seed) {
    Random random(seed);
    std::optional<sql::Connection> connection;
    while (!stopping_) {
        const auto statement = next(random);
        bool failed = false;
        try {
            if (!connection) {
                auto options = server_.connect(database_);
                options.settings.emplace_back("application_name", "workload");
                connection.emplace(std::move(options));
                connection->exec("RESET search_path");
            }
            connection->exec(statement);
            ++committed_;
        } catch (const std::exception&) {
            connection.reset();
            failed = true;
        }
        rest(random, failed);
    }
}

}  // namespace pgsluice::test
