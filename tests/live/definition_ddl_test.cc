// Definitions on a target: what is derived from them runs between the rows, and an operator may decide on what stops.
#include <doctest/doctest.h>

#include <algorithm>

#include "stream/definition/definition_message.h"
#include "stream/format/ddl_message.h"
#include "tests/live/postgres_sink_fixture.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

ColumnDefinition column(int number, const std::string& name, const std::string& type) {
    ColumnDefinition made;
    made.number = static_cast<std::int16_t>(number);
    made.name = name;
    made.type = type;
    return made;
}

TableDefinition table_t() {
    TableDefinition table{"public", "t"};
    table.columns = {column(1, "id", "integer"), column(2, "v", "text")};
    return table;
}

struct Decisions : DdlDecisions {
    std::vector<PendingDdl> asked;
    std::optional<DdlDecision> decision;
    std::optional<DdlDecision> find(const DdlPlace&) override { return decision; }
    void ask(const PendingDdl& pending) override { asked.push_back(pending); }
    // The operator decides when asked, or the test is over.
    std::optional<DdlDecision> answer;
    bool awaits(const DdlPlace&) override {
        if (!answer) throw stop_error("it waits");
        decision = answer;
        return false;
    }
};

struct DefinitionTarget : PostgresTarget {
    Decisions decisions;
    SinkFeed feed;

    DefinitionTarget() { sql("CREATE TABLE t (id int PRIMARY KEY, v text)"); }
    void start() {
        sink.reset();
        sink = make_postgres_sink(
            options, [this](LogLevel, std::string_view line) { log.emplace_back(line); }, stop.get_token(), nullptr,
            &decisions);
        if (const auto state = sink->open()) feed.resume(state->checkpoint);
    }
    SinkFeed& add(const DefinitionMessage& message) { return feed.message(ddl_message_prefix, encode(message)); }
    SinkFeed& alter(const TableDefinition& before, const TableDefinition& after) {
        return add({"ALTER TABLE", {{1, before, after}}});
    }
    bool logged(const std::string& words) const {
        return std::any_of(log.begin(), log.end(), [&](const std::string& line) { return contains(line, words); });
    }
    // As a worker's next session would: from what was committed. What it waits for counts as a failure.
    std::string again(const DefinitionMessage& message, std::string* hint = nullptr) {
        start();
        add(message);
        const std::string failed = failure(feed.complete(), hint);
        if (failed != "it waits") return failed;
        if (hint != nullptr) *hint = log.back();
        return log.back();
    }
};

DefinitionMessage dropped() { return {"DROP TABLE", {{1, table_t(), {}}}}; }

}  // namespace

TEST_CASE("a column comes between the rows of one transaction, with the source's constant") {
    DefinitionTarget target;
    target.start();
    const auto before = make_relation("public", "t", {"id integer*", "v text"});
    const auto after = make_relation("public", "t", {"id integer*", "v text", "n timestamptz"});
    TableDefinition later = table_t();
    later.columns.push_back(column(3, "n", "timestamp with time zone"));
    later.columns[2].expression = "now()";
    later.columns[2].missing = "2001-02-03 04:05:06+00";
    target.feed.insert(before, {text("1"), text("a")});
    target.alter(table_t(), later);
    target.feed.insert(after, {text("2"), text("b"), text("2020-01-01 00:00:00+00")});
    CHECK(target.failure(target.feed.complete()).empty());
    CHECK(target.rows("SELECT id || ' ' || (n AT TIME ZONE 'UTC') FROM t ORDER BY id") ==
          Lines{"1 2001-02-03 04:05:06", "2 2020-01-01 00:00:00"});
    CHECK(target.scalar("SELECT column_default FROM information_schema.columns WHERE column_name = 'n'") == "now()");
    CHECK(target.logged("applied: add column on table 'public.t' at "));
    CHECK_FALSE(target.logged("2001-02-03"));
}

TEST_CASE("a table is emptied where its rows come again, also one that others refer to") {
    DefinitionTarget target;
    target.sql("CREATE TABLE c (t int REFERENCES t); INSERT INTO t VALUES (1, 'a'); INSERT INTO c VALUES (1)");
    target.start();
    TableDefinition later = table_t();
    later.columns[1].type = "integer";
    DefinitionMessage message{"ALTER TABLE", {{1, table_t(), later}}};
    message.objects[0].recopy = true;
    target.add(message);
    CHECK(target.failure(target.feed.complete()).empty());
    CHECK(target.scalar("SELECT count(*) FROM t") == "0");
    CHECK(target.scalar("SELECT data_type FROM information_schema.columns WHERE column_name = 'v'") == "integer");
}

