// DDL under rules: what of its text shows, what a target may run, what stops the worker.
#include <doctest/doctest.h>

#include "rules/ddl/sql_text.h"
#include "stream/format/ddl_message.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;
using rules::has_literals;
using rules::is_statement;
using rules::sql_tokens;
using rules::without_literals;

namespace {

constexpr const char* mask_email = "tables: {users: [{type: transform, column: email, parameters: {type: mask}}]}";

using Tables = std::vector<QualifiedName>;

DdlMessage ddl(const std::string& tag, const std::string& command, const std::string& table = "users") {
    return {"ddl_command_end",
            tag,
            command,
            "\"$user\", public",
            {{"table", "public." + table, "public", table, Tables{}}},
            ""};
}

// What the rules make of it; nothing when they drop it.
std::optional<DdlMessage> ruled(const Ruleset& ruleset, const DdlMessage& message) {
    const auto content = ruled_ddl(ruleset, encode(message));
    return content ? std::optional(decode_ddl(*content)) : std::nullopt;
}

std::string obstacle(const Ruleset& ruleset, const DdlMessage& message) {
    const auto result = ruled(ruleset, message);
    REQUIRE(result);
    return result->obstacle;
}

}  // namespace

TEST_CASE("a DDL message reads back as it was written") {
    DdlMessage message = ddl("ALTER TABLE", "ALTER TABLE \"users\" ADD x int -- ä\n");
    message.objects.push_back({"index", "public.i", "public", ""});
    CHECK(decode_ddl(encode(message)) == message);
    message.obstacle = "no";
    CHECK(decode_ddl(encode(message)) == message);
    CHECK(error_of([] { (void)decode_ddl("{}"); }).find("field 'event' is missing") != std::string::npos);
}

TEST_CASE("literals and comments are taken out of SQL, names and lengths stay") {
    const struct {
        const char* text;
        const char* expected;
    } cases[] = {
        {"ALTER TABLE t ADD c text DEFAULT 'canary'", "ALTER TABLE t ADD c text DEFAULT ?"},
        {"ALTER TABLE t ADD c text DEFAULT 'it''s canary' NOT NULL", "ALTER TABLE t ADD c text DEFAULT ? NOT NULL"},
        {"ALTER TABLE t ADD c text DEFAULT E'\\'canary'", "ALTER TABLE t ADD c text DEFAULT ?"},
        {"ALTER TABLE t ADD c text DEFAULT 'back\\' CHECK (c <> 'canary')",
         "ALTER TABLE t ADD c text DEFAULT ? CHECK (c <> ?)"},
        {"ALTER TABLE t ADD c text DEFAULT U&'c\\0061nary' UESCAPE '\\'",
         "ALTER TABLE t ADD c text DEFAULT ? UESCAPE ?"},
        {"ALTER TABLE t ADD c text DEFAULT $q$canary$ $q$, ADD d int", "ALTER TABLE t ADD c text DEFAULT ?, ADD d int"},
        {"ALTER TABLE t ADD c bigint DEFAULT 4111111111111111", "ALTER TABLE t ADD c bigint DEFAULT ?"},
        {"ALTER TABLE t ADD c varchar(20), ADD d numeric (10, 2) DEFAULT -1.5e-3",
         "ALTER TABLE t ADD c varchar(20), ADD d numeric (10, 2) DEFAULT -?"},
        {"ALTER TABLE t ADD c varchar('canary')", "ALTER TABLE t ADD c varchar(?)"},
        {"ALTER TABLE t /* canary /* nested */ canary */ ADD c int -- canary\n, ADD d int",
         "ALTER TABLE t ADD c int , ADD d int"},
        {"ALTER TABLE \"my 'table'\" ADD \"a\"\"b\" int", "ALTER TABLE \"my 'table'\" ADD \"a\"\"b\" int"},
        {"ALTER TABLE t ADD c text DEFAULT 'never closed canary", "ALTER TABLE t ADD c text DEFAULT ?"},
        {"SELECT $1, b'101', t2.x2", "SELECT ?, ?, t2.x2"},
        {"ALTER TABLE t ADD c text DEFAULT E'a'\n  'b\\'canary', ADD d int",
         "ALTER TABLE t ADD c text DEFAULT ?, ADD d int"},
        {"SELECT E'a' -- one\n -- two\n 'b\\'canary' x", "SELECT ? x"},
        {"SELECT 'a'\n'b\\' canary", "SELECT ? canary"},
        {"ALTER TABLE t ADD c boolean DEFAULT true", "ALTER TABLE t ADD c boolean DEFAULT ?"},
        {"ALTER TABLE s.user ADD \"true\" int", "ALTER TABLE s.user ADD \"true\" int"},
    };
    for (const auto& one : cases) {
        CAPTURE(one.text);
        CHECK(without_literals(one.text) == one.expected);
    }
    CHECK_FALSE(has_literals(sql_tokens("ALTER TABLE t ADD c varchar(20)")));
    CHECK(has_literals(sql_tokens("ALTER TABLE t ADD c int DEFAULT f(20)")));
    CHECK(has_literals(sql_tokens("ALTER TABLE t ADD c text DEFAULT Current_User")));
}

