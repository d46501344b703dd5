// Messages that another program published to a group's stream: none ends the group for good.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

using HeaderValues = std::vector<std::pair<std::string, std::string>>;

struct Foreigner : Pipeline {
    std::unique_ptr<Broker> broker = connect_broker();
    Names names = names_for(group());

    Foreigner() {
        on_both("CREATE TABLE t (id int PRIMARY KEY, v text)");
        on_source("INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 1000) i");
    }

    StreamSeq last_seq() { return broker->stream_state(names.stream).value().last_seq; }
    StreamSeq publish(const std::string& body = "hello", const HeaderValues& headers = {}) {
        return broker->publish_one(names.changes_subject, body, headers);
    }
    // With the replicator's headers and the right fence. Repeated where the replicator publishes at the same time.
    StreamSeq publish_as_ours(const std::string& kind, const std::string& body, Position position, Lsn lsn,
                              HeaderValues more = {}) {
        for (int tries = 0;; ++tries) {
            HeaderValues headers{{"Pgsluice-Kind", kind},
                                 {"Pgsluice-Position", to_string(position)},
                                 {"Pgsluice-Confirmable", to_string(lsn)},
                                 {"Nats-Expected-Last-Sequence", std::to_string(last_seq().value)}};
            headers.insert(headers.end(), more.begin(), more.end());
            try {
                return publish(body, headers);
            } catch (const Error&) {
                if (tries == 20) throw;
            }
        }
    }
    MessageMeta last_meta() { return broker->last_message(names.stream).value().meta; }
    Finished repair(std::vector<std::string> more = {}) {
        std::vector<std::string> words{PGSLUICE_BINARY, "repair",     "--group",
                                       group(),         "--nats-url", shared_nats().url()};
        words.insert(words.end(), more.begin(), more.end());
        return run(words);
    }
    void insert_more() { on_source("INSERT INTO t SELECT max(id) + 1, 'more' FROM t"); }
    void check_all_works() {
        insert_more();
        check_equal({"t"});
    }
    void check_a_restart() {
        start();
        check_all_works();
        stop();
    }
};

}  // namespace

