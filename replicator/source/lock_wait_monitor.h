// Logs which sessions a backend of ours waits for, and finds the deadlocks that the server cannot see: those where we
// wait on the client's side.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "sql/connection.h"
#include "stream/base/log.h"

namespace pgsluice {

// A session waits for our locks and we wait for it: the only way out is to release them and start over.
struct Deadlocked {
    std::string whom;
};

class LockWaitMonitor {
   public:
    // `observer` is a connection that is otherwise idle; `our_pids` are the backends whose locks we keep.
    LockWaitMonitor(sql::Connection& observer, const Log& log, std::string what, std::vector<int> our_pids = {})
        : observer_(observer), log_(log), what_(std::move(what)), our_pids_(std::move(our_pids)) {}

    LockWaitMonitor(const LockWaitMonitor&) = delete;
    LockWaitMonitor& operator=(const LockWaitMonitor&) = delete;
    // Says that a wait it has logged is over, whatever ended it.
    ~LockWaitMonitor();

    // To be called on every tick of the waiting connection; looks once a second. Throws Deadlocked.
    void look(int waiting_pid);

   private:
    using Clock = std::chrono::steady_clock;
    bool waits_for_us(int waiting_pid);
    void say_over();

    sql::Connection& observer_;
    const Log& log_;
    std::string what_;
    std::vector<int> our_pids_;
    Clock::time_point next_look_ = Clock::now() + std::chrono::milliseconds(500);
    Clock::time_point next_log_ = Clock::now();
    bool waits_ = false;  // and the log says so
};

// A LockWaitMonitor for what an ordinary connection runs until this is destroyed. The observer is a connection that is
// opened once a statement has run for a moment.
class StatementWatch {
   public:
    StatementWatch(sql::Connection& waiting, const Log& log, const std::string& what);
    StatementWatch(const StatementWatch&) = delete;
    StatementWatch& operator=(const StatementWatch&) = delete;
    ~StatementWatch() { waiting_.on_tick({}); }

   private:
    sql::Connection& waiting_;
    std::optional<sql::Connection> observer_;
    std::optional<LockWaitMonitor> watch_;
};

}  // namespace pgsluice