TEST_CASE("a text is one statement of its tag, or something else") {
    CHECK(is_statement(sql_tokens("alter table t add x int"), "ALTER TABLE"));
    CHECK(is_statement(sql_tokens("/* a */ ALTER TABLE t ADD x int; -- b\n;"), "ALTER TABLE"));
    CHECK(is_statement(sql_tokens("CREATE UNIQUE INDEX CONCURRENTLY i ON t (x)"), "CREATE INDEX"));
    CHECK(is_statement(sql_tokens("CREATE INDEX ON t (x) WHERE x <> ';'"), "CREATE INDEX"));
    CHECK(is_statement(sql_tokens("CREATE UNLOGGED TABLE t (x int)"), "CREATE TABLE"));
    CHECK_FALSE(is_statement(sql_tokens("ALTER TABLE t ADD x int; INSERT INTO t VALUES (1)"), "ALTER TABLE"));
    CHECK_FALSE(is_statement(sql_tokens("INSERT INTO t VALUES (1); ALTER TABLE t ADD x int"), "ALTER TABLE"));
    CHECK_FALSE(is_statement(sql_tokens("DO $$ BEGIN ALTER TABLE t ADD x int; END $$"), "ALTER TABLE"));
    CHECK_FALSE(is_statement(sql_tokens("SELECT migrate()"), "ALTER TABLE"));
    CHECK_FALSE(is_statement(sql_tokens("CREATE SCHEMA s CREATE TABLE t (x int)"), "ALTER TABLE"));
    CHECK_FALSE(is_statement(sql_tokens(""), "ALTER TABLE"));
}

TEST_CASE("without rules a command passes as it is") {
    const auto none = load("");
    const DdlMessage message = ddl("ALTER TABLE", "ALTER TABLE users ADD x text DEFAULT 'a' -- b");
    CHECK(ruled(*none, message) == message);
}

TEST_CASE("what a target cannot run as it is says why") {
    const auto none = load("");
    CHECK(obstacle(*none, ddl("ALTER TABLE", "ALTER TABLE users ADD x int; SELECT 1")).find("other statements") !=
          std::string::npos);
    CHECK(obstacle(*none, ddl("ALTER TABLE", "SELECT migrate()")).find("within a function") != std::string::npos);
    CHECK(obstacle(*none, ddl("ALTER TABLE", "")) == "its text is not known");
    CHECK(obstacle(*none, ddl("DROP SCHEMA", "DROP SCHEMA s")) == "DROP SCHEMA is not applied");
}

TEST_CASE("a table with rules shows no literal, and none is run") {
    const auto masks = load(mask_email);
    const auto result = ruled(*masks, ddl("ALTER TABLE", "ALTER TABLE users ADD x text DEFAULT 'canary'"));
    REQUIRE(result);
    CHECK(result->command == "ALTER TABLE users ADD x text DEFAULT ?");
    CHECK(result->obstacle == "the table has rules, and the command holds literals");
    CHECK(obstacle(*masks, ddl("ALTER TABLE", "ALTER TABLE users ADD x varchar(20)")).empty());
    const auto other = ruled(*masks, ddl("ALTER TABLE", "ALTER TABLE orders ADD x text DEFAULT 'a'", "orders"));
    REQUIRE(other);
    CHECK(other->command == "ALTER TABLE orders ADD x text DEFAULT 'a'");
    CHECK(other->obstacle.empty());
    // The rest of the text may be about any table.
    const auto joined = ruled(
        *masks, ddl("ALTER TABLE", "ALTER TABLE orders ADD x int; UPDATE \"users\" SET email = 'canary'", "orders"));
    REQUIRE(joined);
    CHECK(joined->command.find("canary") == std::string::npos);
    const auto strict = load("mode: strict\ntables: {users: [{type: keep, columns: [id, email]}]}");
    CHECK(ruled(*strict, ddl("COMMENT", "COMMENT ON TABLE orders IS 'canary'", "orders"))->command ==
          "COMMENT ON TABLE orders IS ?");
}

