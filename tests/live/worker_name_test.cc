// A worker's name is its own until its sink has ended: something of that may be on its way until then.
#include <doctest/doctest.h>

#include <stop_token>

#include "stream/group/registry.h"
#include "tests/support/stream_group.h"
#include "worker/rules/in_force.h"
#include "worker/worker.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

// Takes everything and keeps nothing; says when it ends.
class EndingSink final : public Sink {
   public:
    explicit EndingSink(std::function<void()> ends) : ends_(std::move(ends)) {}
    ~EndingSink() override { ends_(); }
    [[nodiscard]] bool keeps_state() const override { return false; }
    std::optional<SinkState> open() override { return std::nullopt; }
    void begin_snapshot(const SnapshotBegin&, const std::vector<RelationPtr>&, const Checkpoint&) override {}
    [[nodiscard]] bool takes_copy() const override { return false; }
    void copy(const CopyBlock&) override {}
    void end_snapshot(const SnapshotEnd&, const Checkpoint&) override {}
    void apply(const Batch&) override {}
    void flush() override {}
    [[nodiscard]] Checkpoint durable() const override { return {}; }
    void close() override {}

   private:
    std::function<void()> ends_;
};

}  // namespace

TEST_CASE("a worker's name is free only once its sink has ended") {
    const StreamGroup group;
    const auto publisher = group.publisher(StreamSeq{0});
    publisher->publish(at(1), "[]");
    REQUIRE(publisher->await_acks(10000));
    WorkerRegistry registry(*group.broker, group.names);
    const auto taken = [&] { return !registry.find("slow").value_or(WorkerEntry{}).session.empty(); };
    bool taken_at_the_end = false;
    const SinkFactory make = [&](std::stop_token) {
        return std::make_unique<EndingSink>([&] { taken_at_the_end = taken(); });
    };
    WorkerOptions options;
    options.nats.url = shared_nats().url();
    options.names = group.names;
    options.worker = "slow";
    options.sink = "webhook";
    std::stop_source stop;
    Drain drain(stop.get_token(), std::chrono::seconds(5));
    RulesInForce rules(options.rules);
    run_worker(
        options, rules, make, no_log(), [&] { stop.request_stop(); }, drain);
    CHECK(taken_at_the_end);
    CHECK_FALSE(taken());
}
