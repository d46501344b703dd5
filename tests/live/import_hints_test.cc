// What refuses an import says what to do, and that works.
#include "tests/live/import_fixture.h"

#include <cstdlib>

#include "tests/support/hint.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

constexpr const char* small_table =
    "CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'a'), (2, 'b')";

// Into the target's table, which is emptied.
struct Small : ImportPair {
    Small() : ImportPair(small_table) {}
    std::vector<std::string> line(const std::vector<std::string>& dumps) {
        std::vector<std::string> flags{"--target-url", server().url(target), "--target-existing-rows", "truncate"};
        for (const std::string& dump : dumps) flags.insert(flags.end(), {"--dump", dump});
        return argv("postgres", flags);
    }
    void must_import(const std::vector<std::string>& dumps) {
        server().sql(target, "TRUNCATE users");
        must_succeed(run(line(dumps)));
        check_equal();
    }
};

std::string in_crlf(const std::string& text) {
    std::string out;
    for (const char c : text) out += c == '\n' ? std::string("\r\n") : std::string(1, c);
    return out;
}

// A directory with a program of this name, which runs this script of sh.
std::string program(const std::string& name, const std::string& script) {
    const std::string directory = temporary_directory("programs");
    const std::string path = directory + "/" + name;
    std::ofstream(path) << "#!/bin/sh\n" << script;
    REQUIRE(run({"chmod", "+x", path}).code == 0);
    return directory + ":" + std::getenv("PATH");
}

}  // namespace

TEST_CASE("a dump that was changed, cut off, or made in another encoding") {
    Small pair;
    const std::string dump = pair.dump("dump.sql");
    const std::string text = pair.read("dump.sql");
    refusal(pair.line({pair.write("crlf.sql", in_crlf(text))}), "with lines that end in LF.");
    refusal(pair.line({pair.write(
                "row.sql", "SET client_encoding = 'UTF8';\nCOPY public.users (id, name) FROM stdin;\n1\ta\r\n\\.\n")}),
            "with lines that end in LF.");
    refusal(pair.line({pair.write("more.sql", text + "DELETE FROM public.users;\n")}),
            "Make the dump again with pg_dump, and do not edit it.");
    pair.must_import({dump});
    const std::string latin = pair.dump("latin.sql", {"--encoding=LATIN1"});
    const std::string hint = refusal(pair.line({latin}), "Make the dump with pg_dump --encoding=UTF8.");
    pair.must_import({pair.dump("utf8.sql", {said(hint, "--encoding", ".")})});
}

TEST_CASE("dumps of several databases in one file") {
    Small pair;
    const std::string dump = pair.dump("dump.sql", {"--create"});
    refusal(pair.line({pair.write("all.sql", pair.read("dump.sql") + "\\connect other\n")}),
            "Dump the databases one by one with pg_dump, and import each dump.");
    pair.must_import({dump});
}

TEST_CASE("a dump without what is needed of the schema, or without rows") {
    Small pair;
    const std::string data = pair.dump("data.sql", {"--data-only", "--inserts"});
    const std::string schema = pair.dump("schema.sql", {"--schema-only"});
    const std::string hint = refusal(pair.line({data}), "--dump schema.sql --dump data.sql.");
    CHECK(hint == "Give a dump with the schema, or one of it before this one: --dump schema.sql --dump data.sql.");
    pair.must_import({schema, data});
    const std::string rows = pair.dump("rows.sql", {"--data-only"});
    refusal(pair.argv("stdout", {"--dump", rows}), "--dump schema.sql --dump data.sql.");
    must_succeed(run(pair.argv("stdout", {"--dump", schema, "--dump", rows})));
    refusal(pair.line({schema}), "Make it without --schema-only, or name its other parts, too.");
    pair.must_import({schema, rows});
}

