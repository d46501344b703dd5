// worker stdout and worker file as processes: readers that stop, that are slow, that parse; kill -9 while files rotate.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "tests/support/nats_server.h"
#include "tests/support/postgres_server.h"
#include "tests/support/process.h"

using namespace pgsluice::test;
namespace fs = std::filesystem;

namespace {

// A source with a running replicator and a group of its own.
struct Group {
    explicit Group(std::string group_name) : name(std::move(group_name)), db(shared_postgres().create_database()) {
        sql("CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int, note text)");
        replicator.emplace(
            ProcessOptions{.argv = {PGSLUICE_BINARY, "replicator", "--copy-and-stream", "--group", name, "--source-url",
                                    shared_postgres().url(db), "--nats-url", shared_nats().url()}});
    }
    ~Group() {
        replicator->signal(SIGTERM);
        replicator->wait();
    }

    void sql(const std::string& statements) const { shared_postgres().sql(db, statements); }
    void insert(int from, int to) const {
        sql("INSERT INTO t (n, note) SELECT i, 'row ' || i FROM generate_series(" + std::to_string(from) + "," +
            std::to_string(to) + ") i");
    }
    [[nodiscard]] std::string lsn() const { return shared_postgres().scalar(db, "SELECT pg_current_wal_lsn()"); }
    [[nodiscard]] std::vector<std::string> worker(const std::string& sink, std::vector<std::string> more) const {
        std::vector<std::string> argv = {PGSLUICE_BINARY, "worker",           sink, "--group", name,
                                         "--nats-url",    shared_nats().url()};
        argv.insert(argv.end(), more.begin(), more.end());
        return argv;
    }
    // The same as words of a shell command.
    [[nodiscard]] std::string worker_words(const std::string& sink, const std::string& more) const {
        std::string words;
        for (const std::string& word : worker(sink, {})) words += "'" + word + "' ";
        return words + more;
    }

    std::string name;
    std::string db;
    std::optional<Process> replicator;
};

Finished shell(const std::string& command) { return run({"bash", "-o", "pipefail", "-c", command}); }

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

// The values of column n in the lines, in their order.
std::vector<int> ns_of(const std::string& text) {
    std::vector<int> ns;
    for (const std::string& line : lines_of(text)) {
        const std::size_t at = line.find(R"("n":)");
        if (at != std::string::npos) ns.push_back(std::atoi(line.c_str() + at + 4));
    }
    return ns;
}

std::vector<int> counting(int to) {
    std::vector<int> all;
    for (int n = 1; n <= to; ++n) all.push_back(n);
    return all;
}

std::map<std::string, std::string> finished_files(const std::string& directory) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(directory)) {
        if (entry.path().extension() != ".jsonl") continue;
        std::ifstream file(entry.path());
        files[entry.path().filename()] = {std::istreambuf_iterator<char>(file), {}};
    }
    return files;
}

}  // namespace

TEST_CASE("stdout: into jq, and not a byte beside the lines") {
    const Group group("to_jq");
    group.insert(1, 1000);
    const Finished finished = shell(group.worker_words(
        "stdout", "--exit-at-lsn " + group.lsn() + " | jq -c '[.Type, .NewTuple.n, .NewTuple.note]'"));
    INFO(finished.err);
    CHECK(finished.code == 0);
    const auto lines = lines_of(finished.out);
    REQUIRE(lines.size() == 1000);
    CHECK(lines.front() == R"(["INSERT",1,"row 1"])");
    CHECK(lines.back() == R"(["INSERT",1000,"row 1000"])");
}

TEST_CASE(
    "stdout: a reader that has seen enough ends the worker with exit code 0, and the next one sees all the rest") {
    const Group group("to_head");
    group.insert(1, 50000);
    const Finished head = shell(group.worker_words("stdout", "| head -n 5"));
    INFO(head.err);
    CHECK(head.code == 0);  // pipefail: the worker's own code
    CHECK(lines_of(head.out).size() == 5);
    const Finished rest = run(group.worker("stdout", {"--exit-at-lsn", group.lsn()}));
    CHECK(rest.code == 0);
    const auto ns = ns_of(rest.out);
    REQUIRE_FALSE(ns.empty());
    // What had gone into the pipe may or may not count; nothing behind it is missing.
    const auto expected = counting(50000);
    CHECK(std::equal(ns.begin(), ns.end(), expected.end() - static_cast<std::ptrdiff_t>(ns.size()), expected.end()));
    CHECK(ns.size() > 40000);
}

