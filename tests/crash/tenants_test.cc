// Six sources of one schema in one target, under random changes and faults: each tenant's rows are its source's, and
// its histories have one version of a key at any time. Every tenant has the same keys.
//
// PGSLUICE_CRASH_SEED repeats a run's faults and transactions, PGSLUICE_CRASH_ROUNDS says how many faults.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>
#include <thread>

#include "tests/crash/clients.h"
#include "tests/crash/seed.h"
#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

constexpr int tenants = 6;
constexpr int rounds_between_checks = 10;

class TenantWriter final : public Clients {
   public:
    TenantWriter(PostgresServer& server, std::string database, unsigned seed) : Clients(server, std::move(database)) {
        start(seed, 104729, 1);
    }
    ~TenantWriter() override { stop(); }

   private:
    static std::string change(Random& random) {
        const std::string table = random() % 2 == 0 ? "users" : "salaries";
        const auto id = random() % 80;
        switch (random() % 8) {
            case 0:
            case 1:
                return fmt::format(
                    "INSERT INTO {} VALUES ({}, 'made', repeat(md5({}::text), 200)) "
                    "ON CONFLICT (id) DO UPDATE SET v = 'made again'",
                    table, id, random());
            case 2:
            case 3:
            case 4:
                return fmt::format("UPDATE {} SET v = left(v, 20) || {} WHERE id % 9 = {}", table, random() % 10,
                                   id % 9);
            case 5:
                return fmt::format(
                    "UPDATE {0} SET id = {1} + 1000 WHERE id = {1} AND NOT EXISTS (SELECT FROM {0} WHERE "
                    "id = {1} + 1000)",
                    table, id);
            case 6:
                return fmt::format("DELETE FROM {} WHERE id IN ({}, {} + 1000)", table, id, random() % 80);
            default:
                return random() % 20 == 0
                           ? "TRUNCATE " + table
                           : fmt::format("UPDATE {} SET long = md5('{}') WHERE id = {}", table, random(), id);
        }
    }
    std::string next(Random& random) override {
        std::string transaction = "BEGIN; ";
        for (auto left = random() % 5 + 1; left > 0; --left) transaction += change(random) + "; ";
        return transaction + (random() % 12 == 0 ? "ROLLBACK" : "COMMIT");
    }
    void rest(Random& random, bool /*failed*/) override {
        std::this_thread::sleep_for(std::chrono::milliseconds(random() % 60));
    }
};

struct Tenant {
    Tenant(PipelineServers servers, int number, const std::string& target_db)
        : sid(number),
          source(servers.source.create_database()),
          file(temporary_directory("routing") + "/routing.yaml"),
          pipeline(servers, {source, target_db}) {
        std::ofstream(file) << fmt::format(R"(
defaults: {{schema: warehouse, columns: {{sid: {}}}}}
tables:
  settled: {{to: public.settled, mode: append, columns: {{sid: null}}}}
  salaries: {{mode: history}}
)",
                                           number);
        pipeline.on_source(
            "CREATE TABLE settled (mark int PRIMARY KEY); CREATE TABLE users (id int PRIMARY KEY, v text, long text);"
            "CREATE TABLE salaries (id int PRIMARY KEY, v text, long text);"
            "ALTER TABLE salaries ALTER long SET STORAGE EXTERNAL; ALTER TABLE users ALTER long SET STORAGE EXTERNAL;"
            "INSERT INTO users SELECT i, 'copied', repeat('u', 4000) FROM generate_series(1, 60) i;"
            "INSERT INTO salaries SELECT * FROM users");
        // Outages are short here, and several follow one another while a process has not yet got going.
        const std::vector<std::string> patience{"--retry-max-attempts", "1000", "--retry-initial-wait", "200ms",
                                                "--retry-max-wait",     "1s"};
        std::vector<std::string> worker = patience;
        worker.insert(worker.end(), {"--routing-config", file, "--target-sync-schema", "--target-existing-rows",
                                     "truncate", "--source-url", pipeline.source_url()});
        pipeline.always(patience, worker);
    }
    void ensure_running() {
        // Killed while it copies again, before that copy has begun, it is to be told so again.
        if (copies_again && pipeline.has_replicator() && !pipeline.replicator().running() &&
            contains(pipeline.replicator().err(), "is gone, and with it the changes that were not read yet")) {
            pipeline.kill_replicator();
            pipeline.start_replicator({"--copy-and-stream", "--resnapshot"});
        }
        if (!pipeline.has_replicator()) pipeline.start_replicator();
        if (!pipeline.has_worker()) pipeline.start_worker();
    }
    std::string here(const std::string& table) { return pipeline.source_scalar(sum("(id, v, long)", table)); }
    std::string there(const std::string& table, const std::string& which) {
        return pipeline.target_scalar(
            sum("(id, v, long)", fmt::format("warehouse.{} WHERE sid = {} AND {}", table, sid, which)));
    }
    void check_equal() {
        CAPTURE(sid);
        const auto runs = [&] { return ensure_running(), pipeline.streams(); };
        REQUIRE(eventually("the replicator streams", runs, std::chrono::seconds(180)));
        copies_again = false;
        pipeline.settle(std::chrono::seconds(180));
        INFO("the replicator's messages:\n" << pipeline.replicator().err());
        INFO("the worker's messages:\n" << pipeline.worker().err());
        REQUIRE(there("users", "true") == here("users"));
        REQUIRE(there("salaries", "valid_to = 'infinity'") == here("salaries"));
    }

    int sid;
    std::string source;
    std::string file;
    Pipeline pipeline;
    bool copies_again = false;  // since the last check

   private:
    static std::string sum(const std::string& row, const std::string& from) {
        return fmt::format(
            "SELECT count(*) || ' ' || coalesce(md5(string_agg(r, ' ' ORDER BY r COLLATE \"C\")), '') FROM "
            "(SELECT {}::text AS r FROM {}) t",
            row, from);
    }
};

