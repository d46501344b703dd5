// `worker stdout | jq .`: data on stdout, messages on stderr. And the file sink's lines.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

std::string files(const std::string& directory) {
    std::string all;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        const auto extension = entry.path().extension();
        if (extension != ".jsonl" && extension != ".part") continue;  // finished, and being written
        std::ifstream file(entry.path());
        all.append(std::istreambuf_iterator<char>(file), {});
    }
    return all;
}

struct Words : Pipeline {
    Words() {
        on_both("CREATE TABLE words (id int PRIMARY KEY, word text, n numeric, j jsonb, a int[])");
        on_source(
            R"(INSERT INTO words VALUES (1, E'a"b\\c\nü\u0001', 1.50, '{"k": [1, null]}', '{1,NULL}'), (2, NULL, NULL, NULL, NULL))");
    }
};

}  // namespace

TEST_CASE("every line of worker stdout is JSON that jq takes") {
    Words words;
    words.start_replicator();
    Process lines({.argv = words.worker_argv("stdout", {})});
    CHECK(eventually("the copied lines", [&] { return count(lines.out(), "INSERT") == 2; }));
    words.on_source("UPDATE words SET word = 'x' WHERE id = 1; DELETE FROM words WHERE id = 2; TRUNCATE words");
    CHECK(eventually("the last line", [&] { return count(lines.out(), "TRUNCATE") == 1; }));
    lines.signal(SIGTERM);
    CHECK(lines.wait(std::chrono::seconds(20)) == 0);

    const auto jq =
        run({"sh", "-c", "printf '%s' \"$LINES_OUT\" | jq -c '[.Type, .Table, .NewTuple.id // .OldTuple.id]'"},
            {{"LINES_OUT", lines.out()}});
    CHECK(jq.err.empty());
    CHECK(jq.out ==
          "[\"INSERT\",\"words\",1]\n[\"INSERT\",\"words\",2]\n[\"UPDATE\",\"words\",1]\n[\"DELETE\",\"words\",2]\n"
          "[\"TRUNCATE\",\"words\",null]\n");
    CHECK(count(lines.out(), "\n") == 5);
    words.stop();
}

TEST_CASE("workers of different sinks each get every change") {
    Words words;
    const auto directory = temporary_directory("lines");
    words.start();
    Process lines({.argv = words.worker_argv("stdout", {})});
    Process file({.argv = words.worker_argv("file", {"--file-output-dir", directory})});
    for (int i = 10; i < 60; ++i) words.on_source("INSERT INTO words VALUES (" + std::to_string(i) + ", 'w')");
    words.check_equal({"words"});
    CHECK(eventually("all lines on stdout", [&] { return count(lines.out(), "\"INSERT\"") >= 53; }));
    CHECK(eventually("all lines in files", [&] { return count(files(directory), "\"INSERT\"") >= 53; }));
    file.signal(SIGTERM);
    CHECK(file.wait(std::chrono::seconds(20)) == 0);
    words.on_source("UPDATE words SET word = 'again' WHERE id = 10");
    Process resumed({.argv = words.worker_argv("file", {"--file-output-dir", directory})});
    CHECK(eventually("the update's line", [&] { return count(files(directory), "\"again\"") == 1; }));
    resumed.signal(SIGTERM);
    CHECK(resumed.wait(std::chrono::seconds(20)) == 0);
    // 52 rows and one mark of settle().
    CHECK(count(files(directory), "\"INSERT\"") == 53);
    words.stop();
}
