// A worker's part in comparing source and target at one LSN (stream/group/compare_keys.h): it stands still when asked,
// then applies exactly what committed before the LSN, and stands still there until compare has its snapshot of the
// target. Pure: the caller reads the request, sends the answer and does the waiting.
//
// A compare that dies must not hold the worker: each of the two stands ends after `limit`.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "stream/group/compare_keys.h"
#include "stream/position.h"

namespace pgsluice {

class Hold {
   public:
    using Clock = std::chrono::steady_clock;

    explicit Hold(std::chrono::milliseconds limit = std::chrono::seconds(15)) : limit_(limit) {}

    // What the request says now, and the last change that was taken from the stream.
    void see(const std::optional<CompareRequest>& request, Position taken, Clock::time_point now);
    // Everything that committed before stop_before() is applied, and nothing else.
    void reach(Clock::time_point now);

    // Whether nothing is to be taken from the stream. Ends by itself: call it often.
    [[nodiscard]] bool stands(Clock::time_point now);
    // Changes that committed at or above it are not to be taken yet.
    [[nodiscard]] std::optional<Lsn> stop_before() const;
    // What is to be told to compare; told() once that is done.
    [[nodiscard]] const std::optional<CompareAnswer>& answer() const noexcept { return answer_; }
    void told() noexcept { answer_.reset(); }
    // Whether compare waits for us, so that the request is to be looked at often.
    [[nodiscard]] bool asked() const noexcept { return step_ != Step::idle && step_ != Step::over; }

   private:
    enum class Step { idle, held, going, reached, over };
    void enter(Step step, CompareState answer, Clock::time_point now);

    std::chrono::milliseconds limit_;
    Step step_ = Step::idle;
    CompareRequest request_;
    Clock::time_point since_;
    std::optional<CompareAnswer> answer_;
};

}  // namespace pgsluice
