#include "sinks/postgres/schema/drift.h"

#include <doctest/doctest.h>

using namespace pgsluice;

namespace {

Relation relation() {
    Relation made;
    made.oid = 16400;
    made.schema = "public";
    made.table = "t";
    made.columns = {{"id", 23, -1, true, "integer", 23, 0, false, 1},
                    {"v", 1043, 24, false, "varchar", 1043, 0, false, 3}};
    return made;
}

CurrentTable current() { return {"public", "t", {{1, "id", 23, -1, false}, {3, "v", 1043, 24, false}}}; }

}  // namespace

TEST_CASE("a table as it was has no drift, nor has one whose columns are not numbered") {
    CHECK(describe_drift(relation(), current()).empty());
    CurrentTable generated = current();
    generated.columns.push_back({4, "g", 23, -1, false, 's'});
    CHECK(describe_drift(relation(), generated).empty());
    Relation unnumbered = relation();
    unnumbered.columns[0].number = 0;
    CHECK(describe_drift(unnumbered, CurrentTable{}).empty());
}

TEST_CASE("drift names the table's or the column's change") {
    CurrentTable now = current();
    CHECK(describe_drift(relation(), CurrentTable{}) == "it was dropped");
    now.table = "u";
    CHECK(describe_drift(relation(), now) == "it was renamed to 'public.u'");
    now = current();
    now.columns[1].name = "w";
    CHECK(describe_drift(relation(), now) == "column 'v' was renamed to 'w'");
    now.columns[1] = {3, "v", 25, -1, false};
    CHECK(describe_drift(relation(), now) == "column 'v' changed its type");
    now.columns.pop_back();
    CHECK(describe_drift(relation(), now) == "column 'v' was dropped");
    now = current();
    now.columns.push_back({4, "v2", 23, -1, false});
    CHECK(describe_drift(relation(), now) == "column 'v2' was added");
}

TEST_CASE("columns that a rule leaves out are not added ones") {
    Relation after_rules = relation();
    after_rules.columns.pop_back();
    CHECK(describe_added(after_rules, current()) == "column 'v' was added");
    after_rules.excluded = {3};
    CHECK(describe_added(after_rules, current()).empty());
}