TEST_CASE("stdout: --checkpoint-file says where the next worker continues, whatever the group's registry says") {
    const Group group("to_checkpoint");
    const std::string file = temporary_directory("checkpoint") + "/position";
    const auto next = [&](const std::string& name) {
        const Finished finished = run(
            group.worker("stdout", {"--worker-name", name, "--checkpoint-file", file, "--exit-at-lsn", group.lsn()}));
        INFO(finished.err);
        CHECK(finished.code == 0);
        return ns_of(finished.out);
    };
    group.insert(1, 3);
    CHECK(next("first") == std::vector<int>{1, 2, 3});
    group.insert(4, 5);
    CHECK(next("second") == std::vector<int>{4, 5});
    CHECK(next("second").empty());
    fs::remove(file);
    CHECK(next("second") == counting(5));
}

TEST_CASE("a name is one worker's: another is refused while it runs, and one of another kind always") {
    const Group group("to_name");
    group.insert(1, 3);
    Process first({.argv = group.worker("stdout", {})});
    REQUIRE(eventually("the first reads", [&] { return first.err().find("reads stream") != std::string::npos; }));
    const Finished second = run(group.worker("stdout", {"--retry-max-attempts", "1", "--retry-initial-wait", "10ms"}));
    CHECK(second.code == 4);
    CHECK(second.out.empty());
    CHECK(second.err.find("another worker of this name is running") != std::string::npos);
    const auto file =
        group.worker("file", {"--worker-name", "stdout", "--file-output-dir", temporary_directory("name")});
    const Finished other = run(file);
    CHECK(other.code == 1);
    CHECK(other.err.find("the group has a stdout worker of this name") != std::string::npos);
    first.signal(SIGTERM);
    CHECK(first.wait() == 0);
    group.insert(4, 4);
    const Finished next = run(group.worker("stdout", {"--exit-at-lsn", group.lsn()}));
    CHECK(next.code == 0);
    CHECK(ns_of(next.out) == std::vector<int>{4});
    CHECK(next.err.find("checking whether it is still running") == std::string::npos);
}

TEST_CASE("stdout: a slow reader gets everything, and stopping does not wait for one that sleeps") {
    const Group group("to_slow");
    group.insert(1, 20000);
    const Finished slow = shell(group.worker_words(
        "stdout", "--exit-at-lsn " + group.lsn() + " | (while IFS= read -r line; do printf '%s\\n' \"$line\"; done)"));
    CHECK(slow.code == 0);
    CHECK(ns_of(slow.out) == counting(20000));

    // A FIFO that nobody reads, and that has a reader all the same: the worker itself.
    const std::string fifo = temporary_directory("asleep") + "/fifo";
    Process asleep(ProcessOptions{.argv = {"bash", "-c",
                                           "mkfifo '" + fifo + "'; exec 1<>'" + fifo + "'; exec " +
                                               group.worker_words("stdout", "--worker-name asleep")}});
    REQUIRE(eventually("the worker reads", [&] { return asleep.err().find("reads stream") != std::string::npos; }));
    asleep.signal(SIGTERM);
    CHECK(asleep.wait(std::chrono::seconds(10)) == 0);
}

TEST_CASE(
    "file: killed again and again, every change is there once and in order, and finished files stay as they are") {
    const Group group("to_files");
    const std::string directory = temporary_directory("line_workers") + "/out";
    std::map<std::string, std::string> finished;
    int last = 0;
    for (int life = 1; life <= 8; ++life) {
        Process worker(
            ProcessOptions{.argv = group.worker("file", {"--file-output-dir", directory, "--file-max-size", "64KiB"})});
        const std::size_t before = finished.size();
        REQUIRE(eventually("more files are finished", [&] {
            group.insert(last + 1, last + 300);
            last += 300;
            REQUIRE_MESSAGE(worker.running(), worker.err());
            return fs::exists(directory) && finished_files(directory).size() > before + 1;
        }));
        worker.signal(SIGKILL);
        worker.wait();
        const auto now = finished_files(directory);
        for (const auto& [name, text] : finished) {
            REQUIRE(now.contains(name));
            CHECK(now.at(name) == text);
        }
        finished = now;
    }
    const Finished rest = run(group.worker("file", {"--file-output-dir", directory, "--file-max-size", "64KiB",
                                                    "--file-max-age", "1ms", "--exit-at-lsn", group.lsn()}));
    INFO(rest.err);
    CHECK(rest.code == 0);
    std::string all;
    for (const auto& entry : fs::directory_iterator(directory)) CHECK(entry.path().extension() != ".new");
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory)) names.insert(entry.path().filename());
    names.erase("pgsluice.state");
    for (const std::string& name : names) {
        std::ifstream file(directory + "/" + name);
        all += std::string(std::istreambuf_iterator<char>(file), {});
    }
    CHECK(ns_of(all) == counting(last));
    const Finished jq =
        shell("cat '" + directory + "'/* | grep -v -a pgsluice-state | tr -d '\\000' | jq -e -c .NewTuple.n | wc -l");
    CHECK(std::atoi(jq.out.c_str()) == last);
}
