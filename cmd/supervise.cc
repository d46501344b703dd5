#include "cmd/supervise.h"

#include <fmt/format.h>

#include <string>

#include "sql/outage.h"
#include "stream/base/pause.h"

namespace pgsluice {

namespace {

std::string waiting_text(const Error& error, const SessionBackoff& backoff, const RetryPolicy& policy,
                         std::chrono::milliseconds wait) {
    const std::string limit = backoff.has_run() ? "" : fmt::format(" of {}", policy.max_attempts);
    const std::string hint = error.hint().empty() ? "" : "; HINT: " + error.hint();
    return fmt::format("{}; trying again in {} ms (retry {}{}){}", error.what(), wait.count(), backoff.failures(),
                       limit, hint);
}

std::string running_again(int retries) {
    return fmt::format("running again after {} {}", retries, retries == 1 ? "retry" : "retries");
}

}  // namespace

void SessionBackoff::running() noexcept {
    has_run_ = true;
    backoff_.reset();
}

std::optional<std::chrono::milliseconds> SessionBackoff::next_wait() noexcept {
    if (!has_run_ && failures() >= max_attempts_) return std::nullopt;
    return std::chrono::milliseconds(backoff_.next_ms());
}

void supervise(const RetryPolicy& policy, const RunSession& session, const Sleep& sleep, const Log& log,
               const std::stop_token& stop) {
    SessionBackoff backoff(policy);
    while (!stop.stop_requested()) {
        try {
            session([&] {
                if (backoff.failures() > 0) log(LogLevel::info, running_again(backoff.failures()));
                backoff.running();
            });
            return;
        } catch (const Interrupted&) {
            return;
        } catch (const Error& error) {
            if (error.action() != Action::retry || (refuses_start(error) && !backoff.has_run())) throw;
            if (stop.stop_requested()) {
                log(LogLevel::warning, fmt::format("{}; shutting down, not retrying", error.what()));
                return;
            }
            const auto wait = backoff.next_wait();
            if (!wait) throw;
            log(LogLevel::warning, waiting_text(error, backoff, policy, *wait));
            sleep(*wait);
        }
    }
}

Sleep interruptible_sleep(std::stop_token stop) {
    return [stop = std::move(stop)](std::chrono::milliseconds wait) { pause(stop, wait); };
}

}  // namespace pgsluice
