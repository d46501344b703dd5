// Values that another program wrote into a group's KV bucket or dead letters: nothing ends for good, and each has a way
// out.
#include <doctest/doctest.h>

#include <algorithm>

#include "stream/group/registry.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

struct Garbled : Pipeline {
    std::unique_ptr<Broker> broker = connect_broker();
    Names names = names_for(group());

    void put(const std::string& key) { broker->kv_put(names, key, "not json"); }
    bool holds(const std::string& key) { return broker->kv_get(names, key).has_value(); }
    Finished command(std::vector<std::string> words) {
        words.insert(words.begin(), PGSLUICE_BINARY);
        words.insert(words.end(), {"--group", group(), "--nats-url", shared_nats().url()});
        return run(words);
    }
};

}  // namespace

TEST_CASE("a garbled entry of a worker is named, keeps nothing else from working and is removed as the message says") {
    Garbled group;
    group.start_replicator({"--copy-and-stream", "--stream-retain", "0s"});
    group.start_worker();
    group.settle();
    group.put("worker.x");
    CHECK(eventually("the replicator says so", [&] {
        return contains(group.replicator().err(), "the entry of worker 'x' in KV bucket 'pgsluice_" + group.group());
    }));
    group.settle();
    const Finished health = group.command({"status"});
    CHECK(health.code == 2);
    CHECK(contains(health.out, "worker 'x': its entry cannot be read"));
    const Finished status = group.command({"status", "--raw"});
    CHECK(status.code == 0);
    CHECK(contains(status.out, "worker 'x': its entry cannot be read"));
    CHECK(contains(status.out, "worker 'postgres' (postgres): applied"));

    const Finished forgotten = group.command({"forget", "--worker-name", "x"});
    CAPTURE(forgotten.err);
    CHECK(forgotten.code == 0);
    CHECK_FALSE(group.holds("worker.x"));
    CHECK(eventually("trimming continues", [&] {
        return contains(group.replicator().err(), "the entries of all workers can be read again");
    }));
    group.settle();
    group.stop();
}

TEST_CASE("a worker whose own entry is garbled stops with a hint that works") {
    Garbled group;
    group.start();
    group.settle();
    group.stop_worker();
    group.put("worker.postgres");
    const Finished refused = run(group.worker_argv("postgres", {}));
    CHECK(refused.code == 1);
    CHECK(contains(refused.err,
                   "HINT: Another program wrote the KV key 'worker.postgres'. Remove it: pgsluice forget "
                   "--group " +
                       group.group() + " --worker-name postgres"));
    CHECK(group.command({"forget", "--worker-name", "postgres"}).code == 0);
    group.start_worker();
    group.settle();
    group.stop();
}

TEST_CASE("other garbled keys stop nothing, and repair lists and removes them") {
    Garbled group;
    group.start();
    group.settle();
    group.stop();
    const std::vector<std::string> keys = {"group",       "tables",           "begin",
                                           "epoch",       "added_epoch",      "ddl",
                                           "lsn",         "compare.postgres", "seen.postgres.16384",
                                           "last_changes"};
    for (const auto& key : keys) group.put(key);
    group.put("of-a-later-version");
    const Finished refused = run(group.worker_argv("postgres", {}));
    CHECK(refused.code == 1);
    CHECK(contains(refused.err, "(KV key 'seen.postgres.16384')"));
    CHECK(contains(refused.err, "pgsluice repair --group " + group.group() + " --yes"));

    const Finished listed = group.command({"repair"});
    CHECK(listed.code == 0);
    for (const auto& key : keys) CHECK(contains(listed.out, "would remove KV key '" + key + "': "));
    CHECK_FALSE(contains(listed.out, "worker.postgres"));
    CHECK(group.holds("begin"));
    CHECK(group.command({"repair", "--yes"}).code == 0);
    for (const auto& key : keys) CHECK_FALSE(group.holds(key));
    CHECK(group.holds("of-a-later-version"));
    CHECK(contains(group.command({"repair"}).out, "holds nothing foreign"));
    group.start();
    group.settle();
    group.stop();
}

TEST_CASE("a garbled record, request or note of rules: repair removes it, as each hint says") {
    Garbled group;
    group.on_both("CREATE TABLE t (id int PRIMARY KEY, v text)");
    group.on_source("INSERT INTO t VALUES (1, 'one')");
    group.start();
    group.settle();
    group.stop();
    const auto keys = group.broker->kv_keys(group.names);
    const auto page = std::ranges::find_if(keys, [](const auto& key) { return key.starts_with("record."); });
    REQUIRE(page != keys.end());
    group.put(*page);
    const Finished refused = run(group.replicator_argv({"--copy-and-stream"}));
    CHECK(refused.code == 1);
    CHECK(contains(refused.err, "(KV key '" + *page + "')"));
    CHECK(contains(refused.err, "pgsluice repair --group " + group.group() + " --yes"));
    CHECK(contains(group.command({"repair", "--yes"}).out, "removed KV key '" + *page + "': "));
    CHECK_FALSE(group.holds("record"));
    group.on_source("INSERT INTO t VALUES (2, 'two')");
    group.start();
    group.check_equal({"t"});
    CHECK(contains(group.replicator().err(), "the group has no record of its tables"));
    group.stop();

    group.put("record");
    group.put("copy_request");
    group.start();
    group.settle();
    CHECK(contains(group.replicator().err(), "the KV key 'copy_request' cannot be read"));
    group.stop();
    const Finished repaired = group.command({"repair", "--yes"});
    CHECK(contains(repaired.out, "removed KV key 'copy_request': "));
    CHECK_FALSE(contains(repaired.out, "KV key 'record'"));  // the replicator has written it again
    group.put("record");
    CHECK(contains(group.command({"repair", "--yes"}).out, "removed KV key 'record': "));
    group.start();
    group.check_equal({"t"});
    group.stop();
}

TEST_CASE("a garbled note of the rules of a worker stops it with a hint that works") {
    Garbled group;
    const auto argv = group.worker_argv("stdout", {"--worker-name", "lines", "--exit-after-snapshot"});
    group.start_replicator();
    CHECK(run(argv).code == 0);
    group.put("rules.lines.16384");
    const Finished refused = run(argv);
    CHECK(refused.code == 1);
    CHECK(contains(refused.err, "(KV key 'rules.lines.16384')"));
    CHECK(contains(group.command({"repair", "--yes"}).out, "removed KV key 'rules.lines.16384': "));
    CHECK(run(argv).code == 0);
    // Values of keys that are mixed up.
    const std::vector<std::pair<std::string, std::string>> mixed_up{
        {"rules.lines.16384", R"({"reloads":1})"}, {"rules.lines.16384", "{}"}, {"rules.lines.0", "[]"}};
    for (const auto& [key, value] : mixed_up) {
        group.broker->kv_put(group.names, key, value);
        CHECK(contains(run(argv).err, "(KV key '" + key + "')"));
        CHECK(contains(group.command({"repair", "--yes"}).out, "removed KV key '" + key + "': "));
        CHECK(run(argv).code == 0);
    }
    group.stop_replicator();
}

TEST_CASE("keys that are garbled while both run stop neither") {
    Garbled group;
    group.start();
    group.settle();
    for (const char* key : {"group", "tables", "begin", "epoch", "ddl", "lsn", "compare.postgres", "copy_request"})
        group.put(key);
    group.settle();
    group.stop();
    for (const char* key : {"group", "tables", "begin", "epoch", "ddl", "lsn", "compare.postgres"}) group.put(key);
    group.start();
    group.settle();
    group.stop();
}
