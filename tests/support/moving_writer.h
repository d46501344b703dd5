// An application that moves with a cutover: it writes to the source until that refuses it, and then to the target once
// it is told to.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "sql/connection.h"

namespace pgsluice::test {

class MovingWriter {
   public:
    // Each transaction is `statement(n)` for another n; at most one in `every`.
    MovingWriter(sql::ConnectOptions source, sql::ConnectOptions target, std::function<std::string(int)> statement,
                 std::chrono::milliseconds every = std::chrono::milliseconds(2));

    void move() { may_move_ = true; }
    // Both wait, and fail the test when that does not come.
    void await(int transactions);
    void await_moved(int transactions);
    // Ends it. The numbers whose transaction was committed, at one end or the other, in their order.
    std::vector<int> stop();
    // Fails the test when it has met another error than a refused write.
    [[nodiscard]] std::string error();

   private:
    void run(const std::stop_token& stop);
    bool write(sql::Connection& connection, int number);

    const sql::ConnectOptions source_;
    const sql::ConnectOptions target_;
    const std::function<std::string(int)> statement_;
    const std::chrono::milliseconds every_;
    std::atomic<bool> may_move_ = false;
    std::atomic<int> written_ = 0;
    std::atomic<int> moved_ = 0;
    std::mutex mutex_;
    std::string error_;
    std::vector<int> committed_;
    std::jthread thread_;  // last: it uses all of the above
};

}  // namespace pgsluice::test
