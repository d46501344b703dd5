// Shares of the rows: the hash, which never changes; what overlaps; and where a share begins after those of another
// set.
#include "stream/share/share.h"

#include <doctest/doctest.h>

#include "sql/error.h"
#include "stream/group/registry.h"
#include "stream/share/handover.h"
#include "tests/support/sink_feed.h"
#include "worker/share/filter.h"
#include "worker/share/start.h"
#include "worker/share/targets.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

constexpr ShareBy key = ShareBy::key;

OldShare old_share(std::uint32_t number, std::uint32_t count, std::uint64_t seq, std::uint64_t lsn) {
    const Share share{number, count, key};
    return {share_worker("w", share), share, {{seq}, {Lsn{lsn}, 1}}, 0, {}, {}};
}

WorkerEntry entry(const std::string& name, bool retired = false) {
    WorkerEntry out;
    out.name = name;
    out.sink = "nats";
    out.retired = retired;
    return out;
}

ShareStart decide(const std::vector<WorkerEntry>& family) { return decide_share_start("w-1of4", "nats", "g", family); }

const RelationPtr& users() {
    static const RelationPtr relation = make_relation("public", "users", {"id integer*", "name text"});
    return relation;
}

// '1' is in 4/4, '2' in 1/4.
struct Feed : SinkFeed {
    const Change& moved() {
        update(users(), OldRow::key, {text("1"), null_value}, {text("2"), text("x")});
        return complete().changes.front();
    }
};

ShareFilter filter(std::uint32_t number, std::uint32_t count, std::vector<DeliveredPart> delivered = {}) {
    return {{number, count, key}, std::move(delivered)};
}

using Half = ShareFilter::Half;

}  // namespace

TEST_CASE("the hash is that of the page, for ever") {
    CHECK(ShareHash().add("public").add("users").value() == 0xe1d4cccdfd1d9289);
    CHECK(ShareHash().add("public").add("users").add("1").value() == 0xd3f4a3f3e6cec8c9);
    CHECK(ShareHash().add("public").add("users").add("2").value() == 0x3310125ed626ea24);
    CHECK(ShareHash().add("shop").add("orders").add("7").add("2026-11-27").value() == 0x98232ee5fb540ea2);
    CHECK(ShareHash().add("public").add("größe").add("").value() == 0x1fb61fa67e8b574f);
    CHECK(ShareHash().add("").add("").value() == 0xdb01c3104e99566d);
    CHECK(share_of(0x98232ee5fb540ea2, 2) == 2);
    CHECK(share_of(0x98232ee5fb540ea2, 3) == 2);
    CHECK(share_of(0x98232ee5fb540ea2, 4) == 3);
}

TEST_CASE("every hash is in one share of a set, and shares begin where first_hash() says") {
    for (std::uint32_t count = 1; count <= 9; ++count) {
        for (std::uint32_t number = 1; number <= count; ++number) {
            CHECK(share_of(first_hash(number, count), count) == number);
            if (number > 1) CHECK(share_of(first_hash(number, count) - 1, count) == number - 1);
        }
        CHECK(share_of(UINT64_MAX, count) == count);
    }
}

TEST_CASE("shares and workers' names are read as they are written, and nothing else is") {
    CHECK(parse_share("2/4") == Share{2, 4, key});
    for (const char* bad : {"0/4", "5/4", "2", "/4", "2/", "2/4x", "02/4", "-1/4", "1/1025", ""})
        CHECK(!parse_share(bad));
    CHECK(share_worker("webhook", {}) == "webhook");
    for (const Share& share : {Share{2, 4, key}, Share{3, 3, ShareBy::table}}) {
        const auto parsed = parse_share_worker(share_worker("a_1of2", share));
        CHECK(parsed.base == "a_1of2");
        CHECK(parsed.share == share);
    }
    CHECK(parse_share_worker("a_1of2").share.is_all());
}

TEST_CASE("overlapping shares") {
    CHECK(overlap({1, 2, key}, {2, 4, key}));
    CHECK_FALSE(overlap({1, 2, key}, {3, 4, key}));
    CHECK(overlap({2, 3, key}, {2, 4, key}));
    CHECK(overlap({2, 3, key}, {3, 4, key}));
    CHECK_FALSE(overlap({2, 3, key}, {4, 4, key}));
    CHECK(overlap({}, {4, 4, key}));
    CHECK(overlap({1, 2, key}, {2, 2, ShareBy::table}));
}

