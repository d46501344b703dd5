// What a command is given by the process that it runs in.
#pragma once

#include <atomic>
#include <memory>
#include <stop_token>
#include <string>

#include "cmd/reload.h"
#include "stream/log.h"

namespace pgsluice {

struct Process {
    const Log& log;
    std::shared_ptr<std::atomic<LogLevel>> log_level;  // of `log`
    std::stop_token stop;
    Reload& reload;
    std::string part;  // what `reload` calls the command
};

}  // namespace pgsluice
