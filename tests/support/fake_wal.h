// A WAL source and a publisher without network or time, for tests of the streaming loop.
//
// Time moves only when the loop waits. Each wait runs the next step of the test's script, and the wait behind the last
// step asks the loop to stop.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "replicator/wal/source.h"
#include "sql/error.h"
#include "stream/publisher.h"

namespace pgsluice::test {

class FakeScript {
   public:
    using Step = std::function<void()>;

    void then(Step step) { steps_.push_back(std::move(step)); }
    // Lets time pass by waiting until `time` has gone since this step began.
    void pass(std::chrono::milliseconds time) {
        then([this, time] { hold_until_ = now + time; });
    }
    void wait(std::chrono::microseconds limit) {
        now += limit > std::chrono::microseconds(0) ? limit : std::chrono::microseconds(1000);
        if (now < hold_until_) return;
        if (steps_.empty()) {
            stop.request_stop();
            return;
        }
        const auto step = std::move(steps_.front());
        steps_.pop_front();
        step();
    }

    std::chrono::steady_clock::time_point now{};
    std::stop_source stop;

   private:
    std::deque<Step> steps_;
    std::chrono::steady_clock::time_point hold_until_{};
};

class FakeWal final : public WalSource {
   public:
    struct Status {
        Lsn confirmed;
        bool reply_requested;
        std::chrono::steady_clock::time_point time;
    };

    explicit FakeWal(FakeScript& script) : script_(script) {}

    std::optional<std::string_view> receive() override {
        if (frames.empty()) return std::nullopt;
        current_ = std::move(frames.front());
        frames.pop_front();
        ++received;
        return current_;
    }
    void wait(std::chrono::milliseconds limit) override { script_.wait(limit); }
    void nap(std::chrono::microseconds time) override {
        ++naps;
        last_nap = time;
        script_.wait(time);
    }
    void send_status(Lsn confirmed, bool reply_requested) override {
        statuses.push_back({confirmed, reply_requested, script_.now});
        if (answers && reply_requested) frames.push_back(answer);
    }
    void close() noexcept override { closed = true; }
    void end(std::chrono::milliseconds) noexcept override { ended = true; }
    [[nodiscard]] std::chrono::milliseconds wal_sender_timeout() const override { return timeout; }
    [[nodiscard]] Clock::time_point now() const override { return script_.now; }

    std::deque<std::string> frames;
    std::vector<Status> statuses;
    std::string answer;   // to a status that asks for one,
    bool answers = true;  // if the server is alive
    std::chrono::milliseconds timeout{60000};
    int received = 0;
    int naps = 0;
    std::chrono::microseconds last_nap{};
    bool closed = false;
    bool ended = false;

   private:
    FakeScript& script_;
    std::string current_;
};

class FakePublisher final : public Publisher {
   public:
    struct Published {
        MessageMeta meta;
        std::string body;
    };

    explicit FakePublisher(FakeScript& script) : script_(script) {}

    bool has_room() override {
        if (broken) throw retry_error("unable to publish: the generation is broken");
        return room;
    }
    bool wait_for_room(int timeout_ms) override {
        if (!has_room()) script_.wait(std::chrono::milliseconds(timeout_ms));
        return has_room();
    }
    void publish(const MessageMeta& meta, std::string_view body, const CopyHeader*) override {
        has_room();
        messages.push_back({meta, std::string(body)});
        if (auto_ack) acked = messages.size();
    }
    std::optional<Lsn> confirmed() override {
        if (acked == 0) return std::nullopt;
        return messages[acked - 1].meta.safe_flush_lsn;
    }
    std::uint64_t in_flight() override { return messages.size() - acked; }
    bool await_acks(int timeout_ms) override {
        if (in_flight() > 0) script_.wait(std::chrono::milliseconds(timeout_ms));
        return in_flight() == 0;
    }

    std::vector<Published> messages;
    std::size_t acked = 0;  // how many of them
    bool auto_ack = true;
    bool room = true;
    bool broken = false;

   private:
    FakeScript& script_;
};

}  // namespace pgsluice::test