TEST_CASE("a share begins at the least position of those that had its rows, and knows what others were beyond") {
    const std::vector<OldShare> old{old_share(1, 2, 40, 400), old_share(2, 2, 30, 300)};
    const Handover quarter = hand_over({2, 4, key}, old);
    CHECK(quarter.start == old[0].durable);
    CHECK(quarter.parts.empty());
    CHECK(quarter.before == std::vector<std::string>{"w-1of2"});
    const Handover third = hand_over({2, 3, key}, old);
    CHECK(third.start == old[1].durable);
    CHECK(third.parts == std::vector<DeliveredPart>{{{{1, 2, key}}, StreamSeq{40}, {Lsn{400}, 1}}});
}

TEST_CASE("a missing share had nothing: its successor begins at the beginning") {
    const Handover all = hand_over({1, 1, key}, {old_share(1, 2, 40, 400)});
    CHECK(all.start.resume_seq == StreamSeq{0});
    CHECK(all.parts.size() == 1);
}

TEST_CASE("a share that was loading a snapshot hands over from its begin marker") {
    auto old = old_share(1, 2, 45, 400);
    old.loading_epoch = 3;
    old.begin_seq = StreamSeq{42};
    const Handover next = hand_over({1, 4, key}, {old, old_share(2, 2, 90, 900)});
    CHECK(next.start.resume_seq == StreamSeq{42});
    CHECK(next.loading_epoch == 3);
    CHECK(next.begin_seq == StreamSeq{42});
    CHECK(next.parts.empty());
}

TEST_CASE("what a share had not caught up with goes on to the next") {
    auto old = old_share(2, 4, 30, 300);
    old.parts = {{{{1, 2, key}}, StreamSeq{40}, {Lsn{400}, 1}}};
    const Handover next = hand_over({2, 4, key}, {old});
    CHECK(next.parts == std::vector<DeliveredPart>{{{{1, 2, key}, {2, 4, key}}, StreamSeq{40}, {Lsn{400}, 1}}});
}

TEST_CASE("a handover in KV is read as it was written") {
    WorkerEntry written = entry("w-1of3");
    written.handover = Handover{{{30}, {Lsn{300}, 1}},
                                2,
                                {28},
                                {{{{1, 2, key}, {2, 4, ShareBy::table}}, {40}, {Lsn{400}, 1}}, {{Share{}}, {41}, {}}},
                                {"w-1of2", "w"}};
    written.retired = true;
    CHECK(decode_worker("w-1of3", encode(written)) == written);
}

TEST_CASE("an update of the key is a delete in one share and an insert in the other") {
    Feed feed;
    const Change& source = feed.moved();
    const std::vector<RelationPtr> relations{users()};
    CHECK(filter(1, 4).half_of(source, relations, {1}) == Half::arriving);
    CHECK(filter(4, 4).half_of(source, relations, {1}) == Half::leaving);
    CHECK(filter(2, 4).half_of(source, relations, {1}) == Half::none);
    CHECK(filter(1, 1, {{{{1, 2, key}}, {9}, {}}}).half_of(source, relations, {1}) == Half::leaving);
    Change change = source;
    CHECK(ShareFilter::narrow(change, Half::leaving));
    CHECK(change.op == Op::del);
    change = source;
    CHECK(ShareFilter::narrow(change, Half::arriving));
    CHECK(change.op == Op::insert);
    change.op = Op::del;  // as a filter makes of it
    CHECK_FALSE(ShareFilter::narrow(change, Half::arriving));
}

TEST_CASE("a row that moves to a partition of another name changes its share, also under the same key") {
    const auto share_of_key_1 = [](const std::string& table) {
        const auto relation = make_relation("public", table, {"id integer*"});
        SinkFeed feed;
        feed.insert(relation, {text("1")});
        const Change& change = feed.complete().changes.front();
        const std::vector<RelationPtr> relations{relation};
        std::uint32_t number = 1;
        while (filter(number, 4).half_of(change, relations, {1}) != Half::whole) ++number;
        return number;
    };
    CHECK(share_of_key_1("orders_1") != share_of_key_1("orders_2"));
}

