#include "worker/fetcher.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "sql/error.h"

namespace pgsluice {

Fetcher::Fetcher(Consumer& consumer, std::size_t max_bytes_ahead, std::string hint)
    : consumer_(consumer),
      max_bytes_ahead_(max_bytes_ahead),
      hint_(std::move(hint)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Fetcher::~Fetcher() = default;

std::optional<Fetched> Fetcher::read(int timeout_ms) {
    auto message = consumer_.next(timeout_ms);
    if (!message) return std::nullopt;
    Fetched fetched{std::move(*message), nullptr};
    if (fetched.message.meta.kind == MessageKind::changes) fetched.block = read_block(fetched.message);
    return fetched;
}

std::shared_ptr<const Block> Fetcher::read_block(const Message& message) {
    try {
        return blocks_.read(message.body);
    } catch (const Error& error) {
        throw stop_error(fmt::format("{} (message {} of the stream)", error.what(), message.first_seq.value), hint_);
    }
}

void Fetcher::run(const std::stop_token& stop) {
    while (true) {
        std::unique_lock lock(mutex_);
        if (!changed_.wait(lock, stop, [this] { return ahead_; })) return;
        lock.unlock();
        std::exception_ptr failure;
        try {
            read_ahead(stop);
        } catch (...) {
            failure = std::current_exception();
        }
        lock.lock();
        ahead_ = false;
        failure_ = failure;
        changed_.notify_all();
    }
}

// Until there is nothing more; the next one to come is the caller's.
void Fetcher::read_ahead(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        auto fetched = read(0);
        if (!fetched) return;
        push(std::move(*fetched), stop);
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

std::optional<Fetched> Fetcher::take() {
    if (ready_.empty()) return std::nullopt;
    Fetched fetched = std::move(ready_.front());
    ready_.pop_front();
    bytes_ready_ -= fetched.message.body.size();
    changed_.notify_all();
    return fetched;
}

std::optional<Fetched> Fetcher::next(int timeout_ms) {
    {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [this] { return !ready_.empty() || !ahead_; });
        if (auto fetched = take()) return fetched;
        if (failure_) std::rethrow_exception(failure_);
        if (ahead_) return std::nullopt;
    }
    auto fetched = read(timeout_ms);
    if (fetched && consumer_.more()) {
        const std::lock_guard lock(mutex_);
        ahead_ = true;
        changed_.notify_all();
    }
    return fetched;
}

}  // namespace pgsluice
