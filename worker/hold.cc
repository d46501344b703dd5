#include "worker/hold.h"

namespace pgsluice {

void Hold::enter(Step step, CompareState answer, Clock::time_point now) {
    step_ = step;
    since_ = now;
    answer_ = CompareAnswer{request_.id, answer};
}

void Hold::see(const std::optional<CompareRequest>& request, Position taken, Clock::time_point now) {
    if (!request) {
        step_ = Step::idle;
        answer_.reset();
        return;
    }
    if (step_ != Step::idle && *request == request_) return;
    const bool same = step_ != Step::idle && request->id == request_.id;
    if (same && step_ == Step::over) return;
    request_ = *request;
    if (!request_.lsn.valid()) return enter(Step::held, CompareState::held, now);
    if (taken.commit >= request_.lsn) return enter(Step::over, CompareState::passed, now);
    step_ = Step::going;
}

void Hold::reach(Clock::time_point now) {
    if (step_ == Step::going) enter(Step::reached, CompareState::reached, now);
}

bool Hold::stands(Clock::time_point now) {
    const bool standing = step_ == Step::held || step_ == Step::reached;
    if (!standing || now - since_ < limit_) return standing;
    enter(Step::over, CompareState::gave_up, now);
    return false;
}

std::optional<Lsn> Hold::stop_before() const {
    if (step_ != Step::going && step_ != Step::reached) return std::nullopt;
    return request_.lsn;
}

}  // namespace pgsluice
