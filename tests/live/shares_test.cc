// Workers with shares of the rows: together they have what one worker has, each key in order, while 2 become 4 and then
// 3 under load and kills.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "stream/group/registry.h"
#include "tests/live/shares_fixture.h"
#include "tests/support/nats_server.h"
#include "tests/support/pipeline.h"
#include "tests/support/slow.h"
#include "tests/support/stream_group.h"
#include "tests/support/user_stream.h"
#include "tests/support/writers.h"

using namespace pgsluice;
using namespace pgsluice::test;
namespace fs = std::filesystem;

namespace {

std::vector<Line> lines_in(const std::string& directory) {
    std::vector<std::string> names;
    for (const auto& file : fs::directory_iterator(directory))
        if (file.path().extension() == ".jsonl" || file.path().extension() == ".part") names.push_back(file.path());
    std::ranges::sort(names);
    std::vector<Line> lines;
    for (const std::string& name : names) {
        std::ifstream file(name);
        for (std::string line; std::getline(file, line);)
            if (line.starts_with("{\"Type\":\"")) lines.push_back(read(line));
    }
    return lines;
}

// What the workers of one set have written, by share.
class Set {
   public:
    Set(Pipeline& pipeline, const std::string& directory, int count) : pipeline_(pipeline), count_(count) {
        for (int i = 1; i <= count; ++i)
            directories_.push_back(directory + "/" + std::to_string(i) + "of" + std::to_string(count));
    }

    [[nodiscard]] std::vector<std::string> argv(int number, std::vector<std::string> more = {}) const {
        std::vector<std::string> words{"--file-output-dir", directories_[static_cast<std::size_t>(number - 1)]};
        if (count_ > 1) words.insert(words.end(), {"--share", std::to_string(number) + "/" + std::to_string(count_)});
        words.insert(words.end(), more.begin(), more.end());
        return pipeline_.worker_argv("file", words);
    }
    void start(int number, std::vector<std::string> more = {}) {
        processes_.erase(number);
        processes_.emplace(number, Process({.argv = argv(number, std::move(more))}));
    }
    void start_all(const std::vector<std::string>& more = {}) {
        for (int number = 1; number <= count_; ++number) start(number, more);
    }
    void await_reading(int number) { says(processes_.at(number), "reads stream"); }
    void kill(int number) { processes_.erase(number); }
    void kill_all() { processes_.clear(); }
    void stop_all() {
        for (auto& [number, process] : processes_) process.signal(SIGTERM);
        await_all();
    }
    void await_all() {
        for (auto& share : processes_) must_end(share.second);
        processes_.clear();
    }
    [[nodiscard]] std::vector<std::vector<Line>> lines() const {
        std::vector<std::vector<Line>> all;
        for (const std::string& directory : directories_) all.push_back(lines_in(directory));
        return all;
    }

   private:
    Pipeline& pipeline_;
    int count_;
    std::vector<std::string> directories_;
    std::map<int, Process> processes_;
};

using Positions = std::multiset<std::string>;

Positions positions(const std::vector<std::vector<Line>>& shares) {
    Positions all;
    for (const auto& lines : shares)
        for (const Line& line : lines) all.insert(line.position + line.type);
    return all;
}

// Of each key only one share has changes, and they come in order.
void check_order(const std::vector<std::vector<Line>>& shares) {
    std::map<std::string, std::size_t> share_of;
    std::map<std::string, std::int64_t> last;
    for (std::size_t i = 0; i < shares.size(); ++i)
        for (const Line& line : shares[i]) {
            if (line.type == "TRUNCATE") continue;
            CHECK(share_of.try_emplace(line.key, i).first->second == i);
            if (line.type == "DELETE") continue;
            const auto [before, first] = last.try_emplace(line.key, line.n);
            if (!first) CHECK(before->second < line.n);
            before->second = line.n;
        }
}

std::string status(const Pipeline& pipeline) {
    return run({PGSLUICE_BINARY, "status", "--group", pipeline.group(), "--nats-url", shared_servers().nats.url()}).out;
}

}  // namespace

