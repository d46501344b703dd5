#include "worker/session.h"

#include <doctest/doctest.h>

#include <deque>
#include <string>
#include <vector>

#include "rules/unmatched_tables.h"
#include "sql/error.h"
#include "stream/format/block_writer.h"
#include "stream/format/markers.h"

using namespace pgsluice;

namespace {

const Log no_log = [](LogLevel, std::string_view) {};

// Hands out prepared messages.
class PreparedConsumer : public Consumer {
   public:
    void add(MessageKind kind, std::string body, Lsn safe_flush_lsn = {}, CopyHeader copy = {}) {
        auto owner = std::make_shared<const std::string>(std::move(body));
        Message message;
        message.first_seq = message.last_seq = StreamSeq{++last_};
        message.meta = {kind, {}, safe_flush_lsn};
        message.copy = copy;
        message.body = *owner;
        message.owner = owner;
        messages_.push_back(message);
    }

    std::optional<Message> next(int) override {
        if (messages_.empty()) {
            std::this_thread::yield();
            return std::nullopt;
        }
        auto message = messages_.front();
        messages_.pop_front();
        return message;
    }

    [[nodiscard]] bool more() const override { return !messages_.empty(); }

   private:
    std::deque<Message> messages_;
    std::uint64_t last_ = 0;
};

// Writes down what it is told.
class RecordingSink : public Sink {
   public:
    explicit RecordingSink(bool copies) : copies_(copies) {}

    std::optional<SinkState> open() override { return std::nullopt; }
    std::string home() override { return at_home; }
    void begin_snapshot(const SnapshotBegin& begin, const std::vector<RelationPtr>& tables,
                        const Checkpoint& upto) override {
        events.push_back("begin " + std::to_string(begin.epoch) + " " + tables.at(0)->table + " at " +
                         std::to_string(upto.resume_seq.value));
        wait();
    }
    void while_waiting(std::function<void()> tell) override { tell_ = std::move(tell); }
    [[nodiscard]] bool takes_copy() const override { return copies_; }
    void copy(const CopyBlock& block) override {
        events.push_back("copy " + std::to_string(block.first_seq.value) + " " + std::string(block.text));
    }
    void end_snapshot(const SnapshotEnd&, const Checkpoint& upto) override {
        events.push_back("end " + std::to_string(upto.resume_seq.value));
        durable_ = upto;
    }
    void apply(const Batch& batch) override {
        std::string event = batch.complete ? "apply" : "piece";
        for (const Change& change : batch.changes)
            event += (change.snapshot ? " s" : " ") + std::string(change.new_row[0].text());
        if (!batch.changes.empty()) events.push_back(event);
        wait();
        if (batch.complete) durable_ = batch.upto;
    }
    void flush() override { ++flushes; }
    [[nodiscard]] Checkpoint durable() const override { return durable_; }
    void close() override { events.push_back("close"); }

    std::vector<std::string> events;
    std::string at_home;
    int waits = 0;  // how often begin_snapshot() and apply() say that they wait
    std::function<bool()> waited_enough = [] { return true; };
    int flushes = 0;
    Checkpoint durable_;

   private:
    void wait() {
        for (int i = 0; i < waits; ++i) tell_();
        while (!waited_enough()) tell_();
    }

    std::function<void()> tell_;
    bool copies_;
};

const RelationPtr items = std::make_shared<const Relation>(
    Relation{1, "public", "items", ReplicaIdentity::default_key, {{"id", 23, -1, true, "integer", 23, 0}}});

std::string block_of(std::uint64_t commit, const std::vector<std::string>& ids, bool whole = true,
                     std::string_view made_in = {}) {
    BlockWriter writer;
    Transaction transaction;
    transaction.commit_lsn = {commit};
    transaction.made_in = made_in;
    transaction.commit_time_us = static_cast<std::int64_t>(commit);
    writer.begin(transaction);
    std::uint64_t ordinal = 0;
    for (const auto& id : ids) {
        const Value value{std::string_view(id)};
        Change change;
        change.relation = items.get();
        change.transaction = &transaction;
        change.position = {transaction.commit_lsn, ++ordinal};
        change.new_row = {&value, 1};
        writer.change(change);
    }
    if (whole) writer.commit({commit + 8});
    return std::string(writer.finish());
}

std::string begin_marker(std::uint64_t epoch = 1) {
    SnapshotBegin begin;
    begin.epoch = epoch;
    begin.consistent_point = {100};
    begin.tables = {*items};
    begin.estimated_bytes = {8192};
    return encode(begin);
}

std::string end_marker(std::uint64_t epoch = 1) { return encode(SnapshotEnd{epoch, {100}, 2}); }

using Events = std::vector<std::string>;

SessionStart from_the_first() {
    SessionStart start;
    start.from = {StreamSeq{1}, {}};
    return start;
}

struct World {
    explicit World(bool sink_copies) : sink(sink_copies) {}

