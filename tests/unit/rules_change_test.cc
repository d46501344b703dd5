// What a worker does when delivered rows are not as its files and flags now say.
#include "worker/rules/change.h"

#include <doctest/doctest.h>

#include "sql/error.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using rules_test::column;
using rules_test::error_of;

namespace {

RulesChange changed_rules() {
    RulesChange change;
    change.worker = "postgres";
    change.changed = {
        {rules_test::relation("users", {column("id", rules_test::integer_type, true)}), {"column 'email'"}}};
    change.targets_tables = change.takes_back = change.replaces_rows = true;
    return change;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("without a difference nothing is done") { CHECK(decide_remedy({}) == Remedy::none); }

TEST_CASE("other rules stop the worker, which names the tables and a way that is open") {
    RulesChange change = changed_rules();
    std::string error = error_of([&] { decide_remedy(change); });
    CHECK(has(error,
              "unable to start worker 'postgres': the rules changed after rows were delivered: public.users "
              "(column 'email')"));
    CHECK(has(
        error,
        "--resnapshot. Once it is copying, start this worker again with --target-existing-rows truncate, to deliver "
        "the rows again."));
    CHECK(has(error, "--on-rules-change continue"));
    CHECK_FALSE(has(error, "reload"));
    change.snapshot_held = true;
    error = error_of([&] { decide_remedy(change); });
    CHECK(has(error, "--on-rules-change reload"));
    CHECK_FALSE(has(error, "--resnapshot"));
    change.targets_tables = change.takes_back = false;  // lines
    change.snapshot_held = false;
    CHECK_FALSE(has(error_of([&] { decide_remedy(change); }), "--target-existing-rows"));
}

TEST_CASE("--on-rules-change says what happens instead") {
    RulesChange change = changed_rules();
    change.on_change = OnRulesChange::accept;
    CHECK(decide_remedy(change) == Remedy::accept);
    change.on_change = OnRulesChange::reload;
    CHECK_THROWS_AS(decide_remedy(change), Error);
    change.snapshot_held = true;
    CHECK(decide_remedy(change) == Remedy::load_again);
    change.replaces_rows = change.takes_back = false;  // keep
    CHECK_THROWS_AS(decide_remedy(change), Error);
    change = changed_rules();
    change.on_change = OnRulesChange::reload;
    change.snapshot_held = change.loading = true;
    change.takes_back = false;  // lines that are out, in the middle of that snapshot
    CHECK_THROWS_AS(decide_remedy(change), Error);
}

TEST_CASE("a snapshot that is still loading is loaded again, whatever the flag says") {
    for (const auto flag : {OnRulesChange::stop, OnRulesChange::accept, OnRulesChange::reload}) {
        RulesChange change = changed_rules();
        change.on_change = flag;
        change.loading = change.snapshot_held = true;
        CHECK(decide_remedy(change) == Remedy::load_again);
    }
    RulesChange trimmed = changed_rules();
    trimmed.loading = true;
    CHECK_THROWS_AS(decide_remedy(trimmed), Error);
}

TEST_CASE("a snapshot to come is waited for, if it replaces rows") {
    RulesChange change = changed_rules();
    change.snapshot_ahead = change.snapshot_held = true;
    CHECK(decide_remedy(change) == Remedy::await_snapshot);
    change.replaces_rows = change.takes_back = false;
    CHECK_THROWS_AS(decide_remedy(change), Error);
}

TEST_CASE("truncate after keep") {
    RulesChange change = changed_rules();
    change.changed.clear();
    change.kept_rows = true;
    CHECK(has(error_of([&] { decide_remedy(change); }), "its last snapshot began without it"));
    change.on_change = OnRulesChange::accept;  // is about rules
    CHECK_THROWS_AS(decide_remedy(change), Error);
    change.snapshot_ahead = true;
    CHECK(decide_remedy(change) == Remedy::await_snapshot);
    change.snapshot_ahead = false;
    change.loading = change.snapshot_held = true;
    CHECK(decide_remedy(change) == Remedy::load_again);
}

TEST_CASE("of many tables the first are named") {
    std::vector<ChangedTable> many;
    for (int i = 0; i < 13; ++i)
        many.push_back({rules_test::relation("t" + std::to_string(i), {}), {"the target", "column 'a'"}});
    const std::string text = rules_changed(many);
    CHECK(has(text, "public.t0 (the target, column 'a'), public.t1 ("));
    CHECK(has(text, "public.t9 (the target, column 'a') and 3 more tables"));
}
