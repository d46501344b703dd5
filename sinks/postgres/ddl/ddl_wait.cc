#include "sinks/postgres/ddl/ddl_wait.h"

#include <fmt/format.h>

#include "stream/base/pause.h"

namespace pgsluice {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto poll_interval = std::chrono::milliseconds(200);
constexpr int polls_per_question = 3;  // the broker is asked more rarely
constexpr auto say_after = std::chrono::seconds(10);

}  // namespace

void DdlWait::await(const UndecidedDdl& command, const std::function<void()>& meanwhile) {
    log_(LogLevel::warning, fmt::format("waiting for a decision: {}. {}", command.what(), command.hint()));
    decisions_.ask(command.pending);
    const auto began = Clock::now();
    const auto waited = [&] { return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began); };
    for (int polls = 1; polls % polls_per_question != 0 || decisions_.awaits(command.pending.place); ++polls) {
        if (!pause(stop_, poll_interval)) throw Interrupted{};
        meanwhile();
        if (waited() >= say_after) report(command, waited(), false);
    }
    report(command, waited(), true);
    log_(LogLevel::info, fmt::format("decided, after {} s: {} on {}",
                                     std::chrono::duration_cast<std::chrono::seconds>(waited()).count(),
                                     command.pending.kind, command.pending.object));
}

// In the log now and then, and in `pgsluice status`.
void DdlWait::report(const UndecidedDdl& command, std::chrono::milliseconds waited, bool over) const {
    if (!options_.target.on_long_wait) return;
    options_.target.on_long_wait({this, "a decision (pgsluice ddl)", over ? "" : command.what(), waited});
}

}  // namespace pgsluice