TEST_CASE("a command on a routed table or one with excluded columns is shown and not run") {
    const auto routes = load("", "users: {destination_table: crm.customers}");
    const auto result = ruled(*routes, ddl("ALTER TABLE", "ALTER TABLE users ADD x int"));
    REQUIRE(result);
    CHECK(result->objects[0].schema == "crm");
    CHECK(result->objects[0].table == "customers");
    CHECK(result->obstacle.find("routed") != std::string::npos);
    const auto same = load("", "users: {destination_table: users, operations: [INSERT]}");
    CHECK(obstacle(*same, ddl("ALTER TABLE", "ALTER TABLE users ADD x int")).empty());
    const auto gone = load("", "users: {replicate: false}");
    CHECK_FALSE(ruled(*gone, ddl("ALTER TABLE", "ALTER TABLE users ADD x int")));
    const auto excludes = load("tables: {users: [{type: exclude_column, column: ssn}]}");
    CHECK(obstacle(*excludes, ddl("ALTER TABLE", "ALTER TABLE users DROP ssn")).find("excluded") != std::string::npos);
    const auto computes = load("", "users: {set: {n: id}}");
    CHECK(obstacle(*computes, ddl("ALTER TABLE", "ALTER TABLE users ADD x int")) ==
          "columns of the table are computed");
}

TEST_CASE("text that backslashes may have cut otherwise does not show where there are rules") {
    const auto masks = load(mask_email);
    const DdlMessage twofold =
        ddl("COMMENT", R"(COMMENT ON TABLE t IS 'it\'canary --'; COMMENT ON TABLE t IS 'x')", "t");
    CHECK(ruled(*masks, twofold)->command.empty());
    CHECK(obstacle(*masks, twofold) == "its text is not known");
    CHECK(ruled(*load(""), twofold)->command == twofold.command);
    for (const char* plain : {R"(COMMENT ON TABLE t IS E'a\'b')", R"(COMMENT ON TABLE t IS U&'\0041')",
                              R"(COMMENT ON TABLE t IS $$\$$)", R"(COMMENT ON TABLE t IS 'b' -- \)"})
        CHECK_FALSE(ruled(*masks, ddl("COMMENT", plain, "t"))->command.empty());
    for (const char* doubtful : {R"(COMMENT ON TABLE t IS N'a\')",
                                 R"(COMMENT ON TABLE t IS 'a')"
                                 "\n'\\'",
                                 R"(COMMENT ON TABLE t IS '\)"})
        CHECK(ruled(*masks, ddl("COMMENT", doubtful, "t"))->command.empty());
}

TEST_CASE("a partition has the rules of the table above it") {
    const auto masks = load(mask_email);
    DdlMessage comment = ddl("COMMENT", "COMMENT ON TABLE part IS 'canary'", "part");
    CHECK(ruled(*masks, comment)->command == comment.command);
    comment.objects[0].ancestors = Tables{{"public", "mid"}, {"public", "users"}};
    CHECK(decode_ddl(encode(comment)) == comment);
    CHECK(ruled(*masks, comment)->command == "COMMENT ON TABLE part IS ?");
    // A stream of older replicators does not tell, and a table that was not met yet may be anything.
    comment.objects[0].ancestors.reset();
    CHECK(ruled(*masks, comment)->command == "COMMENT ON TABLE part IS ?");
    CHECK(ruled(*load("", "users: {destination_table: people}"), comment)->command == comment.command);
    const std::vector<RelationPtr> alone{relation("part", {column("email", text_type)})};
    const auto others = load(mask_email);
    others->know(alone);
    CHECK(ruled(*others, comment)->command == comment.command);
    const std::vector<RelationPtr> parts{std::make_shared<const Relation>(Relation{
        5, "public", "part", ReplicaIdentity::default_key, {column("email", text_type)}, {{"public", "users"}}})};
    masks->know(parts);
    CHECK(ruled(*masks, comment)->command == "COMMENT ON TABLE part IS ?");
}

