#include "sql/backend_watch.h"

#include <fmt/format.h>

#include <exception>

#include "sql/error.h"

namespace pgsluice::sql {

namespace {

using namespace std::chrono_literals;

constexpr auto rhythm = 2s;
// How long a process must have waited for its client before what is on its way cannot be meant any more.
constexpr auto waits_in_vain = 7s;
// A frozen server comes back; after so long without an answer a new connection is better.
constexpr auto unreachable_limit = 60s;
constexpr auto answer_limit = 5s;

std::int64_t whole_seconds(LookJudge::Clock::duration time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time).count();
}

}  // namespace

Sighting LookJudge::judge(const BackendState& state, Clock::time_point now) {
    reached_ = now;
    if (state.kind == BackendState::Kind::gone) return {true, false, state.text};
    if (state.kind != BackendState::Kind::waiting || state.trace != trace_) waiting_since_.reset();
    trace_ = state.trace;
    if (state.kind != BackendState::Kind::waiting)
        return {false, state.kind == BackendState::Kind::working, state.text};
    if (!waiting_since_) waiting_since_ = now;
    return {now - *waiting_since_ >= waits_in_vain, false, state.text};
}

Sighting LookJudge::failed(const std::string& reason, bool answered, Clock::time_point now) {
    if (answered) reached_ = now;
    const std::string text = "a second connection fails, too: " + reason;
    if (now - reached_ < unreachable_limit) return {false, false, text};
    return {true, false, fmt::format("{} (for {} s)", text, whole_seconds(now - reached_))};
}

BackendWatch::BackendWatch(ConnectOptions options, Backend backend)
    : options_(std::move(options)),
      backend_(std::move(backend)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Sighting BackendWatch::seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
}

void BackendWatch::note(Sighting sighting) {
    const std::lock_guard lock(mutex_);
    seen_ = std::move(sighting);
}

bool BackendWatch::pause(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    never_.wait_for(lock, stop, rhythm, [] { return false; });
    return !stop.stop_requested();
}

void BackendWatch::run(const std::stop_token& stop) {
    LookJudge judge(LookJudge::Clock::now());
    do {
        try {
            look_on(judge, stop);
        } catch (const Interrupted&) {
            return;
        } catch (const SqlError& error) {
            note(judge.failed(error.what(), !error.sqlstate().empty(), LookJudge::Clock::now()));
        } catch (const std::exception& error) {
            note(judge.failed(error.what(), true, LookJudge::Clock::now()));
        }
    } while (!seen().lost && pause(stop));
}

void BackendWatch::look_on(LookJudge& judge, const std::stop_token& stop) {
    Connection observer(options_, stop, Connection::Purpose::observer);
    observer.answer_within(answer_limit);
    do {
        const BackendState state = look_at(observer, backend_);
        const Sighting sighting = judge.judge(state, LookJudge::Clock::now());
        note(sighting);
        if (!sighting.lost || state.kind != BackendState::Kind::waiting) continue;
        // Whoever waits is to see that first: the end may get through, and would be taken for the reason. The request
        // is sent also when we are to end by now.
        pause(stop);
        end_backend(observer, backend_);
    } while (!seen().lost && pause(stop));
}

}  // namespace pgsluice::sql