    // Until everything prepared is applied.
    void run() {
        if (!options.exit_at_lsn && !options.exit_after_snapshot) {
            options.exit_at_lsn = Lsn{9999};
            consumer.add(MessageKind::progress, encode(Progress{Lsn{9999}, 0}), {9999});
        }
        run({});
    }
    // Until it ends; `control.report` is called after the world's own.
    Session::End run(SessionControl control, const std::stop_token& stop = {}) {
        control.report = [this, others = std::move(control.report)](const WorkerReport& report) {
            reports.push_back(report);
            last_report = report;
            if (others) others(report);
        };
        Delivered delivered(
            *ruleset, OnRulesChange::stop, {}, [](const Delivered::Notes&) {}, no_log);
        Session session(options, *ruleset, delivered, sink, consumer, start, std::move(control), log);
        return session.run(stop);
    }

    WorkerOptions options;
    SessionStart start = from_the_first();
    std::unique_ptr<Ruleset> ruleset = Ruleset::load({});
    RecordingSink sink;
    PreparedConsumer consumer;
    std::string logged;
    Log log = [this](LogLevel, std::string_view line) { logged.append(line) += '\n'; };
    WorkerReport last_report;
    std::vector<WorkerReport> reports;
};

}  // namespace

TEST_CASE("a snapshot goes to a sink that copies as text, and the changes after it") {
    World world(true);
    world.consumer.add(MessageKind::snapshot_begin, begin_marker(), {100});
    world.consumer.add(MessageKind::copy, "1\n2\n", {100}, {1, 0, 1, 2, 0, 0});
    world.consumer.add(MessageKind::snapshot_end, end_marker(), {100});
    world.consumer.add(MessageKind::changes, block_of(100, {"3", "4"}), {108});
    world.run();
    CHECK(world.sink.events == Events{"begin 1 items at 1", "copy 2 1\n2\n", "end 4", "apply 3 4", "close"});
    CHECK(world.last_report.applied_lsn == Lsn{9999});
    CHECK(world.last_report.durable.checkpoint == Checkpoint{StreamSeq{6}, {Lsn{100}, 2}});
}

TEST_CASE("a sink that does not copy gets the snapshot's rows as inserts") {
    World world(false);
    world.consumer.add(MessageKind::snapshot_begin, begin_marker(), {100});
    world.consumer.add(MessageKind::copy, "1\n2\n", {100}, {1, 0, 1, 2, 0, 0});
    world.consumer.add(MessageKind::snapshot_end, end_marker(), {100});
    world.run();
    CHECK(world.sink.events == Events{"begin 1 items at 1", "apply s1 s2", "end 4", "close"});
}

TEST_CASE("exit-after-snapshot ends before the changes, exit-at-lsn once its LSN is applied") {
    World world(true);
    world.options.exit_after_snapshot = true;
    world.consumer.add(MessageKind::snapshot_begin, begin_marker(), {100});
    world.consumer.add(MessageKind::snapshot_end, end_marker(), {100});
    world.consumer.add(MessageKind::changes, block_of(100, {"3"}), {108});
    world.run();
    CHECK(world.sink.events == Events{"begin 1 items at 1", "end 3", "close"});

    World other(true);
    other.options.exit_at_lsn = Lsn{108};
    other.consumer.add(MessageKind::changes, block_of(100, {"1"}), {108});
    other.run();
    CHECK(other.sink.events == Events{"apply 1", "close"});
}

TEST_CASE("exit-at-lsn does not end in the middle of a copy, nor does a repeated begin marker begin it again") {
    World world(true);
    world.options.exit_at_lsn = Lsn{100};
    world.consumer.add(MessageKind::snapshot_begin, begin_marker(), {100});
    world.consumer.add(MessageKind::copy, "1\n", {100}, {1, 0, 1, 1, 0, 0});
    world.consumer.add(MessageKind::snapshot_begin, begin_marker(), {100});
    world.consumer.add(MessageKind::copy, "2\n", {100}, {1, 0, 2, 1, 0, 0});
    world.consumer.add(MessageKind::snapshot_end, end_marker(), {100});
    world.run();
    CHECK(world.sink.events ==
          Events{"begin 1 items at 1", "copy 2 1\n", "begin 1 items at 3", "copy 4 2\n", "end 6", "close"});
}