TEST_CASE("foreign messages while both run are skipped with a line in both logs") {
    Foreigner group;
    group.start();
    group.settle();
    const auto seq = group.publish();
    group.publish("more", {{"Pgsluice-Kind", "changes"}});
    group.publish(std::string(900'000, 'x'), {{"Pgsluice-Kind", "of-our-own"}});
    group.check_all_works();
    CHECK(eventually("the worker says so", [&] {
        return contains(group.worker().err(), fmt::format("skipping message {} of stream", seq.value));
    }));
    CHECK(contains(group.replicator().err(), "holds what this group's replicator has not written"));
    group.publish();
    group.stop();
    group.check_a_restart();

    const Finished listed = group.repair();
    CHECK(listed.code == 0);
    CHECK(contains(listed.out, fmt::format("would remove message {} of stream", seq.value)));
    CHECK(group.broker->stored_message(group.names.stream, seq));
    CHECK(group.repair({"--yes"}).code == 0);
    CHECK_FALSE(group.broker->stored_message(group.names.stream, seq));
    CHECK(contains(group.repair().out, "holds nothing foreign"));
    // Continue over what was removed; a new worker, too.
    group.check_a_restart();
    const Finished lines = run(group.worker_argv("stdout", {"--worker-name", "lines", "--exit-after-snapshot"}));
    CAPTURE(lines.err);
    CHECK(lines.code == 0);
}

TEST_CASE("a foreign message before the group's first is skipped, and may be removed later") {
    Foreigner group;
    group.broker->ensure_stream(group.names, {});
    group.publish();
    CHECK(contains(group.repair().out, "not removing message 1 of stream"));
    group.check_a_restart();
    CHECK(contains(group.repair({"--yes"}).out, "removed message 1 of stream"));
    group.check_a_restart();
    const Finished lines = run(group.worker_argv("stdout", {"--worker-name", "lines", "--exit-after-snapshot"}));
    CAPTURE(lines.err);
    CHECK(lines.code == 0);
}

TEST_CASE("a foreign message in the middle of a snapshot") {
    Foreigner group;
    group.on_source("INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1001, 60000) i");
    group.start_replicator();
    REQUIRE(eventually("rows are in the stream", [&] {
        const auto state = group.broker->stream_state(group.names.stream);
        return state && state->last_seq.value > 3;
    }));
    group.publish();
    group.start_worker();
    group.check_all_works();
    group.stop();
    CHECK(group.repair({"--yes"}).code == 0);
    group.check_a_restart();
}

// As when one of several messages that are on their way is refused, for its place is taken, and the next is not.
TEST_CASE("a message of ours that follows a foreign one is skipped, and what it held comes again") {
    Foreigner group;
    group.start();
    group.settle();
    group.stop();
    const MessageMeta last = group.last_meta();
    const Position later{{last.position.commit.value + 8}, 1};
    group.publish();
    const auto stranded = group.publish_as_ours("progress", "", later, Lsn{last.safe_flush_lsn.value + 8});
    group.publish_as_ours("progress", "", later, Lsn{last.safe_flush_lsn.value + 8});
    CHECK(group.last_meta().position == last.position);
    group.insert_more();
    group.start();
    group.check_all_works();
    CHECK(contains(group.worker().err(), fmt::format("skipping message {} of stream", stranded.value - 1)));
    group.stop();
    CHECK(contains(group.repair({"--yes"}).out, fmt::format("removed message {} of stream", stranded.value)));
    group.check_a_restart();
}

TEST_CASE("a foreign message between parts of one message") {
    Foreigner group;
    group.start();
    group.settle();
    // Ends in the first part of a message, as a replicator leaves it that was killed.
    group.stop_replicator();
    const MessageMeta last = group.last_meta();
    const auto part =
        group.publish_as_ours("changes", "[", last.position, last.safe_flush_lsn, {{"Pgsluice-Part", "1/3"}});
    group.publish();
    group.publish_as_ours("changes", "[", last.position, last.safe_flush_lsn,
                          {{"Pgsluice-Part", "1/2"}, {"Pgsluice-Follows", std::to_string(part.value)}});
    group.publish();
    group.start_replicator();
    group.on_source("INSERT INTO t SELECT 100000, string_agg(md5(i::text), '') FROM generate_series(1, 100000) i");
    group.check_all_works();
    group.stop();
    CHECK(group.repair({"--yes"}).code == 0);
    group.check_a_restart();
}

TEST_CASE(
    "a garbled body under the replicator's headers: the replicator passes over it, repair gets the worker past it") {
    Foreigner group;
    group.start();
    group.settle();
    const MessageMeta last = group.last_meta();
    const auto seq = group.publish_as_ours("changes", "garbage", {{last.position.commit.value + 8}, 1},
                                           Lsn{last.safe_flush_lsn.value + 8});
    CHECK(group.worker().wait() == 1);
    CHECK(contains(group.worker().err(), "pgsluice repair --group " + group.group() + " --yes"));
    group.insert_more();
    // Alone, or with what the replicator had under way after it.
    CHECK(eventually("the replicator has passed over it", [&] {
        const std::string log = group.replicator().err();
        return contains(log, fmt::format("message {}: unable to read a block", seq.value)) ||
               (contains(log, fmt::format("messages {} to ", seq.value)) && contains(log, "unable to read a block"));
    }));
    CHECK(contains(group.repair({"--yes"}).out, fmt::format("removed message {} of stream", seq.value)));
    group.start_worker();
    group.check_all_works();
    group.stop();
    group.check_a_restart();
}

TEST_CASE("garbled markers and rows under the replicator's headers") {
    for (const std::string kind : {"group", "snapshot-begin", "snapshot-end", "progress", "copy"}) {
        CAPTURE(kind);
        Foreigner group;
        group.start();
        group.settle();
        const MessageMeta last = group.last_meta();
        HeaderValues more;
        if (kind == "copy")
            more = {{"Pgsluice-Epoch", "1"},
                    {"Pgsluice-Table", "0"},
                    {"Pgsluice-First-Row", "1"},
                    {"Pgsluice-Rows", "5"},
                    {"Pgsluice-Pages", "0-"}};
        const auto seq = group.publish_as_ours(kind, "garbage", last.position, last.safe_flush_lsn, more);
        group.insert_more();
        CHECK(eventually("the replicator has passed over it",
                         [&] { return contains(group.replicator().err(), fmt::format("message {}: ", seq.value)); }));
        CHECK(contains(group.repair({"--yes"}).out, fmt::format("removed message {} of stream", seq.value)));
        if (kind == "group" || kind == "snapshot-begin" || kind == "snapshot-end" || kind == "copy") {
            CHECK(group.worker().wait() == 1);
            group.start_worker();
        }
        group.check_all_works();
        group.stop();
        group.check_a_restart();
    }
}

TEST_CASE("a message of ours that is out of order is skipped") {
    Foreigner group;
    group.start();
    group.settle();
    const auto seq = group.publish_as_ours("changes", "[]", {Lsn{8}, 1}, Lsn{8});
    group.check_all_works();
    CHECK(contains(group.worker().err(), fmt::format("skipping message {} of stream", seq.value)));
    group.stop();
    CHECK(contains(group.repair({"--yes"}).out, fmt::format("removed message {} of stream", seq.value)));
    group.check_a_restart();
}

TEST_CASE("a message that a replaced replicator had under way is skipped, and no row is missed") {
    Foreigner group;
    group.start();
    group.settle();
    group.stop_replicator();
    const bool while_running = [] {
        bool running = false;
        SUBCASE("the worker runs") { running = true; }
        SUBCASE("the worker starts there") {}
        return running;
    }();
    if (!while_running) group.stop_worker();
    // Its position is that of a later change, so that the row would be taken for one that was sent before.
    group.insert_more();
    const Lsn lsn = parse_lsn(group.source_scalar("SELECT pg_current_wal_lsn()")).value();
    const auto seq = group.publish_as_ours("changes", "[]", {lsn, 1}, lsn, {{"Pgsluice-Run", "00000000000000aa"}});
    if (!while_running) group.start_worker();
    group.start_replicator();
    group.check_equal({"t"});
    CHECK(contains(group.worker().err(), fmt::format("skipping message {} of stream", seq.value)));
    group.stop();
    CHECK(contains(group.repair({"--yes"}).out, fmt::format("removed message {} of stream", seq.value)));
    group.check_a_restart();
}

TEST_CASE("messages of the replicator that were deleted are still missed") {
    Foreigner group;
    group.start();
    group.settle();
    group.stop_worker();
    const auto delivered = group.last_seq();
    group.insert_more();
    CHECK(eventually("what the worker has not read is stored", [&] { return group.last_seq() > delivered; }));
    const auto seq = group.last_seq();
    group.insert_more();
    CHECK(eventually("more is stored", [&] { return group.last_seq() > seq; }));
    group.publish();
    group.insert_more();
    CHECK(eventually("more is stored", [&] { return group.last_seq().value > seq.value + 2; }));
    group.stop_replicator();
    group.broker->erase_message(group.names.stream, seq);
    group.start_worker();
    CHECK(group.worker().wait() == 1);
    CHECK(contains(group.worker().err(), fmt::format("is followed by {}", seq.value + 1)));
    const Finished refused = run(group.replicator_argv({"--copy-and-stream"}));
    CHECK(refused.code == 1);
    CHECK(contains(refused.err, "so some are missing"));
}

TEST_CASE("parts of a message that is larger than any: those without an end are passed over, a whole one is removed") {
    const std::map<std::string, std::string> small{{"PGSLUICE_MOST_BODY_BYTES", "200000"}};
    Foreigner group;
    group.start_replicator({"--copy-and-stream"}, small);
    group.start_worker({}, small);
    group.settle();
    group.stop_replicator();
    const std::string piece(50'000, 'x');
    const auto publish_parts = [&](int most, const std::string& of) {
        const MessageMeta last = group.last_meta();
        StreamSeq seq;
        for (int number = 1; number <= most; ++number)
            seq = group.publish_as_ours("changes", piece, last.position, last.safe_flush_lsn,
                                        {{"Pgsluice-Part", std::to_string(number) + "/" + of}});
        return seq;
    };
    publish_parts(10, "4000000000");
    CHECK(says(group.worker(), "passing over parts of a message larger than 200000 bytes"));
    group.start_replicator({"--copy-and-stream"}, small);
    group.check_all_works();
    group.stop_replicator();

    const auto whole = publish_parts(5, "5");
    CHECK(group.worker().wait() == 1);
    CHECK(contains(group.worker().err(), "its 5 parts are together larger than 200000 bytes"));
    CHECK(contains(group.worker().err(), "pgsluice repair --group " + group.group() + " --yes"));
    group.start_replicator({"--copy-and-stream"}, small);
    group.insert_more();
    CHECK(says(group.replicator(), "its parts are together larger than 200000 bytes"));
    const Finished repaired =
        run({PGSLUICE_BINARY, "repair", "--group", group.group(), "--nats-url", shared_nats().url(), "--yes"}, small);
    CAPTURE(repaired.err);
    CHECK(contains(repaired.out, fmt::format("removed message {} of stream", whole.value)));
    group.start_worker({}, small);
    group.check_all_works();
    group.stop();
    group.check_a_restart();
}

TEST_CASE("few messages after one that is refused stop the worker, too, once they are too long after it") {
    Foreigner group;
    group.start_replicator();
    group.start_worker({}, {{"PGSLUICE_STRANDED_MS", "300"}});
    group.settle();
    group.stop_replicator();
    const MessageMeta last = group.last_meta();
    const auto refused = group.publish("changed on the way");
    int published = 0;
    CHECK(eventually("the worker stops", [&] {
        group.publish_as_ours("progress", "{}", last.position, last.safe_flush_lsn);
        ++published;
        return contains(group.worker().err(), "is not what the replicator wrote there");
    }));
    CHECK(group.worker().wait() == 1);
    CHECK(published < 1000);
    CHECK(contains(group.worker().err(),
                   fmt::format("message {} is not what the replicator wrote there", refused.value)));
}

TEST_CASE("a message that is refused, and that the replicator has long continued after, stops the worker") {
    Foreigner group;
    group.start();
    group.settle();
    group.stop_replicator();
    const MessageMeta last = group.last_meta();
    const auto refused = group.publish("changed on the way");
    // Those that were on their way at that moment would be sent again; these are more than can have been.
    for (int i = 0; i < 40; ++i)
        group.publish_as_ours("changes", std::string(900'000, ' '), last.position, last.safe_flush_lsn);
    CHECK(group.worker().wait() == 1);
    CHECK(contains(group.worker().err(),
                   fmt::format("message {} is not what the replicator wrote there", refused.value)));
    CHECK(contains(group.worker().err(), "HINT: Start this worker again, so that it reads the message again."));
    group.start_worker();
    CHECK(group.worker().wait() == 1);
    CHECK(contains(group.worker().err(), "If it ends the same way: Messages were deleted by hand"));
}
