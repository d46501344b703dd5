// A command that an operator has to decide about, and waiting for that.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>

#include "sinks/ddl/ddl_decisions.h"
#include "sinks/options.h"
#include "sql/error.h"
#include "stream/base/log.h"

namespace pgsluice {

// Thrown in the transaction of a command that is not applied before the operator has decided; nothing of the
// transaction may be kept.
struct UndecidedDdl : Error {
    UndecidedDdl(PendingDdl asked, const std::string& message, const std::string& hint)
        : Error(Action::stop, message, hint), pending(std::move(asked)) {}

    PendingDdl pending;
};

class DdlWait {
   public:
    // All must outlive it.
    DdlWait(DdlDecisions& decisions, const PostgresSinkOptions& options, const Log& log, const std::stop_token& stop)
        : decisions_(decisions), options_(options), log_(log), stop_(stop) {}

    // Shows the command to the operator, and returns when it was decided about. `meanwhile` is called several times a
    // second. Interrupted when the stop token fires.
    void await(const UndecidedDdl& command, const std::function<void()>& meanwhile);

   private:
    void report(const UndecidedDdl& command, std::chrono::milliseconds waited, bool over) const;

    DdlDecisions& decisions_;
    const PostgresSinkOptions& options_;
    const Log& log_;
    const std::stop_token& stop_;
};

}  // namespace pgsluice
