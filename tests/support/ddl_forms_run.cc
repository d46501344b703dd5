#include "tests/support/ddl_forms_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <regex>

#include <doctest/doctest.h>

#include "sql/connection.h"
#include "sql/error.h"
#include "tests/support/ddl_state.h"
#include "tests/support/text.h"

namespace pgsluice::test {

namespace {

constexpr auto long_enough = std::chrono::seconds(300);

std::string schema_of(std::size_t number) { return fmt::format("f{}", number + 1); }

// Writes into all tables of a schema that have a key: into v, where that is a text; else a column is set to itself.
constexpr const char* make_touch = R"(
CREATE FUNCTION public.touch(name text, mark text) RETURNS void LANGUAGE plpgsql AS $f$
DECLARE r record;
BEGIN
    FOR r IN SELECT c.oid::regclass AS t, quote_ident(a.attname) AS a, a.attname = 'v' AND a.atttypid = 25 AS writes
             FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
             JOIN LATERAL (SELECT attname, atttypid FROM pg_attribute
                           WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
                             AND attidentity = ''
                           ORDER BY attname = 'v' AND atttypid = 25 DESC, attnum DESC LIMIT 1) a ON true
             WHERE c.relnamespace = to_regnamespace(name) AND c.relkind = 'r' LOOP
        EXECUTE format('UPDATE ONLY %s SET %s = %s%s', r.t, r.a, r.a,
                       CASE WHEN r.writes THEN ' || ' || quote_literal(mark) ELSE '' END);
    END LOOP;
END $f$;
CREATE FUNCTION public.run(form text) RETURNS void LANGUAGE plpgsql AS $f$BEGIN EXECUTE form; END$f$;)";

// The lines' form: that of the first name f12, f12_2 or f12_3 in each.
std::map<std::size_t, std::vector<std::string>> by_form(const std::vector<std::string>& lines) {
    static const std::regex name(R"(\bf(\d+)(_[23])?\b)");
    std::map<std::size_t, std::vector<std::string>> found;
    for (const std::string& line : lines) {
        std::smatch match;
        if (!std::regex_search(line, match, name)) continue;
        const std::string digits = match[1];
        std::size_t number = 0;
        std::from_chars(digits.data(), digits.data() + digits.size(), number);
        found[number - 1].push_back(line);
    }
    return found;
}

}  // namespace

DdlFormsRun::DdlFormsRun(Setting setting) : Pipeline(shared_servers()), setting_(std::move(setting)) {
    for (const DdlForms& group : ddl_forms())
        for (const DdlForm& form : group.forms) forms_.push_back(&form);
    for (PostgresServer* server : {&shared_servers().source, &shared_servers().target})
        version_ = std::min(version_, server->version());
    on_source(make_touch);
    std::vector<std::string> words = setting_.selection;
    words.insert(words.begin(), {"--copy-and-stream", "--track-ddl"});
    start_replicator(words, {{"PGSLUICE_TABLE_CHECK_MS", "1000"}});
    start_worker();
    settle();
}

std::map<std::size_t, std::string> DdlFormsRun::run() {
    for (std::size_t i = 0; i < forms_.size(); ++i)
        if (runs(i))
            run_on_source(i, {"CREATE SCHEMA " + schema_of(i), "SET search_path = " + schema_of(i),
                              in_schema(forms_[i]->before, schema_of(i))});
    await_arrival();
    for (std::size_t i = 0; i < forms_.size(); ++i) {
        if (!runs(i)) continue;
        const std::string text = in_schema(forms_[i]->form, schema_of(i));
        Texts texts = forms_[i]->traits.alone ? statements_of(text) : setting_.way(text, schema_of(i));
        texts.insert(texts.begin(), "SET search_path = " + schema_of(i));
        run_on_source(i, texts);
    }
    await_arrival();
    await_equal();
    auto found = differences();
    for (const auto& [number, error] : failed_) found[number] = error + found[number];
    return found;
}

void DdlFormsRun::run_on_source(std::size_t number, const Texts& texts) {
    sql::Connection connection(shared_servers().source.connect(source_db()));
    if (!setting_.session.empty()) connection.exec(setting_.session);
    for (const std::string& text : texts) {
        try {
            connection.exec(text);
        } catch (const SqlError& error) {
            failed_[number] += fmt::format("\n  failed on the source: {}: {}", text, error.what());
        }
    }
}

std::map<std::size_t, std::string> DdlFormsRun::differences() {
    const auto state = [&](PostgresServer& server, const std::string& database) {
        const auto lines = ddl_state(server, database);
        return by_form(version_ < 180000 ? without_not_null(lines) : lines);
    };
    const auto source = state(shared_servers().source, source_db());
    const auto target = state(shared_servers().target, target_db());
    std::map<std::size_t, std::string> found;
    static const std::vector<std::string> none;
    for (std::size_t i = 0; i < forms_.size(); ++i) {
        const auto here = source.find(i);
        const auto there = target.find(i);
        const std::string text =
            ddl_difference(here == source.end() ? none : here->second, there == target.end() ? none : there->second);
        if (!text.empty()) found[i] = text;
    }
    return found;
}

bool DdlFormsRun::runs(std::size_t number) const { return forms_.at(number)->traits.since <= version_; }

// Of all that was committed. A form that ends the worker is left out, so that it does not hide those after it.
void DdlFormsRun::await_arrival() {
    on_source("INSERT INTO settled VALUES (" + std::to_string(--mark_) + ")");
    const auto arrived = [&] {
        if (!replicator().running()) return true;
        if (!worker().running()) leave_out();
        return target_scalar("SELECT count(*) FROM settled WHERE mark = " + std::to_string(mark_)) == "1" &&
               target_scalar("SELECT loading_epoch = 0 FROM pgsluice.progress WHERE \"group\" = '" + group() + "'") ==
                   "t";
    };
    const bool all = eventually("all has reached the target", arrived, long_enough);
    if (!all || !replicator().running())
        FAIL("the replicator's messages:\n" << replicator().err() << "\nthe worker's messages:\n" << worker().err());
}

void DdlFormsRun::leave_out() {
    const std::string said = worker().err();
    const std::string error = said.substr(std::min(said.size(), said.rfind("error: ")));
    const auto form = by_form({error});
    if (form.empty()) FAIL("the worker's messages:\n" << said);
    failed_[form.begin()->first] += "\n  the worker ended: " + error;
    const Finished skipped = test::run(command_argv("operator", {"ddl", "skip", "--worker-name", "postgres"}));
    if (skipped.code != 0) FAIL("unable to skip: " << skipped.err << "\n" << said);
    start_worker();
}

// Rows of tables that join come after the changes around them. What differs by design stays so.
void DdlFormsRun::await_equal() {
    const auto all_known = [&] {
        if (!worker().running() || !replicator().running()) return true;
        for (const auto& [number, text] : differences())
            if (forms_[number]->traits.differs == nullptr) return false;
        return true;
    };
    eventually("source and target are equal", all_known, std::chrono::seconds(60));
    INFO("the replicator's messages:\n" << replicator().err());
    INFO("the worker's messages:\n" << worker().err());
    CHECK((worker().running() && replicator().running()));
}

void DdlFormsRun::drop_all() {
    for (std::size_t i = 0; i < forms_.size(); ++i)
        for (const char* more : {"", "_2", "_3"})
            on_source(fmt::format("DROP SCHEMA IF EXISTS {}{} CASCADE", schema_of(i), more));
    await_arrival();
    INFO("the worker's messages:\n" << worker().err());
    CHECK(differences().empty());
    stop();
}

}  // namespace pgsluice::test
