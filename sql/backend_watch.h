// Asks over a second connection what the server process does that owes us an answer.
//
// A statement may run for hours, so a long wait proves nothing. But a process that waits for us while we wait for it
// has answered, or was never asked: something in between has swallowed that, though TCP is up at both ends, and waiting
// longer is in vain. The same if it is gone, or if nothing answers at its address any more.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "sql/backend.h"
#include "sql/connection.h"

namespace pgsluice::sql {

// What is known so far.
struct Sighting {
    bool lost = false;     // waiting longer is in vain
    bool at_work = false;  // with what we asked for
    std::string text = "asking on a second connection what it does";
};

// Judges looks, one after another. Pure.
class LookJudge {
   public:
    using Clock = std::chrono::steady_clock;

    explicit LookJudge(Clock::time_point now) : reached_(now) {}

    Sighting judge(const BackendState& state, Clock::time_point now);
    // The server was not reached: no answer at all, or one that says why not.
    Sighting failed(const std::string& reason, bool answered, Clock::time_point now);

   private:
    std::string trace_;
    std::optional<Clock::time_point> waiting_since_;
    Clock::time_point reached_;
};

// Looks from its construction to its destruction, on a thread of its own.
class BackendWatch {
   public:
    // `options` lead to the place where the backend was met. A backend that is found to wait in vain is ended, so that
    // it holds no locks against the session that follows ours.
    BackendWatch(ConnectOptions options, Backend backend);

    [[nodiscard]] Sighting seen() const;

   private:
    void run(const std::stop_token& stop);
    void look_on(LookJudge& judge, const std::stop_token& stop);
    void note(Sighting sighting);
    // False when it is to end.
    bool pause(const std::stop_token& stop);

    const ConnectOptions options_;
    const Backend backend_;
    mutable std::mutex mutex_;
    std::condition_variable_any never_;
    Sighting seen_;
    std::jthread thread_;  // last: it uses all of the above
};

}  // namespace pgsluice::sql