TEST_CASE("what was delivered is by message and position, and by whose rows it was") {
    const Position at{Lsn{500}, 2};
    auto third = filter(1, 3, {{{{1, 4, key}}, {40}, at}});
    SinkFeed feed;
    feed.insert(users(), {text("2"), text("x")});
    Change change = feed.complete().changes.front();
    const std::vector<RelationPtr> relations{users()};
    change.position = at;
    CHECK(third.half_of(change, relations, {40}) == Half::none);
    change.position.ordinal = 3;
    CHECK(third.half_of(change, relations, {40}) == Half::whole);
    CHECK(third.half_of(change, relations, {39}) == Half::none);
    CHECK_FALSE(third.takes_row(change, users(), {39}));
    CHECK(third.takes_row(change, users(), {40}));
    third.begin_snapshot({40});
    change.position = {Lsn{400}, 1};  // the source was set back
    CHECK(third.half_of(change, relations, {41}) == Half::whole);
}

TEST_CASE("a truncate says whose rows it removes") {
    SinkFeed feed;
    const auto truncate = [&](ShareFilter filter, StreamSeq message) -> std::string {
        feed.truncate({users()});
        Change change = feed.complete().changes.front();
        return filter.take_truncate(change, message) ? "for " + std::string(change.prefix) : "not ours";
    };
    CHECK(truncate(filter(1, 1), {1}) == "for ");
    CHECK(truncate(filter(2, 4), {1}) == "for 2/4");
    CHECK(truncate(filter(2, 3, {{{{2, 4, key}}, {40}, {}}}), {1}) == "for 2/3 but 2/4");
    CHECK(truncate(filter(2, 4, {{{{1, 2, key}}, {40}, {}}}), {1}) == "not ours");
    CHECK(truncate({{2, 2, ShareBy::table}, {}}, {1}) == "for ");
    CHECK(truncate({{1, 2, ShareBy::table}, {}}, {1}) == "not ours");
}

TEST_CASE("tables without a key to tell rows by are in one share") {
    const auto full = make_relation("public", "users", {"id integer*"}, ReplicaIdentity::full);
    SinkFeed feed;
    feed.insert(full, {text("2")});
    const Change& change = feed.complete().changes.front();
    const std::vector<RelationPtr> relations{full};
    CHECK(filter(4, 4).half_of(change, relations, {1}) == Half::whole);  // that of the table's name
    CHECK(filter(1, 4).half_of(change, relations, {1}) == Half::none);
}

TEST_CASE("a set of shares is joined, or takes over from one other set") {
    CHECK(decide({}) == ShareStart::join);
    CHECK(decide({entry("w-1of4"), entry("w-3of4")}) == ShareStart::join);
    CHECK(decide({entry("w-1of2"), entry("w-2of2")}) == ShareStart::take_over);
    CHECK(decide({entry("w")}) == ShareStart::take_over);
    CHECK(decide({entry("w-1of4-table")}) == ShareStart::take_over);
    CHECK(decide({entry("w-1of4"), entry("w-1of2", true)}) == ShareStart::take_over);
    const auto refused = [](const std::vector<WorkerEntry>& family, const char* why) {
        CHECK_THROWS_WITH_AS(decide(family), doctest::Contains(why), Error);
    };
    refused({entry("w-1of4", true), entry("w-1of2")}, "the change to 2 shares has not ended");
    refused({entry("w-1of2"), entry("w-1of3")}, "has not ended");
    auto other = entry("w-2of4");
    other.sink = "webhook";
    refused({other}, "'w-2of4' is a webhook worker");
}

TEST_CASE("shares by table: what fills one target is in one share, also a table that is met later") {
    const auto table = [](Oid oid, const std::string& name) {
        Relation made = *make_relation("public", name, {"id integer*"});
        made.oid = oid;
        return made;
    };
    const auto all_fill_one = [](const Relation&) { return QualifiedName{"public", "one"}; };
    const Share share{1, 2, ShareBy::table};
    const Relation first = table(1, "items");
    Relation other = table(2, "other");
    for (int i = 0; share_number(other, share) == share_number(first, share); ++i) other.table += std::to_string(i);
    Relation same = table(3, "same");
    for (int i = 0; share_number(same, share) != share_number(first, share); ++i) same.table += std::to_string(i);

    SharedTargets targets(share, all_fill_one);
    targets.add(first);
    targets.add(same);
    CHECK_THROWS_AS(targets.add(other), Error);
    other.oid = first.oid;  // the same under another name
    targets.add(other);
    SharedTargets alone(share, [](const Relation& each) { return QualifiedName{each.schema, each.table}; });
    alone.add(first);
    alone.add(other);
    SharedTargets nowhere(share, [](const Relation&) { return std::nullopt; });
    nowhere.add(first);
    nowhere.add(other);
}