TEST_CASE("2 shares become 4 and then 3, under load and kills: nothing is lost, each key is in order" * slow) {
    Pipeline pipeline;
    pipeline.on_source(
        "CREATE SEQUENCE tick; CREATE TABLE t (id int PRIMARY KEY, n bigint NOT NULL DEFAULT nextval('public.tick'));"
        "INSERT INTO t SELECT i FROM generate_series(1, 200) i");
    pipeline.start_replicator();
    pipeline.await_stream();
    // One session, so that n grows in the order of commits.
    Writers writers(
        shared_servers().source.connect(pipeline.source_db()),
        [](int i) {
            return "UPDATE public.t SET n = nextval('public.tick') WHERE id = " + std::to_string(i * 7 % 200 + 1) +
                   "; INSERT INTO public.t VALUES (" + std::to_string(1000 + i) + ")" +
                   (i % 50 == 0 ? "; UPDATE public.t SET id = id + 1000000, n = nextval('public.tick') WHERE id = " +
                                      std::to_string(1000 + i)
                                : "") +
                   (i % 20 == 0 ? "; DELETE FROM public.t WHERE id = " + std::to_string(990 + i) : "");
        },
        1, std::chrono::milliseconds(0));
    const std::string directory = temporary_directory("shares");
    Set two(pipeline, directory, 2);
    two.start_all();
    two.await_reading(1);
    writers.await(300);
    two.kill(1);
    writers.await(100);
    two.start(1);
    two.await_reading(1);
    writers.await(300);

    Set four(pipeline, directory, 4);
    const Finished refused = run(four.argv(1, {"--retry-max-attempts", "0"}));
    CHECK(refused.code == 4);
    CHECK(refused.err.find("is of another set of shares (2 shares)") != std::string::npos);

    two.stop_all();
    writers.await(100);
    four.start(1);
    four.await_reading(1);
    CHECK(status(pipeline).find("worker 'file-3of4': it was never started; the stream is kept for its share") !=
          std::string::npos);
    for (int number = 2; number <= 4; ++number) four.start(number);
    four.await_reading(4);
    writers.await(300);
    four.kill(2);
    four.start(2);
    four.await_reading(2);
    writers.await(300);
    four.kill_all();
    writers.await(100);

    Set three(pipeline, directory, 3);
    three.start_all();
    for (int number = 1; number <= 3; ++number) three.await_reading(number);
    writers.await(300);
    three.stop_all();
    writers.stop();
    const std::string end = current_lsn(pipeline);
    three.start_all({"--exit-at-lsn", end});
    three.await_all();

    const Finished whole = run(pipeline.worker_argv(
        "file", {"--worker-name", "whole", "--file-output-dir", directory + "/whole", "--exit-at-lsn", end}));
    must_succeed(whole);
    Positions expected;
    for (const Line& line : lines_in(directory + "/whole")) expected.insert(line.position + line.type);
    CHECK(expected.size() > 3000);

    check_order(two.lines());
    check_order(four.lines());
    check_order(three.lines());
    const Positions first = positions(two.lines());
    const Positions second = positions(four.lines());
    const Positions third = positions(three.lines());
    // The first handover was in order, so nothing is there twice.
    for (const std::string& one : second) CHECK(first.count(one) == 0);
    Positions found;
    for (const Positions* some : {&first, &second, &third}) found.insert(some->begin(), some->end());
    for (const std::string& one : expected) {
        const auto at = one.find("UPDATE");  // of the key: in two halves, where it leaves its share
        const std::string base = at == std::string::npos ? one : one.substr(0, at);
        const bool halves = found.count(base + "DELETE") > 0 && found.count(base + "INSERT") > 0;
        CHECK_MESSAGE((found.count(one) > 0 || halves), one);
    }
    CHECK(status(pipeline).find("of4") == std::string::npos);
    pipeline.stop_replicator();
}

