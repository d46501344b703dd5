// Captured DDL of a group whose replicator applies rules: what columns with rules hold is in no message and no key.
#include <doctest/doctest.h>

#include "tests/live/ddl_canary_fixture.h"
#include "tests/live/source_rules_fixture.h"

using namespace pgsluice::test;
using namespace pgsluice::test::ddl_canary;

namespace {

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("source rules: a canary in captured definitions is nowhere, and a worker without rules follows") {
    RuledSource group(rules_text);
    make_tables(group);
    group.start_ruled({"--copy-and-stream", "--track-ddl"});
    group.start_worker();
    group.settle();
    for (const std::string& command : commands) {
        CAPTURE(command);
        group.on_source(command);
        group.settle();
        CHECK_FALSE(contains(group.target_scalar(everything), canary));
    }
    check_shown(group);
    CHECK(contains(group.messages(), "'shown'::text"));
    CHECK(group.found() == Texts{});
    group.stop();
}

TEST_CASE("source rules: a canary in views, functions, triggers and policies, and in commands as text, is nowhere") {
    const Texts objects{
        "CREATE VIEW seen AS SELECT id FROM t WHERE v <> 'canary'",
        "CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM 1 FROM t WHERE v = 'canary'; "
        "RETURN "
        "NULL; END $$",
        "CREATE TRIGGER looks AFTER UPDATE ON t FOR EACH ROW WHEN (OLD.v = 'canary') EXECUTE FUNCTION look()",
        "CREATE POLICY hides ON t USING (v <> 'canary')",
        "ALTER TABLE t ALTER v SET DEFAULT 'canary'",
        "ALTER TABLE t ADD CHECK (v <> 'canary')",
        "COMMENT ON TABLE t IS 'canary'",
    };
    for (const Texts& flags :
         {Texts{"--ddl-objects", "views,functions,triggers,policies"}, Texts{"--ddl-capture", "text"}}) {
        CAPTURE(flags.back());
        RuledSource group(rules_text);
        make_tables(group);
        Texts all{"--copy-and-stream", "--track-ddl"};
        all.insert(all.end(), flags.begin(), flags.end());
        group.start_ruled(all);
        group.await_stream();
        for (const std::string& object : objects) group.on_source(object);
        group.on_source("ALTER TABLE t ADD COLUMN last_of_them int");
        CHECK(eventually("the last command is published", [&] { return contains(group.messages(), "last_of_them"); }));
        CHECK(group.found() == Texts{});
        group.stop_replicator();
    }
}
