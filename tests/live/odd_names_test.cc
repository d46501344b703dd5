// Whatever names, labels and comments of the source hold, they are names, labels and comments on the target.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <regex>

#include "tests/live/compare_fixture.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

constexpr const char* odd = "\"'\\.%s{}$1$$ ;--*>,()\n\x1b[2J/../ü\u0085";

// @a@ is an identifier, #a# a literal: of that name and what is odd.
std::string with_odd(const std::string& text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char mark = text[at];
        if (mark != '@' && mark != '#') {
            out += mark;
            continue;
        }
        const std::size_t end = text.find(mark, at + 1);
        const char quote = mark == '@' ? '"' : '\'';
        out += quote;
        for (const char c : text.substr(at + 1, end - at - 1) + odd)
            out += c == quote ? std::string(2, c) : std::string(1, c);
        out += quote;
        at = end;
    }
    return out;
}

std::string id(const std::string& name) { return with_odd("@" + name + "@"); }

constexpr const char* made = R"(
CREATE SCHEMA @s@; COMMENT ON SCHEMA @s@ IS #c#;
CREATE TYPE @s@.@mood@ AS ENUM (#ok#, #bad#); COMMENT ON TYPE @s@.@mood@ IS #c#;
CREATE DOMAIN @s@.@positive@ AS numeric(10, 2) DEFAULT 1 NOT NULL CONSTRAINT @above@ CHECK (VALUE > 0);
CREATE TYPE @s@.@pair@ AS (@a@ @s@.@mood@, @b@ @s@.@positive@);
CREATE FUNCTION @s@.@twice@(@arg@ int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 2';
CREATE FUNCTION @s@.@stamp@() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE SEQUENCE @s@.@count@ AS int START 7 INCREMENT 3 CYCLE;
CREATE TABLE @s@.@t@ (@id@ int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, @m@ @s@.@mood@ DEFAULT #ok#, @p@ @s@.@pair@,
    @d@ @s@.@positive@, @n@ serial, @x@ text COLLATE "C" DEFAULT #x#, @ms@ @s@.@mood@[],
    @g@ int GENERATED ALWAYS AS (@s@.@twice@(7)) STORED, CONSTRAINT @few@ CHECK (@n@ < 1000000));
ALTER TABLE @s@.@t@ ADD CONSTRAINT @one@ UNIQUE (@x@, @n@);
COMMENT ON TABLE @s@.@t@ IS #c#; COMMENT ON COLUMN @s@.@t@.@x@ IS #c#; COMMENT ON CONSTRAINT @one@ ON @s@.@t@ IS #c#;
CREATE INDEX @low@ ON @s@.@t@ (lower(@x@) DESC, @s@.@twice@(@n@)) INCLUDE (@m@) WHERE @n@ > 3;
COMMENT ON INDEX @s@.@low@ IS #c#;
CREATE STATISTICS @s@.@stats@ (dependencies) ON @n@, @x@ FROM @s@.@t@;
CREATE TRIGGER @stamp@ AFTER UPDATE OF @x@ ON @s@.@t@ FOR EACH ROW EXECUTE FUNCTION @s@.@stamp@(#c#);
CREATE TABLE @s@.@full@ (@v@ text, @d@ @s@.@positive@); ALTER TABLE @s@.@full@ REPLICA IDENTITY FULL;
CREATE TABLE @s@.@part@ (@id@ int, @at@ text, @a@ int REFERENCES @s@.@t@ ON DELETE CASCADE, PRIMARY KEY (@id@, @at@))
    PARTITION BY LIST (@at@);
CREATE TABLE @s@.@part1@ PARTITION OF @s@.@part@ FOR VALUES IN (#one#);
CREATE TABLE @s@.@part2@ PARTITION OF @s@.@part@ DEFAULT;
)";

constexpr const char* filled = R"(
INSERT INTO @s@.@t@ (@x@, @ms@, @p@) SELECT #r# || i, ARRAY[#ok#, #bad#]::@s@.@mood@[], ROW(#bad#, i)::@s@.@pair@
    FROM generate_series(1, 50) i;
INSERT INTO @s@.@full@ SELECT #r# || i FROM generate_series(1, 10) i;
INSERT INTO @s@.@part@ VALUES (1, #one#, 1), (2, #two#, 2);
)";

constexpr const char* changed = R"(
UPDATE @s@.@t@ SET @x@ = @x@ || #u#, @m@ = #bad# WHERE @id@ % 2 = 0; DELETE FROM @s@.@t@ WHERE @id@ = 3;
UPDATE @s@.@full@ SET @v@ = @v@ || #u# WHERE @v@ LIKE '%7'; DELETE FROM @s@.@full@ WHERE @v@ LIKE '%5';
UPDATE @s@.@part@ SET @at@ = #three# WHERE @id@ = 1; UPDATE @s@.@t@ SET @id@ = DEFAULT WHERE @id@ = 7;
)";

const std::vector<std::string> altered{
    "ALTER TYPE @s@.@mood@ ADD VALUE #more# BEFORE #bad#",
    "ALTER TABLE @s@.@t@ ADD COLUMN @added@ text DEFAULT #d#, ADD CONSTRAINT @later@ CHECK (@added@ <> #no#)",
    "ALTER TABLE @s@.@t@ RENAME COLUMN @x@ TO @y@",
    "COMMENT ON COLUMN @s@.@t@.@y@ IS #c2#",
    "ALTER TABLE @s@.@full@ RENAME TO @fuller@",
    "CREATE TABLE @s@.@new@ (@id@ int PRIMARY KEY, @m@ @s@.@mood@ DEFAULT #ok#)",
    "CREATE TABLE @s@.@part3@ PARTITION OF @s@.@part@ FOR VALUES IN (#four#)",
    "ALTER TABLE @s@.@part@ RENAME TO @parts@",
    "ALTER INDEX @s@.@low@ RENAME TO @lower@",
    "ALTER TABLE @s@.@t@ RENAME CONSTRAINT @few@ TO @fewer@",
    "DROP INDEX @s@.@lower@",
};

constexpr const char* more = R"(
INSERT INTO @s@.@new@ VALUES (1, #bad#); INSERT INTO @s@.@parts@ VALUES (9, #four#, 4);
INSERT INTO @s@.@t@ (@y@) VALUES (#z#); TRUNCATE @s@.@fuller@; INSERT INTO @s@.@fuller@ VALUES (#z#);
)";

std::vector<std::string> quoted(const std::vector<std::string>& names) {
    std::vector<std::string> all;
    for (const std::string& name : names) all.push_back(id("s") + "." + id(name));
    return all;
}

std::string long_name(const std::string& last) {
    std::string name;
    for (int i = 0; i < 31; ++i) name += "\u00fc";
    return '"' + name + last + '"';
}

const std::string long_table = id("s") + "." + long_name("x");

void check_shown(const Finished& finished) {
    CHECK_MESSAGE(finished.code <= 1, finished.out << finished.err);
    for (const std::string& text : {finished.out, finished.err})
        for (const char* control : {"\x1b", "\u0085", "\n/../"}) CHECK_FALSE_MESSAGE(contains(text, control), text);
}

void check_cutover(Pipeline& pipeline) {
    const Finished moved =
        run(pipeline.command_argv("operator", {"cutover", "--yes", "--source-url", pipeline.source_url(),
                                               "--target-url", pipeline.target_url()}));
    CHECK(moved.code == 0);
    check_shown(moved);
    CHECK_THROWS(pipeline.on_source(with_odd("DELETE FROM @s@.@t@")));
    pipeline.on_target(with_odd("INSERT INTO @s@.@t@ (@y@) VALUES (#after#)"));
}

}  // namespace

TEST_CASE("odd names are copied, followed, changed, compared, repaired and cut over, and move no cursor") {
    Pipeline pipeline;
    pipeline.on_source(with_odd(made));
    pipeline.on_source(with_odd(filled));
    pipeline.on_source(
        fmt::format("CREATE TABLE {} ({} serial PRIMARY KEY, {} int UNIQUE); INSERT INTO {} DEFAULT VALUES", long_table,
                    long_name("a"), long_name("b"), long_table));
    std::vector<std::string> worker_flags{"--target-sync-schema", "--source-url", pipeline.source_url()};
    std::vector<std::string> flags{"--copy-and-stream", "--all-schemas", "--track-ddl"};
    bool cuts_over = false;
    SUBCASE("definitions") { cuts_over = true; }
    SUBCASE("text") { flags.insert(flags.end(), {"--ddl-capture", "text"}); }
    SUBCASE("direct") {
        for (auto* list : {&flags, &worker_flags}) list->insert(list->end(), {"--snapshot", "direct"});
    }
    pipeline.start_replicator(flags);
    pipeline.start_worker(worker_flags);
    auto tables = quoted({"t", "full", "part"});
    tables.push_back(long_table);
    pipeline.check_equal(tables);
    pipeline.on_source(with_odd(changed));
    pipeline.check_equal(tables);
    for (const std::string& statement : altered) pipeline.on_source(with_odd(statement));
    pipeline.on_source(fmt::format("ALTER TABLE {} ADD COLUMN {} text DEFAULT 'x'", long_table, long_name("c")));
    CHECK(eventually("the new table is there", [&] {
        return pipeline.target_scalar("SELECT to_regclass('" +
                                      std::regex_replace(id("s") + "." + id("new"), std::regex("'"), "''") + "')") !=
               "";
    }));
    pipeline.settle();
    pipeline.on_source(with_odd(more));
    CHECK(eventually("its row is there",
                     [&] { return pipeline.target_scalar("SELECT count(*) FROM " + quoted({"new"})[0]) == "1"; }));
    tables = quoted({"t", "fuller", "parts", "new"});
    tables.push_back(long_table);
    pipeline.check_equal(tables);

    pipeline.on_target(with_odd(
        "SET session_replication_role = replica; DELETE FROM @s@.@t@ WHERE @id@ < 9; UPDATE @s@.@t@ SET @m@ = #bad#"));
    const Finished differs = run_compare(pipeline);
    CHECK(differs.code == 1);
    check_shown(differs);
    check_shown(run_compare(pipeline, {"--repair"}));
    pipeline.check_equal(tables);
    check_shown(run(pipeline.command_argv("operator", {"status", "--source-url", pipeline.source_url()})));
    check_shown(run(pipeline.command_argv("operator", {"tables"})));
    check_shown(run(pipeline.command_argv("operator", {"check", "--all-schemas", "--source-url", pipeline.source_url(),
                                                       "--target-url", pipeline.target_url()})));
    if (cuts_over) check_cutover(pipeline);
    check_shown(
        run({PGSLUICE_BINARY, "check", "rules", "--suggest", "--all-schemas", "--source-url", pipeline.source_url()}));
    for (const std::string& text : {pipeline.replicator().err(), pipeline.worker().err()})
        for (const char* control : {"\x1b", "\u0085", "\n/../"}) CHECK_FALSE_MESSAGE(contains(text, control), text);
    pipeline.stop();
}
