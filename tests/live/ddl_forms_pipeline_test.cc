// The forms of tests/support/ddl_forms.cc from end to end: catalogs and rows are equal afterwards, or differ as the
// page replicator/DDL.md says. Refresh it with PGSLUICE_UPDATE_PAGES=1 in the environment of this test.
//
// PGSLUICE_TEST_FORMS=all runs them in all settings; else in the two that meet the most at once.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/support/ddl_forms_run.h"
#include "tests/support/generated_page.h"
#include "tests/support/slow.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

using Texts = DdlFormsRun::Texts;

bool all_settings() {
    const char* given = std::getenv("PGSLUICE_TEST_FORMS");
    return given != nullptr && std::string(given) == "all";
}

// Some forms have a transaction of their own.
bool is_transaction(const std::string& form) { return contains(form, "BEGIN;"); }

Texts one_by_one(const std::string& form, const std::string&) { return statements_of(form); }
Texts as_one_text(const std::string& form, const std::string&) { return {form}; }

Texts between_rows(const std::string& form, const std::string& schema) {
    if (is_transaction(form)) return {form};
    Texts texts = {"BEGIN", fmt::format("SELECT public.touch('{}', '<')", schema)};
    for (const std::string& statement : statements_of(form)) texts.push_back(statement);
    texts.insert(texts.end(), {fmt::format("SELECT public.touch('{}', '>')", schema), "COMMIT"});
    return texts;
}

Texts in_a_block(const std::string& form, const std::string& schema) {
    if (is_transaction(form)) return {form};
    return {fmt::format("SET search_path = \"$user\", {}, public", schema),
            "DO $do$ BEGIN EXECUTE $form$" + form + "$form$; END $do$"};
}

Texts in_a_function(const std::string& form, const std::string&) {
    return is_transaction(form) ? Texts{form} : Texts{"SELECT public.run($form$" + form + "$form$)"};
}

constexpr const char* odd_settings =
    "; SET DateStyle = 'SQL, DMY'; SET TimeZone = 'Asia/Kolkata'; SET IntervalStyle = 'sql_standard'; SET bytea_output "
    "= 'escape'; SET quote_all_identifiers = on; SET extra_float_digits = 0";

std::string result_of(const DdlForm& form, bool differs) {
    const std::string since =
        form.traits.since == 0 ? "" : fmt::format(" (from PostgreSQL {} on)", form.traits.since / 10000);
    if (!differs) return "follows" + since;
    return form.traits.differs == nullptr ? "DIFFERS, unexpectedly" : fmt::format("differs: {}", form.traits.differs);
}

std::string tables_of(const std::map<std::size_t, std::string>& differences) {
    std::string text;
    std::size_t number = 0;
    for (const DdlForms& group : ddl_forms()) {
        text += fmt::format("\n### {}\n\n| form | |\n| --- | --- |\n", group.title);
        for (const DdlForm& form : group.forms)
            text += fmt::format("| {} | {} |\n", as_code(form.form), result_of(form, differences.contains(number++)));
    }
    return text + "\n";
}

// As the page says. What this server cannot run is as it was found on one that can.
void check(DdlFormsRun& group) {
    auto differences = group.run();
    std::size_t number = 0;
    for (const DdlForms& forms : ddl_forms()) {
        for (const DdlForm& form : forms.forms) {
            const auto found = differences.find(number);
            const bool expected = form.traits.differs != nullptr;
            if (!group.runs(number)) {
                if (expected) differences[number];
            } else {
                const bool known = (found != differences.end()) == expected;
                CHECK_MESSAGE(known, "form ", number + 1, ": ", std::string(form.form),
                              found == differences.end() ? "" : found->second);
            }
            ++number;
        }
    }
    check_generated("replicator/DDL.md", "forms", tables_of(differences));
    group.drop_all();
}

void check(const DdlFormsRun::Setting& setting) {
    DdlFormsRun group(setting);
    check(group);
}

}  // namespace

TEST_CASE("forms in transactions, with rows before and after") {
    check({"in transactions", between_rows, "", {"--all-schemas"}});
}

TEST_CASE("forms of another role in a DO block, under an odd search_path and settings, tables by pattern" * slow) {
    const std::string role = fmt::format("\"Odd role {}\"", ::getpid());
    DdlFormsRun group({"in DO", in_a_block, "SET ROLE " + role + odd_settings, {"--tables", "settled,f*.*"}});
    group.on_source(fmt::format("CREATE ROLE {0}; GRANT CREATE ON DATABASE {1} TO {0}", role, group.source_db()));
    // Of another server, the target has to have the role, too.
    if (&shared_servers().source != &shared_servers().target) group.on_target("CREATE ROLE " + role);
    check(group);
}

TEST_CASE("forms statement by statement") {
    if (all_settings()) check({"one by one", one_by_one, "", {"--all-schemas"}});
}

TEST_CASE("forms with several statements in one text, tables by pattern") {
    if (all_settings()) check({"one text", as_one_text, "", {"--tables", "settled,f*.*"}});
}

TEST_CASE("forms in a function") {
    if (all_settings()) check({"in a function", in_a_function, "", {"--all-schemas"}});
}
