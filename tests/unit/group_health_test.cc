// What of a group's health is worth a word, and what it looks like for scripts and for people.
#include "stream/health/group_health.h"

#include <doctest/doctest.h>
#include <simdjson.h>

#include "cmd/status/picture.h"
#include "stream/health/replicator_entry.h"
#include "stream/metrics/rate.h"

using namespace pgsluice;

namespace {

GroupHealth sound() {
    GroupHealth health;
    health.group = "shop";
    health.stream = {"pgsluice_shop", true, 10, 5000, 100000, StreamSeq{1}, StreamSeq{10}, 3.0, StreamSeq{11}, "pg"};
    health.replicator.state = PartState::streaming;
    SlotHealth slot;
    slot.name = "pgsluice_shop";
    slot.exists = slot.active = true;
    slot.wal_status = "reserved";
    health.slot = slot;
    WorkerHealth worker;
    worker.name = "pg";
    worker.sink = "postgres";
    worker.state = PartState::streaming;
    worker.behind_seconds = 0;
    health.workers = {worker};
    return health;
}

// "fail stream", the parts that are found fault with.
std::vector<std::string> found(GroupHealth health, const HealthThresholds& thresholds = {}) {
    judge(health, thresholds);
    std::vector<std::string> out;
    for (const HealthFinding& finding : health.findings)
        out.push_back(std::string(to_text(finding.level)) + ' ' + finding.part);
    return out;
}

using Found = std::vector<std::string>;

}  // namespace

TEST_CASE("a sound group has no findings") { CHECK(found(sound()).empty()); }

TEST_CASE("a missing stream, a lost slot, a dead worker or replicator are failures") {
    GroupHealth health = sound();
    health.stream.exists = false;
    CHECK(found(health) == Found{"fail stream"});

    health = sound();
    health.slot->invalidated = true;
    CHECK(found(health) == Found{"fail slot"});
    health.slot->exists = false;
    CHECK(found(health) == Found{"fail slot"});
    health = sound();
    health.slot->wal_status = "unreserved";
    CHECK(found(health) == Found{"fail slot"});

    health = sound();
    health.workers[0].state = PartState::dead;
    CHECK(found(health) == Found{"fail worker 'pg'"});
    health.workers[0].readable = false;
    CHECK(found(health) == Found{"fail worker 'pg'"});

    health = sound();
    health.replicator.state = PartState::dead;
    CHECK(found(health) == Found{"fail replicator"});
}

TEST_CASE("what was stopped is a warning, what an error stopped a failure, a finished copy nothing") {
    GroupHealth health = sound();
    health.replicator.state = health.workers[0].state = PartState::stopped;
    health.replicator.last_error = health.workers[0].last_error = "yesterday's";
    CHECK(found(health) == Found{"warn replicator", "warn worker 'pg'"});
    health.replicator.failed = health.workers[0].failed = true;
    CHECK(found(health) == Found{"fail replicator", "fail worker 'pg'"});
    health = sound();
    health.replicator.state = PartState::stopped;
    health.replicator.finished = true;
    health.slot->exists = false;
    CHECK(found(health).empty());
}

TEST_CASE("a worker without a session that starts or tries again waits; what it misses counts all the same") {
    GroupHealth health = sound();
    health.workers[0].state = PartState::waiting;
    CHECK(found(health).empty());
    health.workers[0].last_error = "unable to connect";
    CHECK(found(health) == Found{"warn worker 'pg'"});
    HealthThresholds strict;
    strict.fail_behind_seconds = 60;
    health.workers[0].behind_seconds = 60;
    CHECK(found(health, strict) == Found{"fail worker 'pg'", "warn worker 'pg'"});
    health.workers[0].state = PartState::stopped;
    CHECK(found(health, strict) == Found{"fail worker 'pg'", "warn worker 'pg'"});
}

