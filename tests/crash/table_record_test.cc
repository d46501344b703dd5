// The set of tables changes around a running group while whoever dies at whatever place: every row of every table in
// the group is delivered.
//
// The second test plays random sequences of changes; PGSLUICE_CRASH_SEED repeats one, PGSLUICE_CRASH_ROUNDS says how
// many steps.
#include <doctest/doctest.h>

#include <csignal>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/crash/seed.h"
#include "tests/support/pipeline.h"

using namespace pgsluice::test;

namespace {

using Args = std::vector<std::string>;

void await_equal(Pipeline& pipeline, const std::vector<std::string>& tables) {
    for (const std::string& table : tables) {
        INFO("the replicator's messages:\n" << pipeline.replicator().err());
        INFO("the worker's messages:\n" << pipeline.worker().err());
        const std::string sum = pipeline.source_sum("ONLY " + table);
        const bool equal = eventually(
            table + " is equal", [&] { return pipeline.target_sum("ONLY " + table) == sum; },
            std::chrono::seconds(120));
        REQUIRE(equal);
    }
}

}  // namespace

TEST_CASE("the replicator dies once at each step of taking in tables that have changed") {
    for (const std::string place :
         {"after-record", "after-record:2", "after-publication", "before-added-copy", "copy-published",
          "before-snapshot-end", "after-snapshot-end", "after-added-copy"}) {
        CAPTURE(place);
        Pipeline pipeline;
        pipeline.on_both(
            "CREATE TABLE root (id int, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id);"
            "CREATE TABLE p1 PARTITION OF root FOR VALUES FROM (0) TO (100);"
            "CREATE TABLE p2 (id int PRIMARY KEY, v text); CREATE TABLE t (id int PRIMARY KEY, v text)");
        pipeline.on_source(
            "INSERT INTO p1 VALUES (1, 'a'); INSERT INTO p2 SELECT i, 'old' FROM generate_series(100, 109) i;"
            "INSERT INTO t SELECT i, 'first' FROM generate_series(1, 10) i");
        const Args tables = {"--copy-and-stream", "--tables", "settled,root,t"};
        pipeline.start(tables);
        pipeline.settle();
        pipeline.stop_replicator();
        pipeline.on_source(
            "ALTER TABLE root ATTACH PARTITION p2 FOR VALUES FROM (100) TO (200); UPDATE p2 SET v = 'new' WHERE id = "
            "105;"
            "DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'second')");
        pipeline.start_replicator(tables, {{"PGSLUICE_FAILPOINT", place}});
        const int code = pipeline.replicator().wait(std::chrono::seconds(60));
        INFO(pipeline.replicator().err());
        REQUIRE(code == 128 + SIGKILL);
        pipeline.kill_replicator();
        pipeline.on_source("UPDATE p2 SET v = v || '+'; DELETE FROM p2 WHERE id = 101; UPDATE t SET v = v || '+'");
        pipeline.start_replicator(tables);
        await_equal(pipeline, {"p1", "p2", "t"});
        pipeline.stop();
    }
}

namespace {

// Tables a source can do everything with; the target has each as an ordinary one.
class Changes {
   public:
    Changes(Pipeline& pipeline, unsigned seed) : pipeline_(pipeline), random_(seed) {
        for (const std::string& table : all()) {
            const std::string columns = " (id int PRIMARY KEY, v text)";
            pipeline_.on_target("CREATE TABLE " + table + columns);
            pipeline_.on_source("CREATE TABLE " + table + columns);
        }
        pipeline_.on_source("CREATE TABLE root (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)");
        selected_ = {"t1", "t2"};
    }

    static std::vector<std::string> all() { return {"t1", "t2", "t3", "p1", "p2", "p3", "m", "c1", "c2"}; }

    void start() {
        pipeline_.start_replicator(arguments());
        pipeline_.start_worker({"--target-existing-rows", "truncate"});
    }

    std::string step() {
        write();
        switch (pick(12)) {
            case 0:
                return made_again("t" + number(3));
            case 1:
                return swapped("t" + number(3), "t" + number(3));
            case 2:
            case 3:
                return attached_or_detached(pick(3) + 1);
            case 4:
                return partition_made_again(pick(3) + 1);
            case 5:
            case 6:
                return inherits_or_not("c" + number(2));
            case 7:
                return selects_others();
            case 8:
                return altered_by_hand();
            case 9:
                restart_replicator(pick(2) == 0);
                return "replicator restarted";
            case 10:
                pipeline_.kill_worker();
                pipeline_.start_worker({"--target-existing-rows", "truncate"});
                return "worker killed";
            default:
                return "written";
        }
    }

    std::vector<std::string> in_group() {
        std::vector<std::string> tables(selected_.begin(), selected_.end());
        tables.insert(tables.end(), attached_.begin(), attached_.end());
        tables.emplace_back("m");
        tables.insert(tables.end(), inheriting_.begin(), inheriting_.end());
        return tables;
    }

