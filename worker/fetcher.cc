#include "worker/fetcher.h"

#include <chrono>
#include <utility>

namespace pgsluice {

namespace {

// How long a read waits before it looks whether it should end.
constexpr int poll_ms = 100;

}  // namespace

Fetcher::Fetcher(Consumer& consumer, std::size_t max_bytes_ahead)
    : consumer_(consumer),
      max_bytes_ahead_(max_bytes_ahead),
      thread_([this](const std::stop_token& stop) { read(stop); }) {}

Fetcher::~Fetcher() = default;

void Fetcher::read(const std::stop_token& stop) {
    try {
        BlockReader reader;
        while (!stop.stop_requested()) {
            auto message = consumer_.next(poll_ms);
            if (!message) continue;
            Fetched fetched{std::move(*message), nullptr};
            if (fetched.message.meta.kind == MessageKind::changes) fetched.block = reader.read(fetched.message.body);
            push(std::move(fetched), stop);
        }
    } catch (...) {
        const std::lock_guard lock(mutex_);
        failure_ = std::current_exception();
        changed_.notify_all();
    }
}

void Fetcher::push(Fetched fetched, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    // One message always fits, however large it is.
    changed_.wait(lock, stop, [this] { return ready_.empty() || bytes_ready_ < max_bytes_ahead_; });
    bytes_ready_ += fetched.message.body.size();
    ready_.push_back(std::move(fetched));
    changed_.notify_all();
}

std::optional<Fetched> Fetcher::next(int timeout_ms) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [this] { return !ready_.empty() || failure_; });
    if (ready_.empty()) {
        if (failure_) std::rethrow_exception(failure_);
        return std::nullopt;
    }
    Fetched fetched = std::move(ready_.front());
    ready_.pop_front();
    bytes_ready_ -= fetched.message.body.size();
    changed_.notify_all();
    return fetched;
}

}  // namespace pgsluice