TEST_CASE("a table that the target does not have is not emptied, and what alters it names a way out that works") {
    DefinitionTarget target;
    const std::string source = target.server.create_database();
    target.server.sql(source, "CREATE TABLE t (id int PRIMARY KEY, v int)");
    target.options.sync_schema = true;
    target.options.source = target.server.connect(source);
    target.options.source.role = "source";
    target.sql("DROP TABLE t");
    TableDefinition later = table_t();
    later.columns[1].type = "integer";
    DefinitionMessage message{"ALTER TABLE", {{1, table_t(), later}}};
    message.objects[0].recopy = true;
    std::string hint;
    CHECK(contains(target.again(message, &hint), R"(relation "public.t" does not exist)"));
    CHECK(contains(hint, "Mend the reason on the target and start the worker again"));
    SUBCASE("the table is made on the target") {
        target.sql("CREATE TABLE t (id int PRIMARY KEY, v text)");
        CHECK(target.again(message).empty());
    }
    SUBCASE("the command is left out") {
        CHECK(contains(hint, "leave the command out with `pgsluice ddl skip "));
        target.decisions.decision = DdlDecision::skip;
        CHECK(target.again(message).empty());
        target.feed.insert(make_relation("public", "t", {"id integer*", "v integer"}), {text("1"), text("2")});
        CHECK(target.failure(target.feed.complete()).empty());
        CHECK(target.scalar("SELECT v FROM t") == "2");
    }
    CHECK(target.scalar("SELECT data_type FROM information_schema.columns WHERE column_name = 'v'") == "integer");
}

TEST_CASE("a table that the target has extended is not dropped, until an operator says so") {
    DefinitionTarget target;
    target.sql("ALTER TABLE t ADD COLUMN own int; CREATE VIEW w AS SELECT id FROM t");
    std::string hint;
    CHECK(contains(target.again(dropped(), &hint), "has a column 'own' of its own"));
    CHECK(contains(hint, "pgsluice ddl skip"));
    REQUIRE(target.decisions.asked.size() == 1);
    CHECK(target.decisions.asked[0].kind == "drop table");
    CHECK(target.decisions.asked[0].place.number == 1);

    // Applied, it fails at what depends on it, which is named; left out, the worker continues.
    target.decisions.decision = DdlDecision::apply;
    const std::string depends = target.again(dropped());
    INFO(depends);
    CHECK(contains(depends, "view public.w depends on table public.t"));
    CHECK(target.scalar("SELECT to_regclass('t') IS NOT NULL") == "t");
    target.decisions.decision = DdlDecision::skip;
    CHECK(target.again(dropped()).empty());
    CHECK(target.scalar("SELECT to_regclass('t') IS NOT NULL") == "t");
    target.sql("DROP VIEW w");
    target.decisions.decision = DdlDecision::apply;
    CHECK(target.again(dropped()).empty());
    CHECK(target.scalar("SELECT to_regclass('t') IS NULL") == "t");
}

TEST_CASE("the policy stops at, leaves out or applies each kind") {
    DefinitionTarget target;
    target.options.ddl_policy = DdlPolicy::parse("drop table=stop, add column = ignore");
    CHECK(contains(target.again(dropped()), "--ddl-policy says stop (DROP TABLE \"public\".\"t\")"));
    TableDefinition later = table_t();
    later.columns.push_back(column(3, "n", "integer"));
    later.columns[1].name = "w";
    CHECK(target.again({"ALTER TABLE", {{1, table_t(), later}}}).empty());
    CHECK(target.scalar("SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = "
                        "'t'::regclass AND attnum > 0") == "id w");
    CHECK(target.logged("not applied (--ddl-policy): add column"));
    target.options.ddl_policy = DdlPolicy::parse("table=apply");
    target.sql("ALTER TABLE t ADD COLUMN own int");
    CHECK(target.again(dropped()).empty());
    CHECK(target.scalar("SELECT to_regclass('t') IS NULL") == "t");
}

TEST_CASE("a command that waits holds back its transaction, and nothing else") {
    DefinitionTarget target;
    target.options.ddl_policy = DdlPolicy::parse("drop column=stop");
    target.start();
    const auto before = make_relation("public", "t", {"id integer*", "v text"});
    const auto after = make_relation("public", "t", {"id integer*"});
    TableDefinition later = table_t();
    later.columns.pop_back();
    target.feed.insert(before, {text("1"), text("a")});
    target.feed.next_transaction();
    target.feed.insert(before, {text("2"), text("b")});
    const auto finish = [&] {
        target.alter(table_t(), later);
        return target.failure(target.feed.insert(after, {text("3")}).complete());
    };
    const auto rows = [&] { return target.scalar("SELECT string_agg(t::text, ' ' ORDER BY id) FROM t"); };
    SUBCASE("it is not decided about") {
        CHECK(finish() == "it waits");
        CHECK(rows() == "(1,a)");
        CHECK(target.scalar("SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass") == "0");
    }
    SUBCASE("it is applied") {
        target.decisions.answer = DdlDecision::apply;
        CHECK(finish() == "");
        CHECK(rows() == "(1) (2) (3)");
    }
    SUBCASE("it is left out") {
        target.decisions.answer = DdlDecision::skip;
        CHECK(finish() == "");
        CHECK(rows() == "(1,a) (2,b) (3,)");
    }
    SUBCASE("its transaction began in an earlier batch") {
        target.decisions.answer = DdlDecision::apply;
        CHECK(target.failure(target.feed.piece()) == "");
        CHECK(finish() == "a command was decided about: reading its transaction again");
        CHECK(rows() == "");
    }
    CHECK(target.decisions.asked.size() == 1);
    CHECK(target.logged("waiting for a decision: unable to apply drop column on table 'public.t' at "));
}