TEST_CASE("shares by table keep a target equal, under transactions, kills and a change of their number") {
    Pipeline pipeline;
    std::string make;
    std::vector<std::string> tables;
    for (int i = 1; i <= 6; ++i) {
        tables.push_back("t" + std::to_string(i));
        make += "CREATE TABLE " + tables.back() + " (id int PRIMARY KEY, n int);";
    }
    pipeline.on_both(make);
    for (const std::string& table : tables)
        pipeline.on_source("INSERT INTO " + table + " SELECT i, 0 FROM generate_series(1, 500) i");
    pipeline.start_replicator();
    pipeline.await_stream();
    Writers writers(shared_servers().source.connect(pipeline.source_db()), [](int i) {
        std::string all;
        for (int t = 1; t <= 6; ++t) {
            const std::string table = "public.t" + std::to_string(t);
            all += "UPDATE " + table + " SET n = n + 1 WHERE id = " + std::to_string(i % 500 + 1) + "; INSERT INTO " +
                   table + " VALUES (" + std::to_string(1000 + i) + ", " + std::to_string(i) + ");";
            if (i % 10 == 0) all += "DELETE FROM " + table + " WHERE id = " + std::to_string(1000 + i) + ";";
            if (i == 150 && t == 3) all += "TRUNCATE " + table + ";";
        }
        return all;
    });
    const auto argv = [&](int number, int count, std::vector<std::string> more = {}) {
        std::vector<std::string> words{"--target-ddl", "ignore",  "--share-by",
                                       "table",        "--share", std::to_string(number) + "/" + std::to_string(count)};
        words.insert(words.end(), more.begin(), more.end());
        return pipeline.worker_argv("postgres", words);
    };
    std::map<int, Process> workers;
    const auto start = [&](int count) {
        for (int i = 1; i <= count; ++i) workers.emplace(i, Process({.argv = argv(i, count)}));
        for (auto& [number, worker] : workers) says(worker, "reads stream");
    };
    start(2);
    for (auto& [number, worker] : workers) says(worker, "snapshot complete");
    writers.await(200);
    workers.erase(1);
    writers.await(50);
    workers.emplace(1, Process({.argv = argv(1, 2)}));
    says(workers.at(1), "reads stream");
    writers.await(50);
    workers.clear();  // kill -9: the target knows exactly how far they were
    writers.await(50);
    start(4);
    writers.await(200);
    for (auto& [number, worker] : workers) worker.signal(SIGTERM);
    for (auto& share : workers) must_end(share.second);
    workers.clear();
    writers.await(50);
    start(2);
    writers.await(50);
    writers.stop();
    for (const std::string& table : tables)
        CHECK(
            eventually(table + " is equal", [&] { return pipeline.source_sum(table) == pipeline.target_sum(table); }));
    for (auto& [number, worker] : workers) {
        worker.signal(SIGTERM);
        CHECK(worker.wait() == 0);
        CHECK(worker.err().find("found") == std::string::npos);  // no row was there that should not be
    }
    CHECK(std::stoi(pipeline.target_scalar("SELECT count(*) FROM pgsluice.progress WHERE worker LIKE 'postgres-%'")) ==
          6);
    pipeline.stop_replicator();
}

TEST_CASE("what a share refuses, and what its hints say") {
    Pipeline pipeline;
    pipeline.on_source("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT i FROM generate_series(1, 50) i");
    pipeline.start_replicator();
    pipeline.await_stream();
    const std::string directory = temporary_directory("shares");
    const auto worker = [&](const std::string& share, const std::string& where, std::vector<std::string> more = {}) {
        std::vector<std::string> words{"--share",         share,           "--file-output-dir",
                                       directory + where, "--exit-at-lsn", next_lsn(pipeline)};
        words.insert(words.end(), more.begin(), more.end());
        return run(pipeline.worker_argv("file", words));
    };
    must_succeed(worker("1/2", "/1"));
    const Finished other = worker("2/2", "/1");
    CHECK(other.code == 1);
    CHECK(other.err.find("for share 2/2: it is of share 1/2") != std::string::npos);
    CHECK(other.err.find("Give each share, and each set of shares, a --file-output-dir") != std::string::npos);
    must_succeed(worker("2/2", "/2"));

    const auto nats = [&](const std::string& name) {
        return run(pipeline.worker_argv(
            "nats", {"--worker-name", name, "--share", "1/3", "--exit-at-lsn", next_lsn(pipeline)}));
    };
    const Finished kind = nats("file");
    CHECK(kind.code == 1);
    CHECK(kind.err.find("is a file worker") != std::string::npos);
    CHECK(kind.err.find("Give this one, and all with a share of the same rows,") != std::string::npos);
    const UserStream stream(shared_servers().nats.url(), "SHARES", "cdc.>");
    must_succeed(nats("events"));

    must_succeed(worker("1/1", "/all"));
    const Finished stale = worker("1/2", "/1");
    CHECK(stale.code == 1);
    CHECK(stale.err.find("Give it a new --file-output-dir or --checkpoint-file") != std::string::npos);
    must_succeed(worker("1/2", "/new"));
    CHECK(lines_in(directory + "/new").size() < 10);  // the others were delivered before
    pipeline.stop_replicator();
}

