// What a command is given by the process that it runs in.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "cmd/reload.h"
#include "cmd/terminal/log_writer.h"
#include "cmd/terminal/status_lines.h"
#include "stream/base/log.h"

namespace pgsluice {

class SharedEndpoint;

namespace nats {
class SharedWires;
}  // namespace nats

struct Process {
    const Log& log;
    std::shared_ptr<std::atomic<LogLevel>> log_level;  // of `log`
    std::stop_token stop;
    Reload& reload;
    std::string part;                     // what `reload` calls the command
    std::shared_ptr<StatusLines> lines;   // what `log` writes to,
    LogFormat log_format;                 // and how
    SharedEndpoint* endpoint = nullptr;   // where several answer together over HTTP; null: each has its own
    std::function<void()> begun = [] {};  // called whenever a session of a replicator or worker is running
    std::shared_ptr<nats::SharedWires> beside =
        nullptr;                // connections to NATS beside the data's; null: of each command
    bool starts_again = false;  // after exit_gave_up
};

}  // namespace pgsluice