    void write() {
        for (const std::string& table : all()) {
            const std::string base = table[0] == 'p' ? std::to_string((table[1] - '0') * 1000) : "0";
            const std::string id = std::to_string(next_++ % 900);
            pipeline_.on_source("INSERT INTO " + table + " VALUES (" + base + " + " + id +
                                ", 'w') ON CONFLICT DO NOTHING;"
                                "UPDATE ONLY " +
                                table + " SET v = v || 'u' WHERE id % 7 = " + number(7) +
                                " - 1;"
                                "DELETE FROM ONLY " +
                                table + " WHERE id % 31 = " + number(31) + " - 1");
        }
    }

    void restart_replicator(bool kill) {
        if (kill) {
            pipeline_.kill_replicator();
        } else {
            pipeline_.stop_replicator(std::chrono::seconds(20));
        }
        pipeline_.start_replicator(arguments());
    }

   private:
    int pick(int choices) { return static_cast<int>(random_() % static_cast<unsigned>(choices)); }
    std::string number(int choices) { return std::to_string(pick(choices) + 1); }

    Args arguments() {
        std::string tables = "settled,root,m";
        for (const std::string& table : selected_) tables += "," + table;
        return {"--copy-and-stream", "--tables", tables};
    }

    std::string made_again(const std::string& table) {
        pipeline_.on_source("BEGIN; DROP TABLE " + table + "; CREATE TABLE " + table +
                            " (id int PRIMARY KEY, v text); COMMIT; INSERT INTO " + table + " VALUES (" + number(500) +
                            ", 'again')");
        return table + " made again";
    }

    std::string swapped(const std::string& one, const std::string& other) {
        if (one == other) return "nothing";
        pipeline_.on_source("BEGIN; ALTER TABLE " + one + " RENAME TO x; ALTER TABLE " + other + " RENAME TO " + one +
                            "; ALTER TABLE x RENAME TO " + other + "; COMMIT");
        return one + " and " + other + " swapped";
    }

    static std::string bounds(int partition) {
        return " FOR VALUES FROM (" + std::to_string(partition * 1000) + ") TO (" +
               std::to_string(partition * 1000 + 1000) + ")";
    }

    std::string attached_or_detached(int partition) {
        const std::string table = "p" + std::to_string(partition);
        if (attached_.erase(table) > 0) {
            pipeline_.on_source("ALTER TABLE root DETACH PARTITION " + table);
            return table + " detached";
        }
        attached_.insert(table);
        pipeline_.on_source("ALTER TABLE root ATTACH PARTITION " + table + bounds(partition));
        return table + " attached";
    }

    std::string partition_made_again(int partition) {
        const std::string table = "p" + std::to_string(partition);
        attached_.insert(table);
        pipeline_.on_source("BEGIN; DROP TABLE " + table + "; CREATE TABLE " + table + " PARTITION OF root" +
                            bounds(partition) + "; INSERT INTO " + table + " VALUES (" +
                            std::to_string(partition * 1000) + ", 'born'); COMMIT");
        return table + " made as a partition";
    }

    std::string inherits_or_not(const std::string& table) {
        if (inheriting_.erase(table) > 0) {
            pipeline_.on_source("ALTER TABLE " + table + " NO INHERIT m");
            return table + " inherits no more";
        }
        inheriting_.insert(table);
        pipeline_.on_source("ALTER TABLE " + table + " INHERIT m");
        return table + " inherits";
    }

    std::string selects_others() {
        selected_.clear();
        std::string all = "selected:";
        for (const std::string table : {"t1", "t2", "t3"}) {
            if (pick(2) == 0) continue;
            selected_.insert(table);
            all += " " + table;
        }
        restart_replicator(pick(2) == 0);
        return all;
    }

    std::string altered_by_hand() {
        const std::string table = "t" + number(3);
        const std::string publication = "pgsluice_" + pipeline_.group();
        const std::string found =
            pipeline_.source_scalar("SELECT count(*) FROM pg_publication_tables WHERE pubname = '" + publication +
                                    "' AND tablename = '" + table + "'");
        if (pipeline_.source_scalar("SELECT count(*) FROM pg_publication WHERE pubname = '" + publication + "'") != "1")
            return "no publication yet";
        const std::string verb = found == "1" ? " DROP TABLE " : " ADD TABLE ";
        try {
            pipeline_.on_source("ALTER PUBLICATION " + publication + verb + table);
        } catch (const std::exception& error) {  // the replicator was faster
            return error.what();
        }
        return publication + verb + table;
    }

    Pipeline& pipeline_;
    std::mt19937 random_;
    unsigned next_ = 1;
    std::set<std::string> selected_;
    std::set<std::string> attached_;
    std::set<std::string> inheriting_;
};

}  // namespace

TEST_CASE("random changes of the set of tables, restarts and kills") {
    const unsigned seed = crash_seed();
    const int rounds = crash_rounds(10);
    INFO("PGSLUICE_CRASH_SEED=" << seed);
    Pipeline pipeline;
    Changes changes(pipeline, seed);
    changes.start();
    pipeline.settle();
    std::string history;
    for (int round = 0; round < rounds; ++round) {
        history += changes.step() + "; ";
        if (round % 5 != 4) continue;
        INFO("so far: " << history);
        changes.write();
        if (!pipeline.replicator().running()) changes.restart_replicator(true);
        await_equal(pipeline, changes.in_group());
    }
    INFO("all: " << history);
    await_equal(pipeline, changes.in_group());
    pipeline.stop();
}
