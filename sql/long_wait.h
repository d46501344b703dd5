// One wait for a server that has not been heard from: after a few seconds it is asked about on a second connection, and
// after ten the wait is reported.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "sql/backend.h"

namespace pgsluice::sql {

class BackendWatch;

class LongWait {
   public:
    // The connection must outlive it.
    explicit LongWait(const Connection& connection) noexcept;
    ~LongWait();  // reports the end of what was reported
    LongWait(const LongWait&) = delete;
    LongWait& operator=(const LongWait&) = delete;

    // To be called several times a second with the time since anything has happened. A retry SqlError when waiting
    // longer is in vain; `doing` is what it was about. True when the server process is known to be at work.
    bool look(std::chrono::milliseconds waited, const std::string& doing);

   private:
    [[nodiscard]] std::string whom() const;

    const Connection& connection_;
    std::unique_ptr<BackendWatch> watch_;
    std::chrono::milliseconds waited_{0};
    bool reported_ = false;
};

}  // namespace pgsluice::sql
