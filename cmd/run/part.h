// A replicator or worker among others of one process.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "cmd/cli/settings.h"
#include "cmd/exit_code.h"
#include "cmd/process.h"
#include "stream/base/log.h"

namespace pgsluice {

// Runs on a thread of its own from its construction on. However it ends, the others are left alone: an error that would
// end a process is logged with its hint, and the part stays stopped; a server that does not answer is waited for.
class Part {
   public:
    // `process` is the process's; it and what the functions refer to must outlive this. The thread calls `begun` when
    // a session is running, and `ended` last.
    Part(PartSettings settings, const Process& process, std::function<void()> begun, std::function<void()> ended);
    ~Part() = default;
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;

    void ask_to_stop() { stop_.request_stop(); }
    [[nodiscard]] bool ended() const noexcept { return ended_; }
    // Once it has ended.
    [[nodiscard]] ExitCode code() const noexcept { return code_; }
    // Why it has stopped by itself; empty when it has not.
    [[nodiscard]] const std::string& failure() const noexcept { return failure_; }
    [[nodiscard]] const std::string& name() const noexcept { return settings_.name; }
    [[nodiscard]] bool replicates() const noexcept;
    [[nodiscard]] const std::string& group() const noexcept { return settings_.settings.group; }

   private:
    void run();
    ExitCode run_until_ended();
    ExitCode stay_stopped(ExitCode code, const std::string& why);

    const PartSettings settings_;
    const Process& process_;
    const std::shared_ptr<std::atomic<LogLevel>> log_level_;
    const Log log_;
    const std::function<void()> tell_begun_;
    const std::function<void()> tell_ended_;
    std::stop_source stop_;
    ExitCode code_ = exit_done;  // these two: written before `ended_`, read after it
    std::string failure_;
    std::atomic<bool> ended_ = false;
    std::jthread thread_;  // last: it uses all of the above
};

}  // namespace pgsluice