TEST_CASE("a sink that waits lets the session report, of a new epoch only when the sink has taken it over") {
    World world(false);
    world.options.registry_interval_ms = 0;
    world.sink.waits = 3;
    world.consumer.add(MessageKind::snapshot_begin, begin_marker(), {100});
    world.consumer.add(MessageKind::copy, "1\n", {100}, {1, 0, 1, 1, 0, 0});
    world.options.exit_after_snapshot = true;
    world.consumer.add(MessageKind::snapshot_end, end_marker(), {100});
    world.run();
    REQUIRE(world.reports.size() >= 8);
    for (std::size_t i = 0; i < 3; ++i) CHECK(world.reports[i].durable == SinkState{});  // inside begin_snapshot()
    CHECK(world.reports[3].durable.loading_epoch == 1);
    for (std::size_t i = 4; i < 7; ++i) CHECK(world.reports[i].durable == SinkState{{}, 1, {1}});  // inside apply()
    CHECK(world.reports.back().durable == SinkState{{{4}, {}}, 0, {}});
}

TEST_CASE("a sink that waits in every call is flushed as often as another") {
    World world(false);
    world.options.registry_interval_ms = 2;
    world.options.batch_size = 1;
    std::size_t seen = 0;  // a report tells from inside apply() that the interval is over
    world.sink.waited_enough = [&] { return world.reports.size() > seen ? seen = world.reports.size(), true : false; };
    for (std::uint64_t i = 1; i <= 50; ++i) world.consumer.add(MessageKind::changes, block_of(i, {"1"}), {i});
    world.options.exit_at_lsn = Lsn{50};
    world.run();
    CHECK(world.sink.flushes >= 20);
}

TEST_CASE("a session that starts over reports nothing that its sink remembers before the copy has begun") {
    World world(false);
    world.start.over = true;
    world.options.registry_interval_ms = 0;
    world.options.exit_after_snapshot = true;
    world.sink.durable_ = {StreamSeq{9000}, {Lsn{50}, 1}};
    world.sink.waits = 3;
    world.consumer.add(MessageKind::snapshot_begin, begin_marker(), {100});
    world.consumer.add(MessageKind::snapshot_end, end_marker(), {100});
    world.run();
    REQUIRE(world.reports.size() >= 4);
    for (std::size_t i = 0; i < 3; ++i) CHECK(world.reports[i].durable == SinkState{{StreamSeq{1}, {}}, 0, {}});
    CHECK(world.reports.back().durable == SinkState{{StreamSeq{3}, {}}, 0, {}});
}

TEST_CASE("exit-after-snapshot lets the end of an older copy pass") {
    World world(true);
    world.options.exit_after_snapshot = true;
    world.start.awaited_epoch = 2;
    for (const std::uint64_t epoch : {1U, 2U, 3U}) {
        world.consumer.add(MessageKind::snapshot_begin, begin_marker(epoch), {100});
        world.consumer.add(MessageKind::snapshot_end, end_marker(epoch), {100});
    }
    world.run();
    CHECK(world.sink.events == Events{"begin 1 items at 1", "end 3", "begin 2 items at 3", "end 5", "close"});
}

TEST_CASE("copied rows that no begin marker announced are refused") {
    World world(true);
    world.consumer.add(MessageKind::copy, "1\n", {100}, {7, 0, 1, 1, 0, 0});
    CHECK_THROWS_WITH_AS(world.run(), doctest::Contains("epoch 7"), Error);
}

TEST_CASE("rules for a table that the snapshot does not have are warned of") {
    const std::vector<Relation> tables{*items};
    CHECK(unmatched_tables({"items", "public.items"}, tables).empty());
    const auto warnings = unmatched_tables({"itmes", "shop.items"}, tables);
    REQUIRE(warnings.size() == 2);
    CHECK(warnings[0].find("'itmes'") != std::string::npos);
}

namespace {

// Asked to stop before it reads anything; `end` is what the stream's last message is then.
Events events_of_drain(World& world, std::optional<StreamSeq> end, const std::stop_token& over = {}) {
    std::stop_source stop;
    stop.request_stop();
    SessionControl control;
    control.last_message = [&] { return end; };
    control.over = over;
    world.run(std::move(control), stop.get_token());
    return world.sink.events;
}

void add_three(World& world) {
    for (const auto& [commit, id] : {std::pair{100U, "1"}, std::pair{200U, "2"}, std::pair{300U, "3"}})
        world.consumer.add(MessageKind::changes, block_of(commit, {id}), {commit + 8});
}

}  // namespace

TEST_CASE("a session that is asked to stop applies what the stream held then, and no more") {
    World world(true);
    world.options.batch_size = 1;
    add_three(world);
    CHECK(events_of_drain(world, StreamSeq{2}) == Events{"apply 1", "apply 2", "close"});
    CHECK(world.last_report.durable.checkpoint == Checkpoint{StreamSeq{3}, {Lsn{200}, 1}});
}

