// The record of tables against the catalog: for each difference, what the record says next and what the log says.
#include "replicator/tables/reconcile.h"

#include <doctest/doctest.h>

#include <functional>

#include "tests/support/text.h"

using namespace pgsluice;
using pgsluice::test::contains;

namespace {

constexpr Lsn now{0x500};

// Table `t`, oid 1, in the group by its name, captured, and copied long ago.
TableRecord recorded() {
    TableRecord entry{1, 700, "90", {"public", "t"}, {"public", "t"}, 1, TableState::copied, Lsn{0x100}};
    entry.epoch = 1;
    entry.rows = 10;
    return entry;
}

Member member() {
    Member found;
    found.table = {1, "public", "t"};
    found.named = found.table;
    found.created_xid = 700;
    found.delivered_oid = 1;
    found.delivered_as = {"public", "t"};
    found.capture = "90";
    found.has_identity = true;
    return found;
}

// Partition `p`, oid 2, of the group's `root`, oid 9.
Member partition(bool via_root = false) {
    Member found = member();
    found.table = {2, "public", "p"};
    found.named = {9, "public", "root", 'p'};
    found.delivered_oid = via_root ? 9 : 2;
    found.delivered_as = {"public", via_root ? "root" : "p"};
    found.capture = "90/800";
    return found;
}

TableRecord recorded(const Member& of) {
    TableRecord entry = recorded();
    entry.oid = of.table.oid;
    entry.created_xid = of.created_xid;
    entry.capture = of.capture;
    entry.name = {of.table.schema, of.table.name};
    entry.delivered_as = of.delivered_as;
    entry.delivered_oid = of.delivered_oid;
    return entry;
}

template <typename T>
T with(T thing, const std::function<void(T&)>& change) {
    change(thing);
    return thing;
}

TableRecord left(TableRecord entry, const char* reason) {
    entry.state = TableState::left;
    entry.reason = reason;
    return entry;
}

struct Given {
    std::vector<TableRecord> record{};
    std::vector<Member> members{};
    std::map<Oid, Existing> existing{};  // beside the members
    bool copies = true;
    bool renames_travel = false;
};

std::vector<Finding> found(const Given& given) {
    std::map<Oid, TableRecord> record;
    for (const TableRecord& entry : given.record) record[entry.oid] = entry;
    auto existing = given.existing;
    for (const Member& each : given.members)
        existing[each.table.oid] = {each.created_xid, {each.table.schema, each.table.name}};
    return reconcile(record, {given.members, existing, given.copies, given.renames_travel, now, "shop"});
}

struct Expected {
    TableState state = TableState::copy_due;
    bool replaces = false;
    bool publishes = false;
    bool refused = false;
    bool restart = true;
    const char* text = "";
    Lsn delivered_from = {};
};

struct Case {
    std::string what;
    Given given;
    Expected expected;
};

const std::vector<Case>& cases() {
    static const Member unpublished = with<Member>(member(), [](Member& m) { m.capture.clear(); });
    static const Member remade = with<Member>(member(), [](Member& m) {
        m.table.oid = m.named.oid = m.delivered_oid = 5;
        m.created_xid = 750;
        m.capture.clear();
    });
    static const Member again = with<Member>(member(), [](Member& m) { m.created_xid = 750; });  // the oid came again
    static const Member put_back = with<Member>(member(), [](Member& m) { m.capture = "91"; });
    static const Member renamed =
        with<Member>(member(), [](Member& m) { m.table.name = m.named.name = m.delivered_as.table = "u"; });
    static const Member own_partition =
        with<Member>(partition(), [](Member& m) { m.table.schema = m.delivered_as.schema = "pgsluice"; });
    static const Member by_pattern = with<Member>(unpublished, [](Member& m) { m.by_pattern = true; });
    static const Member no_identity = with<Member>(by_pattern, [](Member& m) { m.has_identity = false; });
    static const Member keyless_root = with<Member>(partition(), [](Member& m) {
        m.capture.clear();
        m.by_pattern = true;
        m.has_identity = false;
    });
    static const Member sibling = with<Member>(keyless_root, [](Member& m) {
        m.table = {3, "public", "p2"};
        m.has_identity = true;
    });
    static const Member published_without = with<Member>(partition(), [](Member& m) {
        m.by_pattern = true;
        m.has_identity = false;
    });
    static const Member born = with<Member>(partition(), [](Member& m) { m.starts_empty = true; });
    static const Member attached_again = with<Member>(partition(), [](Member& m) { m.capture = "90/801"; });
    static const Member not_ours =
        with<Member>(unpublished, [](Member& m) { m.obstacle = "our role does not own it"; });
    static const TableRecord due = with<TableRecord>(recorded(), [](TableRecord& r) {
        r.state = TableState::copy_due;
        r.epoch = 0;
    });
    static const TableRecord other = with<TableRecord>(recorded(), [](TableRecord& r) {
        r.oid = r.delivered_oid = 6;
        r.name.table = r.delivered_as.table = "u";
    });
    static const std::vector<Case> all{
        {"a table joins", {{}, {unpublished}}, {.publishes = true, .text = "'public.t' is new in the group"}},
        {"one that is published already, by hand", {{}, {member()}}, {.text = "is new in the group"}},
        {"one that was left out of the group comes back",
         {{left(recorded(), "removed from the group")}, {unpublished}},
         {.publishes = true, .text = "is new in the group"}},
        {"a detached one comes back: the targets have its rows of then",
         {{left(recorded(partition()), "detached")}, {partition()}},
         {.replaces = true, .text = "take the place of those"}},
        {"one that was never copied comes back: the targets have nothing",
         {{left(recorded(), "left before it was copied")}, {unpublished}},
         {.publishes = true, .text = "is new"}},
        {"nothing is copied: said as a warning",
         {.members = {unpublished}, .copies = false},
         {.state = TableState::not_copied, .publishes = true, .text = "rows that it holds already are not copied"}},
        {"a partition that was made as one",
         {{}, {born}},
         {.state = TableState::born_empty, .restart = false, .text = "it held no rows yet"}},
        {"a table that is attached", {{}, {partition()}}, {.text = "is new in the group"}},
        {"a partition is attached again",
         {{recorded(partition())}, {attached_again}},
         {.replaces = true, .text = "detached and attached again"}},
        {"a table is taken out of the publication by hand",
         {{recorded()}, {unpublished}},
         {.replaces = true, .publishes = true, .text = "'public.t' is copied again"}},
        {"and put back", {{recorded()}, {put_back}}, {.replaces = true, .text = "'public.t' is copied again"}},
        {"the same where nothing is copied",
         {.record = {recorded()}, .members = {put_back}, .copies = false},
         {.state = TableState::not_copied, .restart = false, .text = "misses changes"}},
        {"dropped and made again",
         {{recorded()}, {remade}},
         {.replaces = true, .publishes = true, .text = "take the place of those"}},
        {"dropped and made again, and the oid came again",
         {{recorded()}, {again}},
         {.replaces = true, .text = "take the place of those"}},
        {"renamed",
         {{recorded()}, {renamed}},
         {.state = TableState::copied,
          .restart = false,
          .text = "'public.t' is called 'public.u' now, and that is where its changes go: rename it on the targets, "
                  "too, or "
                  "have it copied there (pgsluice resnapshot --group shop --tables public.u)"}},
        {"renamed to the name of another, whose rows the targets have",
         {{recorded(), left(other, "dropped")}, {renamed}},
         {.replaces = true, .text = "it has the name of a table whose rows the targets hold (it was 'public.t')"}},
        {"the same where targets get the renames",
         {.record = {recorded(), left(other, "dropped")}, .members = {renamed}, .renames_travel = true},
         {.state = TableState::copied, .restart = false, .text = "is called 'public.u' now"}},
        {"dropped", {{recorded()}, {}}, {.state = TableState::left, .restart = false, .text = "it was dropped"}},
        {"dropped, and another has its oid",
         {{recorded()}, {}, {{1, {750, {"public", "z"}}}}},
         {.state = TableState::left, .restart = false, .text = "it was dropped"}},
        {"no longer named in --tables",
         {{recorded()}, {}, {{1, {700, {"public", "t"}}}}},
         {.state = TableState::left, .publishes = true, .text = "no longer replicated: the targets keep the rows"}},
        {"renamed out of the group",
         {{recorded()}, {}, {{1, {700, {"public", "u"}}}}},
         {.state = TableState::left,
          .publishes = true,
          .text = "it is called 'public.u' now, which is not in the group"}},
        {"renamed out of the group, and back",
         {{left(recorded(), "renamed")}, {unpublished}},
         {.replaces = true, .publishes = true, .text = "take the place of those"}},
        {"moved into our own schema",
         {{recorded()}, {}, {{1, {700, {"pgsluice", "progress"}}}}},
         {.state = TableState::left,
          .publishes = true,
          .text = "it is called 'pgsluice.progress' now, and schema 'pgsluice' is for tables of pgsluice itself; the "
                  "targets keep the rows they have of it. Move it to another schema"}},
        {"a partition that is moved into our own schema",
         {{recorded(partition())}, {own_partition}},
         {.state = TableState::left, .restart = false, .text = "it is called 'pgsluice.p' now"}},
        {"a partition that is made there",
         {{}, {own_partition}},
         {.refused = true,
          .restart = false,
          .text = "'pgsluice.p' is not replicated: schema 'pgsluice' is for tables of pgsluice itself. Move it to "
                  "another one."}},
        {"detached",
         {{recorded(partition())}, {}, {{2, {700, {"public", "p"}}}}},
         {.state = TableState::left, .restart = false, .text = "it was detached from its table"}},
        {"matched by a pattern", {{}, {by_pattern}}, {.publishes = true, .text = "is new in the group"}},
        {"matched by a pattern, without an identity",
         {{}, {no_identity}},
         {.refused = true, .restart = false, .text = "'public.t' is not replicated: it has no replica identity"}},
        {"a partition without an identity, of a root matched by a pattern",
         {{}, {keyless_root}},
         {.refused = true, .restart = false, .text = "'public.p' is not replicated: it has no replica identity"}},
        {"a partition with one, beside it",
         {{}, {sibling, keyless_root}},
         {.refused = true,
          .restart = false,
          .text = "'public.p2' is not replicated: partition 'public.p' of its table 'public.root' has no replica "
                  "identity, and once it is published"}},
        {"a partition without an identity, of a root that is published",
         {{}, {published_without}},
         {.text = "'public.p' is new in the group"}},
        {"not to be taken in by our role",
         {{}, {not_ours}},
         {.refused = true, .restart = false, .text = "our role does not own it"}},
        {"still due", {{due}, {member()}}, {}},
        {"still due, and taken out of the publication", {{due}, {unpublished}}, {.publishes = true}},
        {"due, and seen to hold no row since it is captured",
         {{due}, {with<Member>(member(), [](Member& m) { m.starts_empty = true; })}},
         {.state = TableState::born_empty, .restart = false}},
        {"the same: what was committed before then adds up to no row",
         {{due},
          {with<Member>(member(),
                        [](Member& m) {
                            m.starts_empty = true;
                            m.empty_since = Lsn{0x480};
                        })}},
         {.state = TableState::born_empty, .restart = false, .delivered_from = Lsn{0x480}}},
        {"the same, but the targets hold void rows",
         {{with<TableRecord>(due, [](TableRecord& r) { r.replaces = true; })},
          {with<Member>(member(), [](Member& m) { m.starts_empty = true; })}},
         {.replaces = true}},
        {"due, and dropped: nothing of it was delivered",
         {{due}, {}},
         {.state = TableState::left, .restart = false, .text = "it was dropped"}},
        {"copied while it was not in the publication, and in it now",
         {{with<TableRecord>(recorded(), [](TableRecord& r) { r.capture.clear(); })}, {member()}},
         {.replaces = true, .text = "'public.t' is copied again"}},
        {"copied while it was not in the publication, and still not in it",
         {{with<TableRecord>(recorded(), [](TableRecord& r) { r.capture.clear(); })}, {unpublished}},
         {.replaces = true, .publishes = true, .text = "'public.t' is copied again"}},
    };
    return all;
}

}  // namespace