TEST_CASE("thresholds: seconds behind, time to loss, share of the stream, dead letters") {
    GroupHealth health = sound();
    health.workers[0].behind_seconds = 59;
    CHECK(found(health).empty());
    health.workers[0].behind_seconds = 60;
    CHECK(found(health) == Found{"warn worker 'pg'"});
    HealthThresholds strict;
    strict.fail_behind_seconds = 60;
    CHECK(found(health, strict) == Found{"fail worker 'pg'"});
    HealthThresholds never;
    never.warn_behind_seconds.reset();
    CHECK(found(health, never).empty());

    health = sound();
    health.slot->seconds_to_loss = 299;
    CHECK(found(health) == Found{"fail slot"});
    health.slot->seconds_to_loss = 301;
    CHECK(found(health) == Found{"warn slot"});
    health.slot->seconds_to_loss = 3601;
    CHECK(found(health).empty());

    health = sound();
    health.stream.bytes = 90000;
    CHECK(found(health) == Found{"warn stream"});

    health = sound();
    health.dead_letters.messages = 1;
    CHECK(found(health) == Found{"warn dead letters"});
    strict.fail_dead_letters = true;
    CHECK(found(health, strict) == Found{"fail dead letters"});
}

TEST_CASE("the worst comes first, and makes the level") {
    GroupHealth health = sound();
    health.slot->active = false;
    health.workers[0].state = PartState::dead;
    CHECK(found(health) == Found{"fail worker 'pg'", "warn slot"});
    judge(health, {});
    CHECK(level_of(health) == HealthLevel::fail);
}

TEST_CASE("as JSON: one object, what is not known is null") {
    GroupHealth health = sound();
    health.workers[0].last_error = "unable to \"x\"";
    judge(health, {});
    simdjson::dom::parser parser;
    simdjson::dom::element json;
    REQUIRE(parser.parse(to_json(health)).get(json) == simdjson::SUCCESS);
    CHECK(std::string_view(json["group"]) == "shop");
    CHECK(std::string_view(json["health"]) == "ok");
    CHECK(json["snapshot"].is_null());
    CHECK(std::uint64_t(json["stream"]["max_bytes"]) == 100000);
    CHECK(double(json["stream"]["oldest_age"]) == 3.0);
    CHECK(std::string_view(json["workers"].at(0)["last_error"]) == "unable to \"x\"");
    CHECK(json["workers"].at(0)["behind_bytes"].is_null());
    CHECK(json["findings"].get_array().size() == 0);
}

TEST_CASE("what the replicator reports comes back; a report of another shape is refused") {
    ReplicatorEntry entry;
    entry.failed = entry.ended = true;
    entry.stream_full = true;
    entry.started_us = 5;
    entry.reported_us = 6;
    entry.waiting = "the source";
    entry.last_error = "unable";
    entry.last_error_us = 4;
    entry.changes_per_second = 3;
    CHECK(decode_replicator(encode(entry)) == entry);
    SlotHealth slot;
    slot.name = "s";
    slot.exists = slot.active = true;
    slot.wal_status = "extended";
    slot.confirmed = Lsn{100};
    slot.restart = Lsn{50};
    slot.wal_end = Lsn{300};
    slot.behind_seconds = 1.5;
    slot.safe_bytes = 1000;
    slot.wal_bytes_per_second = 10;
    slot.seen_us = 7;
    measure(slot);
    CHECK(slot.behind_bytes == 200);
    CHECK(slot.held_bytes == 250);
    CHECK(slot.seconds_to_loss == 100);
    entry.slot = slot;
    CHECK(decode_replicator(encode(entry)) == entry);
    CHECK_THROWS(decode_replicator("{}"));
}

TEST_CASE("a slot that no replicator reads is a warning, unless its replicator copies first, or waits for a dump") {
    GroupHealth health = sound();
    health.slot->active = false;
    CHECK(found(health) == Found{"warn slot"});
    GroupHealth copies = health;
    copies.replicator.state = PartState::snapshot;
    copies.snapshot = SnapshotHealth{};
    CHECK(found(copies).empty());
    copies.replicator.state = PartState::stopped;
    CHECK(found(copies) == Found{"warn slot", "warn replicator"});
    copies.replicator.state = PartState::streaming;
    copies.snapshot->complete = true;
    CHECK(found(copies) == Found{"warn slot"});
    health.replicator.state = PartState::waiting;
    health.bootstrap = BootstrapHealth{"waiting", {}, "", std::nullopt};
    CHECK(found(health).empty());
}

