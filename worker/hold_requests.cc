#include "worker/hold_requests.h"

#include <fmt/format.h>

#include <utility>

#include "sql/error.h"
#include "stream/base/failpoint.h"

namespace pgsluice {

namespace {

constexpr auto usual_interval = std::chrono::seconds(2);
constexpr auto asked_interval = std::chrono::milliseconds(20);

}  // namespace

HoldRequests::HoldRequests(Hold& hold, CompareKeys keys, std::string worker, const Log& log)
    : hold_(hold), keys_(std::move(keys)), worker_(std::move(worker)), log_(log) {}

void HoldRequests::look(Position taken) {
    const auto now = Hold::Clock::now();
    try {
        if (hold_.answer()) send();
        if (now < next_) return;
        read(taken);
        if (hold_.answer()) send();
    } catch (const Error& error) {
        if (error.action() != Action::retry) throw;
    }
    next_ = now + (hold_.asked() ? asked_interval : usual_interval);
}

void HoldRequests::read(Position taken) { hold_.see(keys_.request(), taken, Hold::Clock::now()); }

void HoldRequests::send() {
    const CompareAnswer answer = *hold_.answer();
    if (answer.state == CompareState::gave_up) {
        log_(LogLevel::warning,
             fmt::format("worker '{}' waited long enough for pgsluice compare and continues", worker_));
        keys_.end(answer.id);
    }
    keys_.tell(answer);
    hold_.told();
    PGSLUICE_FAILPOINT(answer.state == CompareState::held ? "compare-held" : "compare-reached");
}

}  // namespace pgsluice
