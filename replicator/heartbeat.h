// Commits a heartbeat (stream/heartbeat.h) to the source's log now and then, from a thread and over a connection of its
// own: on an idle database, too, workers see how long a commit takes to reach them, and the slot moves on.
#pragma once

#include <stop_token>
#include <thread>

#include "replicator/options.h"
#include "sql/connection.h"
#include "sql/error.h"
#include "stream/base/log.h"

namespace pgsluice {

class Heartbeat {
   public:
    // None where options.heartbeat_interval_ms is 0. `options` must outlive it.
    Heartbeat(const ReplicatorOptions& options, Log log);

   private:
    void run(const std::stop_token& stop);
    void beat_on(const std::stop_token& stop);
    void beat(sql::Connection& source);
    void say_failure(const Error& error);
    void say(bool well, const std::string& why);

    const ReplicatorOptions& options_;
    const Log log_;
    bool well_ = true;     // as the log has it
    std::jthread thread_;  // last: it uses all of the above
};

}  // namespace pgsluice