TEST_CASE("one table against the record") {
    for (const Case& each : cases()) {
        CAPTURE(each.what);
        const auto findings = found(each.given);
        // Of several, the one about the table that the catalog has, else the only one that changes something.
        const Finding* finding = nullptr;
        for (const Finding& one : findings)
            if (each.given.members.empty() || one.next.oid == each.given.members[0].table.oid) finding = &one;
        REQUIRE(finding != nullptr);
        INFO("text: " << finding->text);
        CHECK(finding->next.state == each.expected.state);
        CHECK(finding->next.replaces == each.expected.replaces);
        CHECK(finding->next.delivered_from == each.expected.delivered_from);
        CHECK(finding->publishes == each.expected.publishes);
        CHECK(finding->refused == each.expected.refused);
        CHECK(finding->needs_restart() == each.expected.restart);
        CHECK((each.expected.text[0] == '\0' ? finding->text.empty() : contains(finding->text, each.expected.text)));
        const bool same_lsn = finding->next.state == TableState::copied || findings[0].next.lsn == Lsn{0x100};
        CHECK((same_lsn || finding->next.lsn == now));
    }
}

TEST_CASE("what is left out is the table that would be published") {
    Member leaf = partition();
    leaf.capture.clear();
    leaf.by_pattern = true;
    leaf.has_identity = false;
    CHECK(found({{}, {leaf}})[0].leaves_out == leaf.named.oid);
    Member table = member();
    table.obstacle = "our role does not own it";
    CHECK(found({{}, {table}})[0].leaves_out == table.table.oid);
}

