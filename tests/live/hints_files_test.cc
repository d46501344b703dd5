// The hints about the files that workers keep: each is followed to the letter, and the worker then works.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/hint.h"
#include "tests/support/text.h"

using namespace pgsluice::test;
namespace fs = std::filesystem;

namespace {

struct Group : Pipeline {
    Group() {
        on_source("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
        start_replicator();
    }
    ~Group() { stop_replicator(); }

    [[nodiscard]] std::vector<std::string> files(const std::string& where) const {
        return worker_argv("file", {"--file-output-dir", where, "--exit-after-snapshot"});
    }
    [[nodiscard]] std::vector<std::string> lines(const std::string& checkpoint) const {
        return worker_argv("stdout", {"--checkpoint-file", checkpoint, "--exit-after-snapshot"});
    }

    std::string directory = temporary_directory("hints-files");
    std::string state = directory + "/state";
    std::string out = directory + "/out";
};

void check_prints_all(const std::vector<std::string>& argv) {
    const Finished done = run(argv);
    INFO(done.err);
    CHECK(done.code == 0);
    CHECK(contains(done.out, R"("Table":"t")"));
}

void check_writes_all(const Group& group, const std::string& directory) {
    const Finished done = run(group.files(directory));
    INFO(done.err);
    CHECK(done.code == 0);
    CHECK(contains(all_files(directory), R"("Table":"t")"));
}

void overwrite(const std::string& path) {
    const auto size = fs::file_size(path);
    std::ofstream(path) << std::string(size, 'x');
}

}  // namespace

TEST_CASE("a checkpoint file that is none, or another group's") {
    Group group;
    check_prints_all(group.lines(group.state));
    fs::copy_file(group.state, group.state + ".saved");
    overwrite(group.state);
    refusal(group.lines(group.state), "Restore it, or remove it to have everything in the stream printed again.");
    SUBCASE("restored") {
        fs::copy_file(group.state + ".saved", group.state, fs::copy_options::overwrite_existing);
        CHECK(run(group.lines(group.state)).code == 0);
    }
    SUBCASE("removed") {
        fs::remove(group.state);
        check_prints_all(group.lines(group.state));
    }
    const Group other;
    refusal(other.lines(group.state), "Name another --checkpoint-file.");
    check_prints_all(other.lines(other.state));
}

TEST_CASE("a directory of files that was changed, or is another group's or worker's") {
    Group group;
    check_writes_all(group, group.out);
    SUBCASE("another group's") {
        const Group other;
        refusal(other.files(group.out), "Give each group a --file-output-dir of its own.");
        check_writes_all(other, other.out);
    }
    SUBCASE("another worker's") {
        Process first({.argv = group.worker_argv("file", {"--file-output-dir", group.out})});
        CHECK(says(first, "reads stream"));
        auto second = group.files(group.out);
        second.insert(second.end(), {"--worker-name", "second"});
        refusal(second, "Stop the other worker, or give this one a path of its own.");
        auto elsewhere = group.files(group.out + "-second");
        elsewhere.insert(elsewhere.end(), {"--worker-name", "second"});
        CHECK(run(elsewhere).code == 0);
        first.signal(SIGTERM);
        CHECK(first.wait() == 0);
        CHECK(run(group.files(group.out)).code == 0);
    }
    SUBCASE("its state") {
        const std::string state = group.out + "/pgsluice.state";
        fs::copy_file(state, group.state);
        overwrite(state);
        refusal(group.files(group.out), "Restore it from a backup, or give the worker an empty directory.");
        SUBCASE("restored") {
            fs::copy_file(group.state, state, fs::copy_options::overwrite_existing);
            CHECK(run(group.files(group.out)).code == 0);
        }
        SUBCASE("an empty directory") { check_writes_all(group, group.out + "-empty"); }
    }
}

TEST_CASE("a file that became shorter than its checkpoint says") {
    Group group;
    {
        Process killed({.argv = group.worker_argv("file", {"--file-output-dir", group.out})});
        CHECK(says(killed, "snapshot complete"));
        const std::string state = group.out + "/pgsluice.state";
        const std::string before = run({"cat", state}).out;
        group.on_source("INSERT INTO t VALUES (2)");
        CHECK(eventually("the checkpoint is written", [&] { return run({"cat", state}).out != before; }));
    }
    fs::path open;
    for (const auto& entry : fs::directory_iterator(group.out))
        if (entry.path().extension() == ".part") open = entry.path();
    REQUIRE_FALSE(open.empty());
    fs::copy_file(open, group.state);
    fs::resize_file(open, 0);
    refusal(group.files(group.out), "It was changed from outside. Restore it, or give the worker an empty directory.");
    SUBCASE("restored") {
        fs::copy_file(group.state, open, fs::copy_options::overwrite_existing);
        CHECK(run(group.files(group.out)).code == 0);
    }
    SUBCASE("an empty directory") { check_writes_all(group, group.out + "-empty"); }
}

TEST_CASE("no room for the files") {
    Group group;
    group.on_source("INSERT INTO t SELECT generate_series(2, 20000)");
    std::string words = "ulimit -S -f 200; trap '' XFSZ; exec";
    for (const auto& word : group.files(group.out)) words += " '" + word + "'";
    Process worker({.argv = {"/bin/sh", "-c", words + " --retry-max-wait 100ms --retry-initial-wait 50ms"}});
    CHECK(says(worker, "File too large"));
    CHECK(run({"prlimit", "--pid", std::to_string(worker.pid()), "--fsize=unlimited:unlimited"}).code == 0);
    CHECK(worker.wait() == 0);
    CHECK(count(all_files(group.out), R"("Type":"INSERT")") == 20000);
}