TEST_CASE("a policy for some tables") {
    DefinitionTarget target;
    target.options.ddl_policy = DdlPolicy::parse("drop column on public.t* = ignore, drop column=stop");
    TableDefinition later = table_t();
    later.columns.pop_back();
    CHECK(target.again({"ALTER TABLE", {{1, table_t(), later}}}).empty());
    CHECK(target.logged("not applied (--ddl-policy): drop column on table 'public.t'"));
    TableDefinition other = table_t();
    other.name = "other";
    TableDefinition other_later = later;
    other_later.name = "other";
    CHECK(contains(target.again({"ALTER TABLE", {{1, other, other_later}}}), "--ddl-policy says stop"));
}

TEST_CASE("one command that fails can be left out, those after it are applied") {
    DefinitionTarget target;
    target.sql("INSERT INTO t VALUES (1, NULL)");
    TableDefinition later = table_t();
    later.columns[1].not_null = true;
    later.comment = "what it is";
    const DefinitionMessage message{"ALTER TABLE", {{1, table_t(), later}}};
    std::string hint;
    CHECK(contains(target.again(message, &hint), "unable to apply alter column on table 'public.t' at "));
    CHECK(contains(hint, "start the worker again, which tries the command again"));
    target.decisions.decision = DdlDecision::skip;
    CHECK(target.again(message).empty());
    CHECK(target.scalar("SELECT obj_description('t'::regclass)") == "what it is");
    CHECK(target.logged("left out, as decided: alter column"));
}

TEST_CASE("an index of the name that is another table's is not dropped") {
    DefinitionTarget target;
    target.sql("CREATE TABLE o (v text); CREATE INDEX i ON o (v)");
    const IndexDefinition index{"public", "i", {1, "public", "t"}, "CREATE INDEX i ON public.t USING btree (v)", true};
    CHECK(target.again({"DROP INDEX", {{9, index, {}}}}).empty());
    CHECK(target.scalar("SELECT to_regclass('i') IS NOT NULL") == "t");
    CHECK(target.logged("has no index of this name"));
}

TEST_CASE("what did not change is made where it is missing, and left alone where it is not") {
    DefinitionTarget target;
    TypeDefinition mood{"public", "mood", {}, 'e'};
    mood.labels = {{1, "sad"}, {2, "ok"}};
    mood.comment = "how it is";
    TableDefinition made{"shop", "m"};
    made.columns = {column(1, "m", "public.mood")};
    const SchemaDefinition shop{"shop"};
    const DefinitionMessage message{"CREATE TABLE", {{7, shop, shop}, {5, mood, mood}, {6, {}, made}}};
    CHECK(target.again(message).empty());
    CHECK(target.scalar("SELECT obj_description('mood'::regtype)") == "how it is");
    target.sql("DROP TABLE shop.m; COMMENT ON TYPE mood IS 'mine'");
    CHECK(target.again(message).empty());
    CHECK(target.scalar("SELECT obj_description('mood'::regtype)") == "mine");
    CHECK(target.scalar("SELECT to_regclass('shop.m') IS NOT NULL") == "t");
}

TEST_CASE("an owner is given where the role is there, and said where it is not") {
    DefinitionTarget target;
    TableDefinition later = table_t();
    later.owner = "no_such_role";
    CHECK(target.again({"ALTER TABLE", {{1, table_t(), later}}}).empty());
    CHECK(target.logged("the target has no such role"));
}

TEST_CASE("an expression of the source runs with the rights of the table's owner") {
    DefinitionTarget target;
    const std::string role = "owner_" + target.database;
    target.sql(
        "CREATE ROLE " + role + "; GRANT ALL ON SCHEMA public TO " + role + "; ALTER TABLE t OWNER TO " + role +
        "; CREATE TABLE who (r text); GRANT ALL ON who TO public; CREATE FUNCTION f(int) RETURNS boolean LANGUAGE "
        "plpgsql AS $$BEGIN INSERT INTO public.who VALUES (current_user); RETURN true; END$$; INSERT INTO t VALUES "
        "(1)");
    TableDefinition later = table_t();
    later.constraints = {{8, "c", 'c', "CHECK (public.f(id))", true}};
    CHECK(target.again({"ALTER TABLE", {{1, table_t(), later}}}) == "");
    CHECK(target.rows("SELECT r FROM who") == Lines{role});
}

TEST_CASE("what the source did not know before stops the worker") {
    DefinitionTarget target;
    DefinitionMessage message{"ALTER TABLE", {{1, {}, table_t()}}};
    message.objects[0].unknown = true;
    std::string hint;
    CHECK(contains(target.again(message, &hint), "is not known"));
    CHECK(contains(hint, "resnapshot --tables"));
}