TEST_CASE("a command on a table that others are routed into is not run") {
    const auto routes = load("", "users_eu: {destination_table: users}");
    CHECK(obstacle(*routes, ddl("DROP TABLE", "DROP TABLE users")) == "rows of users_eu are in the table, too");
    CHECK(obstacle(*routes, ddl("ALTER TABLE", "ALTER TABLE users DROP email")).find("rows of users_eu") !=
          std::string::npos);
    CHECK(obstacle(*routes, ddl("CREATE INDEX", "CREATE INDEX ON users (email)")).empty());
    CHECK(obstacle(*routes, ddl("DROP TABLE", "DROP TABLE orders", "orders")).empty());
    CHECK(obstacle(*load("", "users_eu: {destination_table: users, replicate: false}"),
                   ddl("DROP TABLE", "DROP TABLE users"))
              .empty());
    CHECK(obstacle(*routes, ddl("ALTER TABLE", "ALTER TABLE users RENAME TO people", "people")).find("users_eu") !=
          std::string::npos);
}

TEST_CASE("in strict mode a command adds no column without a rule, and computes no value") {
    const auto strict = load("mode: strict\ntables: {users: [{type: keep, columns: [id, email, \"full name\"]}]}");
    const auto of = [&](const std::string& command) { return obstacle(*strict, ddl("ALTER TABLE", command)); };
    CHECK(of("ALTER TABLE users ADD hiv boolean DEFAULT true") ==
          "the table has rules, and the command holds literals");
    CHECK(of("ALTER TABLE users ADD email text DEFAULT f(id)").find("computes values (default)") != std::string::npos);
    CHECK(of("ALTER TABLE users ALTER email TYPE text USING upper(email)").find("(using)") != std::string::npos);
    CHECK(of("ALTER TABLE users ADD email text GENERATED ALWAYS AS (id) STORED").find("(generated)") !=
          std::string::npos);
    CHECK(of("ALTER TABLE users ADD hiv boolean").find("no rule names the column 'hiv'") != std::string::npos);
    CHECK(of("ALTER TABLE users ADD COLUMN IF NOT EXISTS Hiv boolean").find("'hiv'") != std::string::npos);
    CHECK(of("ALTER TABLE users ADD COLUMN \"full name\" text, ADD email text").empty());
    CHECK(of("ALTER TABLE users ADD CONSTRAINT c UNIQUE (email), ADD PRIMARY KEY (id)").empty());
    CHECK(of("ALTER TABLE users DROP email").empty());
    const auto open = load(mask_email);
    CHECK(obstacle(*open, ddl("ALTER TABLE", "ALTER TABLE users ADD hiv boolean")).empty());
}

TEST_CASE("a table with rules does not lose them by a new name") {
    const DdlMessage renamed = ddl("ALTER TABLE", "ALTER TABLE users RENAME TO people", "people");
    const auto masks = load(mask_email);
    const std::string error = error_of([&] { (void)ruled(*masks, renamed); });
    CHECK(error.find("may rename table 'users'") != std::string::npos);
    CHECK(error.find("public.people") != std::string::npos);
    CHECK(error_of([&] { (void)ruled(*load("", "users: {destination_table: x}"), renamed); }).find("may rename") !=
          std::string::npos);
    const auto both =
        load("tables: {users: &u [{type: transform, column: email, parameters: {type: mask}}], people: *u}");
    CHECK(ruled(*both, renamed));
    CHECK(ruled(*masks, ddl("ALTER TABLE", "ALTER TABLE users RENAME COLUMN age TO years")));
    CHECK(ruled(*masks, ddl("ALTER TABLE", "ALTER TABLE orders RENAME COLUMN age TO users", "orders")));
    CHECK(ruled(*masks, ddl("ALTER TABLE", "ALTER TABLE orders RENAME age TO users", "orders")));
    CHECK(error_of([&] {
              (void)ruled(*masks, ddl("ALTER TABLE", "ALTER TABLE IF EXISTS users SET SCHEMA old", "archive"));
          }).find("may rename") != std::string::npos);
    CHECK(ruled(*masks, ddl("ALTER TABLE", "ALTER TABLE orders RENAME TO old_orders", "old_orders")));

    // Without captured DDL the new name shows with the next row.
    const RelationPtr users = relation("users", {column("id", integer_type, true), column("email", text_type)});
    CHECK(masks->accept(users, {Lsn{1}, 1}) != nullptr);
    Relation renamed_users = *users;
    renamed_users.table = "people";
    const auto people = std::make_shared<const Relation>(renamed_users);
    CHECK(error_of([&] {
              (void)masks->accept(people, {Lsn{2}, 1});
          }).find("its name was 'public.users' before") != std::string::npos);
}