TEST_CASE("a table that cannot be copied again is said to miss changes, where later ones come") {
    Member table = member();
    table.capture = "90/801";
    table.obstacle = "our role may not read it";
    const auto text = [&] { return found({{recorded()}, {table}}).at(0).text; };
    CHECK(
        text() ==
        "table 'public.t' misses changes and is not copied again, though later changes come: its changes were not "
        "captured without a gap: it was detached and attached again, or the publication was altered by hand; our role "
        "may not read it.");
    CHECK(found({{recorded()}, {table}}).at(0).refused);
    table.capture.clear();
    CHECK(text() == "table 'public.t' is not replicated: our role may not read it.");
}

TEST_CASE("what has not changed is not found") {
    CHECK(found({{recorded()}, {member()}}).empty());
    CHECK(found({{recorded(), recorded(partition())}, {member(), partition()}}).empty());
    CHECK(found({{left(recorded(), "dropped")}, {}}).empty());
    CHECK(found({}).empty());
}

TEST_CASE("a table that left before it was copied is told from one whose rows the targets have") {
    TableRecord due = recorded();
    due.state = TableState::copy_due;
    CHECK(found({{due}, {}})[0].next.reason == never_copied);
    due.replaces = true;
    CHECK(found({{due}, {}})[0].next.reason == "dropped");
    CHECK_FALSE(found({{due}, {}})[0].next.replaces);
}

