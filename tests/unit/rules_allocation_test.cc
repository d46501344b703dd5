// What rules cost on the heap once they have run: nothing for rows they leave alone, nor for what fits into a used
// arena.
#include <doctest/doctest.h>

#include <cstdlib>
#include <new>

#include "tests/unit/rules_fixture.h"

namespace {

thread_local std::size_t allocations = 0;

void* counted(std::size_t bytes) {
    ++allocations;
    if (void* made = std::malloc(bytes > 0 ? bytes : 1)) return made;
    throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes); }
// A sanitizer's own would not count, nor fit the delete below; simdjson uses this one.
void* operator new(std::size_t bytes, const std::nothrow_t& /*no exception*/) noexcept {
    ++allocations;
    return std::malloc(bytes > 0 ? bytes : 1);
}
void* operator new[](std::size_t bytes) { return counted(bytes); }
void* operator new[](std::size_t bytes, const std::nothrow_t& tag) noexcept { return operator new(bytes, tag); }
void operator delete(void* made) noexcept { std::free(made); }
void operator delete(void* made, std::size_t) noexcept { std::free(made); }
void operator delete[](void* made) noexcept { std::free(made); }
void operator delete[](void* made, std::size_t) noexcept { std::free(made); }

using namespace pgsluice;
using namespace pgsluice::rules_test;

namespace {

const RelationPtr sample_table =
    relation("t", {column("id", integer_type, true), column("email", text_type), column("n", numeric_type),
                   column("at", timestamptz_type), column("doc", jsonb_type), column("note", text_type)});
const Values sample_row{text("7"),
                        text("john@example.com"),
                        text("12345678901234567890.5"),
                        text("2024-06-01 12:00:00+02"),
                        text(R"({"id": 7, "name": "a long enough text to live on the heap"})"),
                        toast};

// Of one more change, behind some that warmed up. `as_it_is`: the row is the source's own.
std::size_t allocations_of(const CompiledRules& compiled, const Change& source, bool& as_it_is) {
    Arena arena;
    std::size_t made = 0;
    for (int i = 0; i < 4; ++i) {
        arena.clear();
        Change change = source;
        const std::size_t before = allocations;
        const bool passes = compiled.apply(change, arena);
        made = allocations - before;
        REQUIRE(passes);
        as_it_is = change.new_row.data() == source.new_row.data();
    }
    return made;
}

std::string rule(const std::string& more) { return "tables: {t: [" + more + "]}"; }

}  // namespace

TEST_CASE("a row that is left as it is costs no allocation and no copy") {
    const std::string filters =
        "{type: filter, column: n, parameters: {operator: gt, value: 5}}, "
        "{type: filter, column: at, parameters: {operator: lt, value: '2030-01-01T00:00:00Z'}}, "
        "{type: filter, column: email, parameters: {operator: contains, value: '@'}}, "
        "{type: filter, column: id, parameters: {operator: in, values: [6, 7]}}";
    const struct {
        const char* what;
        std::unique_ptr<Ruleset> ruleset;
    } cases[] = {
        {"no rules", load("")},
        {"another table's", load("tables: {u: [{type: keep, column: id}]}")},
        {"a route", load("", "t: {destination_table: u, column_mappings: [{source: id, destination: nr}]}")},
        {"filters", load(rule(filters))},
        {"keep", load(rule("{type: keep, column: id}"))},
        {"a rule of deletes", load(rule("{type: transform, column: email, operations: [DELETE], "
                                        "parameters: {type: mask}}"))},
    };
    for (const auto& one : cases) {
        CAPTURE(one.what);
        const auto compiled = one.ruleset->compile(sample_table);
        bool as_it_is = false;
        CHECK(allocations_of(*compiled, insert(sample_table, sample_row), as_it_is) == 0);
        CHECK(as_it_is);
        CHECK(allocations_of(*compiled, update(sample_table, sample_row), as_it_is) == 0);
        CHECK(as_it_is);
    }
}

TEST_CASE("a row that is rewritten takes nothing but room in an arena that has it") {
    const char* const cases[] = {
        "{type: transform, column: email, parameters: {type: mask}}",
        "{type: transform, column: email, parameters: {type: redact}}",
        "{type: transform, column: email, parameters: {type: truncate, length: 3}}",
        "{type: transform, column: email, parameters: {type: constant, value: x}}",
        "{type: transform, column: email, parameters: {type: 'null'}}",
        "{type: transform, column: doc, parameters: {type: json, path: $.name, transform: {type: mask}}}",
        "{type: transform, column: doc, parameters: {type: json, path: $.none, transform: {type: mask}}}",
        "{type: exclude_column, column: note}",
    };
    for (const char* one : cases) {
        CAPTURE(one);
        bool as_it_is = true;
        const auto ruleset = load(rule(one));
        const auto compiled = ruleset->compile(sample_table);
        CHECK(allocations_of(*compiled, insert(sample_table, sample_row), as_it_is) == 0);
        CHECK_FALSE(as_it_is);
    }
}

TEST_CASE("the count counts") {
    const std::size_t before = allocations;
    const auto made = std::make_unique<int>(1);
    CHECK(allocations == before + 1);
}