TEST_CASE("a slot that was seen a while ago is shown as it was then") {
    GroupHealth health = sound();
    health.slot->seen_us = health.at_us - 1'000'000;
    CHECK(picture(health).find("; in use\n") != std::string::npos);
    health.slot->seen_us = health.at_us - 180'000'000;
    CHECK(picture(health).find("; in use when it was last seen, 3.0 min ago\n") != std::string::npos);
}

TEST_CASE("the rate of WAL between two looks tells when the slot is lost") {
    SlotHealth before;
    before.wal_end = Lsn{1000};
    before.seen_us = 0;
    SlotHealth now = before;
    now.wal_end = Lsn{3000};
    now.seen_us = 2'000'000;
    now.safe_bytes = 5000;
    measure_rate(now, before);
    CHECK(now.wal_bytes_per_second == 1000);
    CHECK(now.seconds_to_loss == 5);
    now.safe_bytes = -1;
    measure_rate(now, before);
    CHECK(now.seconds_to_loss == 0);
}

TEST_CASE("a rate over the last few seconds") {
    using namespace std::chrono_literals;
    const Rate::Clock::time_point start{};
    Rate rate;
    CHECK_FALSE(rate.per_second());
    rate.add(0, start);
    CHECK_FALSE(rate.per_second());
    rate.add(10, start + 1s);
    CHECK(rate.per_second() == 10);
    for (int second = 2; second <= 10; ++second) rate.add(10, start + std::chrono::seconds(second));
    CHECK(rate.per_second() == 0);
}

TEST_CASE("a group that begins with a dump: no worker is missed while they wait, and a lost snapshot is said") {
    GroupHealth health = sound();
    health.workers.clear();
    CHECK(found(health) == Found{"warn workers"});
    health.bootstrap = {"waiting", Lsn{0x16B2D50}, "00000003-0000001B-1", 60};
    CHECK(found(health).empty());
    CHECK(picture(health).find("  bootstrap    waiting for a dump of snapshot 00000003-0000001B-1 as of 0/16B2D50; "
                               "workers wait (since 60.0 s)\n") != std::string::npos);
    health.replicator.state = PartState::stopped;
    CHECK(found(health) == Found{"fail bootstrap", "warn replicator"});
    health.bootstrap->state = "accumulating";
    CHECK(found(health) == Found{"warn replicator"});
    health.replicator.state = PartState::streaming;
    health.bootstrap->state = "streaming";
    CHECK(found(health) == Found{"warn workers"});
    CHECK(picture(health).find("  bootstrap    streaming, from a dump as of 0/16B2D50") != std::string::npos);
}

TEST_CASE("for people: units, bars, states and what is wrong") {
    CHECK(time_text(std::nullopt) == "?");
    CHECK(time_text(0.25) == "0.2 s");
    CHECK(time_text(119) == "119.0 s");
    CHECK(time_text(120) == "2.0 min");
    CHECK(time_text(86400 * 3) == "3.0 days");
    CHECK(size_text(999) == "999 bytes");
    CHECK(size_text(1500) == "1.5 kB");
    CHECK(size_text(12'300'000) == "12.3 MB");

    GroupHealth health = sound();
    health.snapshot = SnapshotHealth{2, 12, 3, 340000, 0.43, 42.0, false};
    health.workers[0].state = PartState::stopped;
    health.workers[0].failed = true;
    health.workers[0].last_error = "unable to write";
    judge(health, {});
    const std::string text = picture(health);
    for (const char* part :
         {"group shop: fail\n", "[########------------] 43 %, 3 of 12 tables, 340000 rows, about 42.0 s left",
          "stream       'pgsluice_shop': 10 messages (1 to 10), 5.0 kB of at most 100.0 kB; the oldest is 3.0 s old",
          "worker 'pg' (postgres): stopped by: unable to write", "  fail: worker 'pg': not running: unable to write\n"})
        CHECK_MESSAGE(text.find(part) != std::string::npos, text);
}
