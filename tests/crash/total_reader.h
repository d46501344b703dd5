// Looks at the target all the time: is the transfers' total what it must be, in every snapshot of any moment?
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "tests/crash/workload.h"

namespace pgsluice::test {

class TotalReader {
   public:
    TotalReader(PostgresServer& server, std::string database)
        : server_(server), database_(std::move(database)), thread_([this] { run(); }) {}
    ~TotalReader() {
        stopping_ = true;
        thread_.join();
    }
    [[nodiscard]] long looked() const { return looked_; }
    [[nodiscard]] long wrong() const { return wrong_; }

   private:
    void run() {
        std::optional<sql::Connection> connection;
        while (!stopping_) {
            try {
                if (!connection) {
                    auto options = server_.connect(database_);
                    options.settings.emplace_back("application_name", "reader");
                    connection.emplace(std::move(options));
                    connection->exec("RESET search_path");
                }
                if (connection->exec(Workload::total_query()).text(0, 0) != Workload::total()) ++wrong_;
                ++looked_;
            } catch (const std::exception&) {  // the target is being killed
                connection.reset();
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    }

    PostgresServer& server_;
    std::string database_;
    std::atomic<bool> stopping_ = false;
    std::atomic<long> looked_ = 0;
    std::atomic<long> wrong_ = 0;
    std::thread thread_;
};

}  // namespace pgsluice::test