TEST_CASE("rows of partitions under the name of their table, in a dump that does not say which is which") {
    ImportPair pair(
        "CREATE TABLE e (id int) PARTITION BY LIST (id); CREATE TABLE e1 PARTITION OF e DEFAULT; INSERT INTO e VALUES "
        "(1)");
    const std::string rows = pair.dump("rows.sql", {"--data-only", "--load-via-partition-root"});
    const std::vector<std::string> target{"--target-url", pair.server().url(pair.target), "--dump"};
    auto argv = pair.argv("postgres", target);
    argv.push_back(rows);
    refusal(argv, "Make the dump with its schema, or without --load-via-partition-root.");
    must_succeed(pair.import({"--dump", pair.dump("rows.sql", {"--data-only"})}));
    pair.check_equal();
    must_succeed(pair.import({"--dump", pair.dump("both.sql", {"--load-via-partition-root"})}));
    pair.check_equal();
}

TEST_CASE("what unpacks a dump is not there") {
    Small pair;
    const std::string empty = temporary_directory("no_programs");
    const auto without = [&](const std::string& dump) {
        auto argv = pair.line({dump});
        argv.at(1) = "PATH=" + empty;
        return argv;
    };
    const std::string plain = pair.dump("dump.sql");
    refusal(without(pair.dump("custom", {"--format=custom"})), "so that pg_restore is in PATH.");
    pair.must_import({pair.file("custom")});
    for (const auto& [name, hint] :
         std::vector<std::pair<std::string, std::string>>{{"gzip", "Install gzip, or decompress the dump."},
                                                          {"zstd", "Install zstd, or decompress the dump."},
                                                          {"lz4", "Install lz4, or decompress the dump."}}) {
        const std::string magic = name == "gzip"   ? "\x1f\x8b"
                                  : name == "zstd" ? "\x28\xb5\x2f\xfd"
                                                   : "\x04\x22\x4d\x18";
        refusal(without(pair.write("packed", magic + "...")), hint);
        pair.must_import({plain});
    }
}

TEST_CASE("a dump that is no file, changes while it is read, or whose import is interrupted") {
    Small pair;
    const std::string dump = pair.dump("dump.sql");
    refusal(pair.line({"/dev/null"}), "Write the dump to a file first.");
    pair.must_import({dump});

    const std::string packed = pair.write("packed.gz", "\x1f\x8b...");
    // The first time the dump, then something else.
    const std::string twice = "if [ -e " + pair.file("once") + " ]; then ";
    const std::string first = "touch " + pair.file("once") + "; cat " + dump + "; fi\n";
    auto changed = pair.line({packed});
    changed.at(1) = "PATH=" + program("gzip", twice + "grep -v '^1' " + dump + "; else " + first);
    refusal(changed, "Start the import again, once nothing writes to the dump.");
    pair.must_import({dump});

    REQUIRE(run({"rm", pair.file("once")}).code == 0);
    auto slow = pair.line({packed});
    slow.at(1) = "PATH=" + program("gzip", twice + "touch " + pair.file("twice") + "; exec sleep 1000; else " + first);
    Process process({slow});
    eventually("the dump is read the second time", [&] { return run({"test", "-e", pair.file("twice")}).code == 0; });
    process.signal(SIGTERM);
    CHECK(process.wait() == 1);
    CHECK(contains(process.err(), "HINT: Start it again."));
    pair.must_import({dump});
}

TEST_CASE("a row that the target refuses") {
    Small pair;
    const std::string dump = pair.dump("dump.sql");
    pair.server().sql(pair.target, "ALTER TABLE users ADD CHECK (id < 2)");
    refusal(pair.line({dump}), "or leave such rows out with a filter, and start the import again.");
    const std::string rules = pair.write(
        "rules.yaml", "tables:\n  users:\n    - {type: filter, column: id, parameters: {operator: lt, value: 2}}\n");
    auto filtered = pair.line({dump});
    filtered.insert(filtered.end(), {"--rules-config", rules});
    must_succeed(run(filtered));
    CHECK(pair.contents(pair.target).size() == 1);
    pair.server().sql(pair.target, "ALTER TABLE users DROP CONSTRAINT users_id_check");
    pair.must_import({dump});
}
