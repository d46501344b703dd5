#include "tests/crash/webhook_worker.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace pgsluice::test {
namespace {

std::string key_of(const Line& line) { return (line.snapshot ? "snapshot-" : "") + to_string(line.position); }

std::string key_of(const std::vector<Line>& lines) {
    const std::string first = key_of(lines.front());
    return lines.size() == 1 ? first : first + ".." + key_of(lines.back());
}

}  // namespace

WebhookWorker::WebhookWorker(const Pipeline& pipeline, unsigned seed)
    : random_(seed),
      receiver_([this](const HttpRequest& request) { return receive(request); }, 0, false),
      actor(pipeline.worker_argv("webhook", {"--webhook-url", receiver_.url(), "--webhook-batch-size", "100",
                                             "--webhook-concurrency", "3", "--webhook-timeout", "5s"})) {}

// One request at a time.
HttpReply WebhookWorker::receive(const HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    const auto fate = random_() % 100;
    HttpReply reply;
    if (fate < 3) {
        ++refused_;
        reply.status = fate == 0 ? 429 : 500;
        if (fate == 0) reply.headers.emplace_back("Retry-After: 1");
        return reply;
    }
    try {
        const auto lines = parse_objects(request.body);
        const auto key = request.headers.find("idempotency-key");
        if (key == request.headers.end() || key->second != key_of(lines))
            wrong_ = fmt::format("a request's key is '{}', its changes are {}",
                                 key == request.headers.end() ? "" : key->second, key_of(lines));
        for (const Line& line : lines) take(line);
    } catch (const std::exception& error) {
        wrong_ = error.what();
    }
    if (fate == 3) reply.manner = HttpReply::Manner::hang_up;
    return reply;
}

void WebhookWorker::take(const Line& line) {
    if (line.change.table == "settled") marks_.insert(static_cast<int>(line.change.key));
    if (line.snapshot) return;  // the copy ended before the log began
    if (line.position <= checked_ || taken_.contains(line.position)) {
        ++repeated_;
        const auto found = taken_.find(line.position);
        if (found != taken_.end() && !(found->second == line.change))
            wrong_ = fmt::format("{} was {} once and {} later", to_string(line.position), to_string(found->second),
                                 to_string(line.change));
        return;
    }
    taken_.emplace(line.position, line.change);
    for (const auto& row : line.rows) take_in_order(row, line.position);
}

void WebhookWorker::take_in_order(const std::string& row, Position position) {
    Position& last = rows_[row];
    if (position < last && wrong_.empty())
        wrong_ = fmt::format("row {}: {} came behind {}", row, to_string(position), to_string(last));
    last = std::max(last, position);
}

std::size_t WebhookWorker::taken_behind(Lsn begin) const {
    return static_cast<std::size_t>(std::distance(taken_.lower_bound({begin, 0}), taken_.end()));
}

void WebhookWorker::check(const SourceLog& log, int mark) {
    const auto arrived = [&] {
        REQUIRE_MESSAGE(actor.process().running(), actor.process().err());
        const std::lock_guard lock(mutex_);  // other rows' changes may come behind the mark
        return marks_.contains(mark) && taken_behind(log.begin()) >= log.changes().size() - compared_;
    };
    eventually("the webhook has everything", arrived, std::chrono::seconds(120));  // what is missing is said below
    const std::lock_guard lock(mutex_);
    INFO("the webhook worker's messages:\n" << actor.process().err());
    CHECK(wrong_.empty());
    if (!wrong_.empty()) FAIL_CHECK(wrong_);
    for (const auto& taken : taken_) {
        const auto& position = taken.first;
        CAPTURE(to_string(position));
        checked_ = position;
        if (position.commit < log.begin()) continue;
        REQUIRE_MESSAGE(compared_ < log.changes().size(), "more than the source committed");
        REQUIRE(to_string(taken.second) == to_string(log.changes()[compared_]));
        ++compared_;
    }
    taken_.clear();
    if (compared_ < log.changes().size()) FAIL_CHECK("missing: " << to_string(log.changes()[compared_]));
}

}  // namespace pgsluice::test
