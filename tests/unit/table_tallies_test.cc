// What is counted of each table, for a bounded number of tables.
#include "stream/metrics/table_tallies.h"

#include <doctest/doctest.h>

#include <string>

using namespace pgsluice;

TEST_CASE("a table's figures stay where they are") {
    TableTallies tables;
    TableTally& first = tables.of("public", "users");
    first.count(Op::update);
    for (int i = 0; i < 100; ++i) tables.of("public", "t" + std::to_string(i));
    CHECK(&tables.of("public", "users") == &first);
    CHECK(tables.of("public", "users").changes[1].get() == 1);
    CHECK(&tables.of("other", "users") != &first);
}

TEST_CASE("tables beyond the bound are counted together") {
    TableTallies tables;
    for (std::size_t i = 0; i < 2 * TableTallies::max_tables; ++i)
        tables.of("public", "t" + std::to_string(i)).count(Op::insert);
    std::size_t series = 0;
    std::uint64_t changes = 0;
    std::uint64_t others = 0;
    tables.for_each([&](const std::string& schema, const std::string& table, const TableTally& tally) {
        ++series;
        changes += tally.changes[0].get();
        if (schema.empty() && table == TableTallies::others) others = tally.changes[0].get();
    });
    CHECK(series == TableTallies::max_tables + 1);
    CHECK(changes == 2 * TableTallies::max_tables);
    CHECK(others == TableTallies::max_tables);
}

TEST_CASE("the time that something is being done counts as well as the time that it was done") {
    using namespace std::chrono_literals;
    const Spell::Clock::time_point start{100s};
    Spell spell;
    CHECK(spell.seconds(start) == 0);
    spell.begin(start);
    CHECK(spell.seconds(start + 3s) == 3);
    CHECK(spell.running_seconds(start + 3s) == 3);
    spell.end(start + 4s);
    CHECK(spell.seconds(start + 10s) == 4);
    CHECK(spell.running_seconds(start + 10s) == 0);
}