TEST_CASE("two tables that are swapped by renaming are both copied again") {
    Member one = member();
    Member other = member();
    other.table.oid = other.named.oid = other.delivered_oid = 6;
    std::vector<TableRecord> record{recorded(one), recorded(other)};
    record[1].name.table = record[1].delivered_as.table = "u";
    one.table.name = one.named.name = one.delivered_as.table = "u";
    const auto findings = found({record, {one, other}});
    REQUIRE(findings.size() == 2);
    for (const Finding& finding : findings) {
        CHECK(finding.next.state == TableState::copy_due);
        CHECK(finding.next.replaces);
    }
    const auto travel = found({.record = record, .members = {one, other}, .renames_travel = true});
    REQUIRE(travel.size() == 2);
    for (const Finding& finding : travel) CHECK(finding.next.state == TableState::copied);
}

TEST_CASE("a table that takes the name of a renamed one: both are copied, also when it comes later") {
    const Member renamed =
        with<Member>(member(), [](Member& m) { m.table.name = m.named.name = m.delivered_as.table = "u"; });
    const Member newcomer = with<Member>(member(), [](Member& m) { m.table.oid = m.named.oid = m.delivered_oid = 6; });
    std::vector<TableRecord> record{recorded()};
    SUBCASE("at once") {}
    SUBCASE("later") {
        record = {found({record, {renamed}})[0].next};
        CHECK(record[0].state == TableState::copied);
        CHECK(record[0].rows_as == QualifiedName{"public", "t"});
        CHECK(found({record, {renamed}}).empty());
    }
    const auto findings = found({record, {renamed, newcomer}});
    REQUIRE(findings.size() == 2);
    for (const Finding& finding : findings) {
        CHECK(finding.next.state == TableState::copy_due);
        CHECK(finding.next.replaces);
        CHECK(finding.next.rows_as == QualifiedName{});
    }
    CHECK(contains(findings[0].text, "another table is called 'public.t' now, which is where the targets have its"));
}

