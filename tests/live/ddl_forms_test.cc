// Forms of DDL: each runs on the source, and what is derived from the definitions before and after it makes the
// target's catalogs and rows equal. Each form has schema f to itself, which is made and dropped by captured commands.
#include <doctest/doctest.h>

#include <optional>

#include "tests/support/ddl_forms.h"
#include "tests/support/ddl_pair.h"
#include "tests/support/ddl_state.h"
#include "tests/support/postgres_server.h"

using namespace pgsluice::test;

namespace {

using Texts = std::vector<std::string>;

constexpr const char* start = "CREATE SCHEMA f; SET search_path = f; ";

std::string joined(const Texts& lines) {
    std::string text;
    for (const std::string& line : lines) text += "\n  " + line;
    return text;
}

void check_equal(DdlPair& pair) {
    const std::string difference = ddl_difference(pair.source_state(), pair.target_state());
    CHECK_MESSAGE(difference == "", difference);
}

// Whether all of it went well; else the pair is of no more use.
bool check_form(DdlPair& pair, const DdlForm& form) {
    const std::string text = form.form;
    CAPTURE(text);
    const auto failed = [&](const char* when, const std::string& error) {
        CHECK_MESSAGE(error == "", when, ": ", error);
        return error != "";
    };
    pair.on_source(std::string(start) + form.before);
    if (failed("before", pair.apply())) return false;
    pair.copy_rows();
    for (const std::string& statements : form.traits.alone ? statements_of(form.form) : Texts{form.form})
        pair.on_source(statements);
    const std::string error = pair.apply(form.traits.convert);
    INFO("log:", joined(pair.log()));
    if (failed("form", error)) return false;
    check_equal(pair);
    pair.on_source("DROP SCHEMA f CASCADE; SET search_path = public");
    if (failed("drop", pair.apply())) return false;
    CHECK(joined(pair.target_state()) == joined(pair.source_state()));
    return pair.target_state() == pair.source_state();
}

void check_forms(std::size_t group) {
    std::optional<DdlPair> pair;
    const int version = shared_postgres().version();
    for (const DdlForm& form : ddl_forms().at(group).forms) {
        if (form.traits.since > version || form.traits.differs != nullptr || form.traits.writes) continue;
        if (!pair) pair.emplace();
        if (!check_form(*pair, form)) pair.reset();
    }
}

}  // namespace

TEST_CASE("forms of ALTER TABLE on columns") { check_forms(0); }
TEST_CASE("forms of constraints") { check_forms(1); }
TEST_CASE("forms of tables and indexes") { check_forms(2); }
TEST_CASE("forms of partitions") { check_forms(3); }
TEST_CASE("forms of types, sequences, schemas") { check_forms(4); }
