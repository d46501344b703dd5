#include "cmd/terminal/snapshot_bars.h"

#include <doctest/doctest.h>

#include "replicator/snapshot/report.h"

using namespace pgsluice;

namespace {

// Two tables of ten pages each, in two ranges each, of which the first's first has come and half of its second.
SnapshotProgress half_way() {
    TableProgress users{"public.users", 80000, 10, 5, 5, 150, 15000, 10000, 1, 1};
    TableProgress orders{"public.orders", 80000, 10, 0, 0, 0, 0, 0, 2, 0};
    SnapshotProgress progress;
    progress.epoch = 1;
    progress.tables = {users, orders};
    progress.rows = 150;
    progress.bytes = 15000;
    progress.seconds = 3;
    return progress;
}

}  // namespace

TEST_CASE("the share that is done follows pages, and text where a range is under way") {
    SnapshotProgress progress = half_way();
    CHECK(share_done(progress.tables[0]) == doctest::Approx(0.75));
    CHECK(share_done(progress.tables[1]) == 0);
    CHECK(share_done(progress) == doctest::Approx(0.375));
    CHECK(*seconds_left(progress) == doctest::Approx(5));
    progress.tables[0].bytes = 10000000;  // rows far longer than those before: never done before its end
    CHECK(share_done(progress.tables[0]) < 1);
    progress.tables[0].ranges_left = 0;
    CHECK(share_done(progress.tables[0]) == 1);
}

TEST_CASE("no time is promised from nothing") {
    SnapshotProgress progress = half_way();
    progress.seconds = 0.5;
    CHECK_FALSE(seconds_left(progress));
    CHECK_FALSE(seconds_left(SnapshotProgress{}));
    CHECK(clock_text(42) == "0:42");
    CHECK(clock_text(760) == "12:40");
    CHECK(clock_text(11100) == "3:05:00");
}

TEST_CASE("a bar for each table under way and one for all") {
    const auto lines = snapshot_bars(half_way(), 120);
    REQUIRE(lines.size() == 2);
    CHECK(lines[0] == "public.users  [##############################----------]  75 %        150 rows       0.0 MB");
    CHECK(lines[1] ==
          "0 of 2 tables [###############-------------------------]  37 %        150 rows       0.0 MB     0.0 MB/s  "
          "0:05 left");
}

TEST_CASE("bars shrink and vanish in a narrow window, and names cannot move the cursor") {
    SnapshotProgress progress = half_way();
    progress.tables[0].name = "public.\x1b[2J" + std::string(60, 'u');
    for (const std::size_t columns : {200U, 80U, 60U, 20U, 1U}) {
        for (const std::string& line : snapshot_bars(progress, columns)) {
            CAPTURE(line);
            CHECK(line.size() <= columns);
            CHECK(line.find('\x1b') == std::string::npos);
        }
    }
    CHECK(snapshot_bars(progress, 200)[0].starts_with("public.?[2Juuuuuuuuuuuuuuuuuu... ["));
}

TEST_CASE("a report counts ranges under way, and ends also when the copy fails") {
    std::vector<SnapshotProgress> told;
    {
        SnapshotProgress start;
        start.tables.push_back({"t", 80000, 10, 0, 0, 0, 0, 0, 2, 0});
        SnapshotReport report(
            start, [&](const SnapshotProgress& progress) { told.push_back(progress); }, {},
            [](LogLevel, std::string_view) {});
        report.published({{0, 0, 0, 5, 5}, "a\nb\n", 2, false});
        report.tell();
        CHECK(told.back().tables[0].ranges_running == 1);
        CHECK(told.back().tables[0].pages_running == 5);
        report.published({{0, 0, 0, 5, 5}, "c\n", 1, true});
        CHECK(report.ranges_left() == 1);
    }
    const TableProgress& table = told.back().tables[0];
    CHECK(told.back().ended);
    CHECK_FALSE(told.back().complete);
    CHECK(table.ranges_running == 0);
    CHECK(table.pages_done == 5);
    CHECK(table.bytes_done == 6);
}

TEST_CASE("the log line and KV's figures") {
    const SnapshotProgress progress = half_way();
    CHECK(to_text(progress) == "copied 150 rows, 0.0 MB at 0.0 MB/s; 0 of 2 tables complete; 38 %, about 0:05 left");
    CHECK(to_json(progress) ==
          R"({"epoch":1,"tables":2,"tables_done":0,"rows":150,"bytes":15000,"estimated_bytes":160000,"seconds":3.0,)"
          R"("share":0.375,"mb_per_second":0.0,"seconds_left":5,)"
          R"("running":[{"table":"public.users","rows":150,"bytes":15000,"share":0.750}],"complete":false})");
}