TEST_CASE("a table that joins in another share than one of its target stops a session by table") {
    World world(true);
    const Share share{1, 2, ShareBy::table};
    Relation known = *items;
    known.oid = 2;
    while (share_number(known, share) == share_number(*items, share)) known.table += "s";
    world.start.share = std::make_shared<ShareFilter>(share, std::vector<DeliveredPart>{});
    world.start.targets = std::make_shared<SharedTargets>(share, [](const Relation&) {
        return QualifiedName{"public", "one"};
    });
    world.start.targets->add(known);
    add_three(world);
    CHECK_THROWS_WITH_AS(world.run(), doctest::Contains("unable to share by table: 'public.items' and 'public.itemss"),
                         Error);
}

TEST_CASE("a session knows of tables that another share has, so that no truncate takes their rows along") {
    World world(true);
    const std::uint32_t others = share_number(*items, {1, 2, ShareBy::table}) == 1 ? 2 : 1;
    world.start.share = std::make_shared<ShareFilter>(Share{others, 2, ShareBy::table}, std::vector<DeliveredPart>{});
    add_three(world);
    world.run();
    CHECK(world.ruleset->others_in(*items, {}).contains("public.items"));
}

TEST_CASE("a session that has read all, that does not know what there is, or has no time, ends at once") {
    World all(true);
    all.start.from = {StreamSeq{4}, {Lsn{300}, 1}};
    CHECK(events_of_drain(all, StreamSeq{3}) == Events{"close"});
    World unknown(true);
    add_three(unknown);
    CHECK(events_of_drain(unknown, std::nullopt) == Events{"close"});
    World late(true);
    add_three(late);
    std::stop_source over;
    over.request_stop();
    CHECK(events_of_drain(late, StreamSeq{3}, over.get_token()) == Events{"close"});
}

TEST_CASE("while a session waits for the rest of a transaction, it is as far behind as that is old") {
    World world(true);
    world.options.registry_interval_ms = 0;
    world.consumer.add(MessageKind::changes, block_of(100, {"1"}), {108});
    world.consumer.add(MessageKind::changes, block_of(200, {"2"}, false), {108});
    std::stop_source stop;
    int waited = 0;
    SessionControl control;
    control.report = [&](const WorkerReport&) {
        if (!world.consumer.more() && ++waited == 10) stop.request_stop();
    };
    world.run(std::move(control), stop.get_token());
    CHECK(world.sink.events == Events{"apply 1", "piece 2", "close"});
    CHECK(world.last_report.applied.position == Position{Lsn{100}, 1});
    CHECK(world.last_report.applying_us == 200);
}

TEST_CASE("while a sink waits with a batch, the session is as far behind as the oldest in it") {
    World world(true);
    world.options.registry_interval_ms = 0;
    world.sink.waits = 1;
    add_three(world);
    std::int64_t within = 0;
    world.sink.waited_enough = [&] {
        if (within == 0) within = world.reports.back().applying_us;
        return true;
    };
    world.run();
    // How many of the three are in the first batch is the fetching thread's to say.
    CHECK(world.sink.events.front().starts_with("apply 1"));
    CHECK(within == 100);
    CHECK(world.last_report.applying_us == 0);
}

TEST_CASE("a session gives way between transactions, however many pieces one comes in") {
    World world(true);
    world.options.batch_size = 1;
    world.consumer.add(MessageKind::changes, block_of(100, {"1", "2", "3", "4", "5", "6", "7", "8", "9"}), {108});
    world.consumer.add(MessageKind::changes, block_of(200, {"10"}), {208});
    SessionControl control;
    control.asked_to_give_way = [&] { return !world.sink.events.empty(); };
    CHECK(world.run(std::move(control)) == Session::End::gave_way);
    CHECK(world.sink.events == Events{"piece 1 2 3 4", "piece 5 6 7 8", "apply 9", "close"});
    CHECK(world.last_report.durable.checkpoint.position == Position{Lsn{100}, 9});
}

TEST_CASE("a session that gives way hands on what is whole of the batch, and no piece") {
    World world(true);
    world.consumer.add(MessageKind::changes, block_of(100, {"1"}), {108});
    world.consumer.add(MessageKind::changes, block_of(200, {"2", "3"}, false), {108});
    SessionControl control;
    control.asked_to_give_way = [&] { return !world.consumer.more(); };
    CHECK(world.run(std::move(control)) == Session::End::gave_way);
    CHECK(world.sink.events == Events{"apply 1", "close"});
    CHECK(world.last_report.durable.checkpoint.position == Position{Lsn{100}, 1});
}

TEST_CASE("transactions made in the target are left out, which is said with the first of them") {
    World world(true);
    world.sink.at_home = "1/here";
    world.consumer.add(MessageKind::group, encode(GroupInfo{"g", "2", 1, "there", "15.0", "0", 1}));
    world.consumer.add(MessageKind::changes, block_of(100, {"1"}, true, "1/here"), {108});
    world.run();
    CHECK(world.sink.events == Events{"close"});
    CHECK(world.logged.find("came to the source from there, are left out\n") != std::string::npos);
}