TEST_CASE("a table that gets its name back is where its rows are") {
    const Member renamed =
        with<Member>(member(), [](Member& m) { m.table.name = m.named.name = m.delivered_as.table = "u"; });
    const auto findings = found({{found({{recorded()}, {renamed}})[0].next}, {member()}});
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].text == "table 'public.u' is called 'public.t' now");
    CHECK(findings[0].next == recorded());
}

TEST_CASE("partitions that are delivered as their root are copied as a whole") {
    Member first = partition(true);
    Member second = partition(true);
    second.table = {3, "public", "p2"};
    SUBCASE("one is attached: the rows of all are void") {
        const auto findings = found({{recorded(first)}, {first, second}});
        REQUIRE(findings.size() == 2);
        for (const Finding& finding : findings) {
            CHECK(finding.next.state == TableState::copy_due);
            CHECK(finding.next.replaces);
        }
    }
    SUBCASE("one is made as a partition: nothing is copied") {
        second.starts_empty = true;
        const auto findings = found({{recorded(first)}, {first, second}});
        REQUIRE(findings.size() == 1);
        CHECK(findings[0].next.oid == 3);
        CHECK(findings[0].next.state == TableState::born_empty);
    }
    SUBCASE("both are due already") {
        TableRecord due = recorded(first);
        TableRecord also = recorded(second);
        due.state = also.state = TableState::copy_due;
        due.epoch = also.epoch = 4;
        const auto findings = found({{due, also}, {first, second}});
        REQUIRE(findings.size() == 2);
        CHECK(findings[0].next == due);
        CHECK(findings[1].next == also);
    }
    SUBCASE("one is detached: the root's rows are void in part, and that is said") {
        const auto findings = found({{recorded(first), recorded(second)}, {first}, {{3, {700, {"public", "p2"}}}}});
        REQUIRE(findings.size() == 1);
        CHECK(findings[0].next.reason == "detached");
        CHECK(contains(findings[0].text, "the targets keep its rows in 'public.root'"));
    }
}