class Faults {
   public:
    Faults(PipelineServers servers, std::vector<std::unique_ptr<Tenant>>& all, unsigned seed)
        : servers_(servers), all_(all), random_(seed) {}

    std::string strike() {
        std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 1000));
        Tenant& tenant = *all_[random_() % all_.size()];
        const std::string name = happen(tenant);
        for (auto& each : all_) each->ensure_running();
        return fmt::format("{} ({})", name, tenant.sid);
    }

   private:
    std::string happen(Tenant& tenant) {
        Pipeline& one = tenant.pipeline;
        switch (random_() % 10) {
            case 0:
                one.kill_replicator();
                return "kill the replicator";
            case 1:
                one.kill_worker();
                return "kill the worker";
            case 2:
                for (auto& each : all_) each->pipeline.kill_worker();
                return "kill all workers";
            case 3:
                for (auto& each : all_) each->pipeline.kill_replicator();
                return "kill all replicators";
            case 4:
                servers_.target.stop_immediate();
                servers_.target.start();
                return "crash the target";
            case 5:
                servers_.nats.kill();
                servers_.nats.start();
                return "kill nats-server";
            case 6:
                terminate(servers_.target);
                return "terminate the target's backends";
            case 7:
                terminate(servers_.source);
                return "terminate the sources' backends";
            case 8:
                return copy_again(tenant);
            default:
                return failpoint(one);
        }
    }
    static void terminate(PostgresServer& server) {
        server.sql("postgres",
                   "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'pgsluice%'");
    }
    std::string copy_again(Tenant& tenant) {
        Pipeline& one = tenant.pipeline;
        tenant.copies_again = true;
        one.kill_replicator();
        one.kill_worker();
        one.start_replicator({"--copy-and-stream", "--resnapshot"});
        one.start_worker();
        if (random_() % 2 == 0) return "copy again";
        std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 1000));
        one.kill_worker();
        one.start_worker();
        return "copy again, kill the worker";
    }
    std::string failpoint(Pipeline& one) {
        static constexpr const char* places[] = {"postgres-before-commit", "postgres-after-commit", "after-apply"};
        const std::string place = fmt::format("{}:{}", places[random_() % 3], random_() % 10 + 1);
        one.kill_worker();
        one.start_worker({}, {{"PGSLUICE_FAILPOINT", place}});
        eventually("the worker dies at " + place, [&] { return !one.worker().running(); });
        one.kill_worker();
        return "the worker dies at " + place;
    }

    PipelineServers servers_;
    std::vector<std::unique_ptr<Tenant>>& all_;
    std::mt19937 random_;
};

// All versions, of all tenants: none may overlap another of its key. The table has to be there.
void forbid_overlap(Pipeline& pipeline) {
    pipeline.on_target(
        "CREATE EXTENSION btree_gist; ALTER TABLE warehouse.salaries ADD EXCLUDE USING gist (sid WITH =, id WITH =, "
        "tstzrange(valid_from, valid_to) WITH &&)");
}

}  // namespace

TEST_CASE("six tenants, each killed at will, stay apart and equal to their sources") {
    const unsigned seed = crash_seed();
    const int rounds = crash_rounds(5);
    INFO("PGSLUICE_CRASH_SEED=" << seed);
    PostgresServer source;
    PostgresServer target;
    NatsServer nats;
    const PipelineServers servers{source, target, nats};
    const std::string target_db = target.create_database();
    target.sql(target_db, "CREATE TABLE settled (mark int PRIMARY KEY)");
    std::vector<std::unique_ptr<Tenant>> all;
    for (int sid = 1; sid <= tenants; ++sid) all.push_back(std::make_unique<Tenant>(servers, sid, target_db));
    for (auto& tenant : all) tenant->ensure_running();
    for (auto& tenant : all) tenant->check_equal();
    forbid_overlap(all[0]->pipeline);

    Faults faults(servers, all, seed);
    for (int round = 0; round < rounds;) {
        std::string struck;
        long committed = 0;
        {
            std::vector<std::unique_ptr<TenantWriter>> writers;
            for (auto& tenant : all)
                writers.push_back(std::make_unique<TenantWriter>(
                    source, tenant->source, seed + static_cast<unsigned>(round * tenants + tenant->sid)));
            for (int i = 0; i < rounds_between_checks && round < rounds; ++i, ++round) struck += faults.strike() + "; ";
            for (auto& writer : writers) {
                writer->stop();
                committed += writer->committed();
            }
        }
        INFO("up to round " << round << ": " << struck);
        for (auto& tenant : all) tenant->check_equal();
        CHECK(committed > 0);
        std::cout << "round " << round << ": " << struck << committed << " transactions, "
                  << all[0]->pipeline.target_scalar("SELECT count(*) FROM warehouse.salaries") << " versions"
                  << std::endl;
    }
    for (auto& tenant : all) tenant->pipeline.stop();
}
