// What a comparison says, as text and as JSON.
#include "worker/compare/report.h"

#include <doctest/doctest.h>

#include "cmd/terminal/compare_bar.h"

using namespace pgsluice;
using Kind = Difference::Kind;

namespace {

CompareReport report() {
    CompareReport report{Lsn{0x16B2D50}, "postgres", 2.34, {}};
    TableReport equal;
    equal.name = "public.a";
    equal.source_rows = equal.target_rows = 1;
    equal.converted = {{"n", "numeric(20,6)", "numeric(10,2)"}, {"z", "timestamptz", "timestamp"}};
    TableReport differs;
    differs.name = "public.b";
    differs.source_rows = 10;
    differs.target_rows = 9;
    differs.differences = 3;
    differs.unread_rows = 40;
    differs.rows.push_back({Kind::changed, {"id"}, {"it's"}, "(0,1)", {{"v", "secret", std::nullopt}, {"w", "1", ""}}});
    differs.rows.push_back({Kind::missing, {}, {}, "(0,2)", {{"v", "secret", std::nullopt}}});
    TableReport left_out;
    left_out.name = "public.c";
    left_out.left_out = "the target has no such table";
    report.tables = {equal, differs, left_out};
    return report;
}

}  // namespace

TEST_CASE("a report names keys and columns, and values only when asked") {
    CHECK(to_text(report(), false) ==
          "public.a: equal, 1 row\n"
          "  compared after conversion to the target's type: n (numeric(20,6) as numeric(10,2)), z (timestamptz as "
          "timestamp)\n"
          "public.b: 3 rows differ; the source has 10 rows, the target 9 rows\n"
          "  (id)=('it''s'): differs in v, w\n"
          "  row (0,2) of the source: missing on the target\n"
          "  and 1 more\n"
          "  more differ among 40 rows that were not compared one by one\n"
          "public.c: not compared: the target has no such table\n"
          "compared at 0/16B2D50: 1 of 3 tables equal, 1 not compared; 11 rows in 2.3 s\n");
    CHECK(to_text(report(), true)
              .find("    v 'secret' on the source, NULL on the target\n"
                    "    w '1' on the source, '' on the target\n") != std::string::npos);
    CHECK(to_json(report(), false).find("secret") == std::string::npos);
    CHECK(to_json(report(), true).find(R"({"name":"v","source":"secret","target":null})") != std::string::npos);
    CHECK(to_json(report(), false)
              .find(R"x("converted":[{"column":"n","source_type":"numeric(20,6)","target_type":"numeric(10,2)"})x") !=
          std::string::npos);
    CHECK(!report().equal());
    CHECK(!report().repaired());
}

TEST_CASE("a report says of what it was a sample") {
    CompareReport some = report();
    some.sample_percent = 2.5;
    some.tables.pop_back();
    for (TableReport& table : some.tables) table.sample = true;
    const std::string text = to_text(some, false);
    CHECK(text.find("public.a: equal, 1 row in the sample\n") == 0);
    CHECK(text.find("public.b: 3 rows differ; in the sample the source has 10 rows, the target 9 rows\n") !=
          std::string::npos);
    CHECK(text.find("1 of 2 tables equal; 11 rows, a sample of 2.5 %, in 2.3 s\n") != std::string::npos);
    CHECK(to_json(some, false).find(R"("sample_percent":2.5,)") != std::string::npos);
}

TEST_CASE("a comparison is equal only when every table is, and repaired only when every difference was") {
    CompareReport some = report();
    some.tables.resize(2);
    CHECK(!some.repaired());
    some.tables[1].unread_rows = 0;
    some.tables[1].repaired = 3;
    CHECK(some.repaired());
    CHECK(!some.equal());
    some.tables.resize(1);
    CHECK(some.equal());
}

TEST_CASE("the bar of a comparison fits the terminal") {
    CompareProgress progress;
    progress.tables = {{"public.a", 100, 100, 5000}, {"public.b", 300, 100, 7000}};
    progress.seconds = 2;
    CHECK(compare_bar(progress, 200) ==
          "1 of 2 tables [#########-----------]  50 %       12000 rows      6000 rows/s  public.b");
    CHECK(compare_bar(progress, 20).size() == 20);
}