// While DETACH ... CONCURRENTLY waits, it is none of its root's any more, and not yet a table of its own.
TEST_CASE("a partition that was delivered as its root, left, and is a table of its own now") {
    const Member before = partition(true);
    const Member own = with<Member>(partition(), [](Member& p) { p.named = p.table, p.capture = "90"; });
    const auto gone = left(recorded(before), "detached");
    const auto detached_there = found({.record = {gone}, .members = {own}, .renames_travel = true});
    REQUIRE(detached_there.size() == 1);
    CHECK(detached_there[0].next.state == TableState::copy_due);
    CHECK(detached_there[0].next.replaces);
    CHECK(contains(detached_there[0].text, "its rows take the place of those the targets have under its name"));
    // Without captured DDL the targets have them in the root's table.
    CHECK_FALSE(found({.record = {gone}, .members = {own}})[0].next.replaces);

    // It has partitions itself, and these are delivered as it now.
    const Member leaf = with<Member>(partition(true), [](Member& p) {
        p.named = {5, "public", "own", 'p'};
        p.delivered_oid = 5;
        p.delivered_as = {"public", "own"};
        p.capture = "91/801";
    });
    for (const TableRecord& entry : {gone, recorded(before)}) {
        const auto below = found({.record = {entry}, .members = {leaf}, .renames_travel = true});
        REQUIRE(below.size() == 1);
        CHECK(below[0].next.replaces);
    }
}

TEST_CASE("a table that came as another one before keeps in mind as which") {
    const Member own = with<Member>(partition(), [](Member& p) { p.named = p.table, p.capture = "90"; });
    const std::vector<QualifiedName> root{{"public", "root"}};
    const TableRecord before = recorded(partition(true));
    for (const TableRecord& entry : {before, left(before, "detached"), left(before, "renamed")}) {
        const auto joins = found({.record = {entry}, .members = {own}});
        REQUIRE(joins.size() == 1);
        CHECK(joins[0].next.came_as == root);
        CHECK(found({.record = {left(joins[0].next, "detached")}, .members = {own}})[0].next.came_as == root);
        TableRecord copied = joins[0].next;
        copied.state = TableState::copied;
        const auto attached = found({.record = {copied}, .members = {partition(true)}});
        CHECK(attached[0].next.came_as == std::vector{own.delivered_as});
        const Member elsewhere = with<Member>(partition(true), [](Member& p) {
            p.named.oid = p.delivered_oid = 7;
            p.delivered_as.table = "other";
        });
        CHECK(found({.record = {copied}, .members = {elsewhere}})[0].next.came_as ==
              std::vector{root[0], own.delivered_as});
    }
    const auto by_its_root = found({.record = {recorded(partition())}, .members = {partition(true)}});
    REQUIRE(by_its_root.size() == 1);
    CHECK(by_its_root[0].next.came_as == std::vector{partition().delivered_as});
    CHECK(found({.record = {left(recorded(partition()), "detached")}, .members = {own}})[0].next.came_as.empty());
    const Member other = with<Member>(own, [](Member& p) { p.created_xid = 701; });
    CHECK(found({.record = {left(before, "detached")}, .members = {other}})[0].next.came_as.empty());
}

TEST_CASE("a partition that was detached is kept in mind until it is dropped") {
    const auto gone = left(recorded(partition(true)), "detached");
    const std::map<Oid, Existing> there{{gone.oid, {gone.created_xid, gone.name}}};
    CHECK(found({.record = {gone}, .existing = there}).empty());
    const auto dropped = found({.record = {gone}});
    REQUIRE(dropped.size() == 1);
    CHECK(dropped[0].next.reason == "dropped");
    CHECK(dropped[0].text.empty());
    CHECK_FALSE(dropped[0].needs_restart());
}

TEST_CASE("a table of another's name that is in the group as well gets its name with its own rows") {
    Member mine = member();
    mine.table.oid = mine.named.oid = mine.delivered_oid = 5;
    mine.created_xid = 750;
    // The old one still exists under another name, which is not in the group.
    const auto findings = found({{recorded()}, {mine}, {{1, {700, {"public", "old"}}}}});
    REQUIRE(findings.size() == 2);
    CHECK(findings[0].next.state == TableState::left);
    CHECK(findings[0].next.reason == "renamed");
    CHECK(findings[0].next.name.table == "old");
    CHECK(findings[1].next.state == TableState::copy_due);
    CHECK(findings[1].next.replaces);
}