TEST_CASE("a change of shares that was cut off is ended by its own set") {
    Pipeline pipeline;
    pipeline.on_source("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT i FROM generate_series(1, 50) i");
    pipeline.start_replicator();
    pipeline.await_stream();
    const auto worker = [&](const std::string& share) {
        return run(pipeline.worker_argv("stdout", {"--share", share, "--exit-at-lsn", next_lsn(pipeline)}));
    };
    must_succeed(worker("1/2"));
    const auto broker = connect_broker(shared_servers().nats.url());
    const Names names = names_for(pipeline.group());
    WorkerRegistry registry(*broker, names);
    auto cut_off = registry.find("stdout-1of2").value();
    REQUIRE(registry.retire(cut_off));
    REQUIRE(registry.retire(registry.find("stdout-2of2").value()));
    cut_off.name = "stdout-1of3";
    cut_off.handover.emplace();
    registry.prepare(cut_off);
    const Finished refused = worker("2/2");
    CHECK(refused.code == 1);
    CHECK(refused.err.find("the change to 3 shares has not ended") != std::string::npos);
    CHECK(refused.err.find("Start a worker of that set first.") != std::string::npos);
    must_succeed(worker("2/3"));
    CHECK(registry.family("stdout").size() == 3);
    must_succeed(worker("2/2"));
    pipeline.stop_replicator();
}

TEST_CASE("tables that are routed into one are in one share") {
    Pipeline pipeline;
    pipeline.on_source(
        "CREATE TABLE t1 (id int PRIMARY KEY); CREATE TABLE t2 (id int PRIMARY KEY); CREATE TABLE t3 (id int PRIMARY "
        "KEY)");
    pipeline.on_target("CREATE TABLE settled_too (id int PRIMARY KEY)");
    pipeline.start_replicator();
    pipeline.await_stream();
    const std::string directory = temporary_directory("shares");
    fs::create_directories(directory);
    const std::string routes = directory + "/routes.yaml";
    std::ofstream(routes) << "t1: {destination_table: settled_too}\nt2: {destination_table: settled_too}\nt3: "
                             "{destination_table: settled_too}\n";
    const auto worker = [&](std::vector<std::string> words) {
        words.insert(words.end(), {"--routing-config", routes, "--exit-at-lsn", current_lsn(pipeline)});
        return run(pipeline.worker_argv("postgres", words));
    };
    const Finished refused = worker({"--target-ddl", "ignore", "--share-by", "table", "--share", "1/4"});
    CHECK(refused.code == 1);
    CHECK(refused.err.find("are routed to one table, and are in different shares of 4") != std::string::npos);
    CHECK(refused.err.find("Start one worker for all rows, without --share;") != std::string::npos);
    must_succeed(worker({}));
    pipeline.stop_replicator();
}

TEST_CASE("shares of a stream of changes of keys, truncates and a copy that starts over") {
    Pipeline pipeline;
    pipeline.on_source(
        "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT i, i FROM generate_series(1, 100) i");
    pipeline.start_replicator();
    pipeline.await_stream();
    const UserStream stream(shared_servers().nats.url(), "KEYS", "keys.>");
    const auto publish = [&](int number) {
        must_succeed(run(pipeline.worker_argv("nats", {"--share", std::to_string(number) + "/2", "--nats-subject",
                                                       "keys.all", "--exit-at-lsn", current_lsn(pipeline)})));
    };
    pipeline.on_source(
        "UPDATE t SET id = id + 1000; TRUNCATE t; INSERT INTO t SELECT i, i FROM generate_series(1, 100) i");
    publish(1);
    publish(2);
    std::map<std::string, int> types;
    std::set<std::string> ids;
    for (const auto& message : stream.read()) {
        const Line line = read(message.body);
        if (message.body.find(R"("Table":"t")") == std::string::npos) continue;
        ++types[line.type];
        CHECK(ids.insert(message.id).second);
    }
    CHECK(types["TRUNCATE"] == 2);
    CHECK(types["UPDATE"] + types["DELETE"] == 100);
    CHECK(types["DELETE"] > 10);
    CHECK(types["INSERT"] ==
          200 + types["DELETE"]);  // each half of an update is stored, though they share its position
    pipeline.stop_replicator();
    pipeline.start_replicator({"--copy-and-stream", "--resnapshot"});
    says(pipeline.replicator(), "(epoch 2)");
    for (const char* share : {"1/2", "2/2"})
        must_succeed(run(
            pipeline.worker_argv("nats", {"--share", share, "--nats-subject", "keys.all", "--exit-after-snapshot"})));
    std::map<std::string, int> copies;
    for (const auto& message : stream.read()) ++copies[read(message.body).type];
    CHECK(copies["SNAPSHOT"] == 2);
    pipeline.stop_replicator();
}
