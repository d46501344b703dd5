// A webhook worker among the faults, the receiver it posts to, and what must hold of what arrives.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <string>

#include "tests/crash/actor.h"
#include "tests/crash/line.h"
#include "tests/support/http_receiver.h"
#include "tests/support/pipeline.h"

namespace pgsluice::test {

class WebhookWorker {
   public:
    // The receiver refuses now and then (500, 429), and hangs up having taken a request.
    WebhookWorker(const Pipeline& pipeline, unsigned seed);

    // Waits for the settling mark, then compares (CHECKs): every committed change has been taken at least once, with
    // the key it always has, and changes of one row were first taken in their order.
    void check(const SourceLog& log, int mark);
    [[nodiscard]] long refused() const { return refused_; }
    [[nodiscard]] long repeated() const { return repeated_; }

   private:
    HttpReply receive(const HttpRequest& request);
    void take(const Line& line);
    [[nodiscard]] std::size_t taken_behind(Lsn begin) const;
    void take_in_order(const std::string& row, Position position);

    mutable std::mutex mutex_;
    std::mt19937 random_;
    std::map<Position, CommittedChange> taken_;  // since the last check
    std::map<std::string, Position> rows_;       // where each row is
    std::set<int> marks_;
    std::string wrong_;  // the first thing
    Position checked_;
    std::size_t compared_ = 0;  // of the log's changes
    long refused_ = 0;
    long repeated_ = 0;
    HttpReceiver receiver_;

   public:
    Actor actor;  // ends before its receiver
};

}  // namespace pgsluice::test
