#include <doctest/doctest.h>

#include "sql/error.h"
#include "stream/group/registry.h"
#include "tests/support/stream_group.h"

using namespace pgsluice;

namespace {

WorkerEntry worker(const std::string& name, std::uint64_t seq) {
    WorkerEntry entry;
    entry.name = name;
    entry.sink = "stdout";
    entry.applied = entry.durable = {{seq}, {Lsn{seq}, 1}};
    return entry;
}

}  // namespace

TEST_CASE("workers report, are listed and are removed") {
    test::StreamGroup group;
    WorkerRegistry registry(*group.broker, group.names);
    CHECK(registry.list().empty());
    CHECK(registry.report(worker("b", 3)));
    CHECK(registry.report(worker("a", 4)));
    CHECK(registry.report(worker("b", 5)));
    group.broker->kv_put(group.names, "lsn", "0/1");
    const auto listed = registry.list();
    REQUIRE(listed.size() == 2);
    CHECK(listed[0].name == "a");
    CHECK(listed[1].durable.resume_seq.value == 5);
    CHECK(listed[1].registered_us <= listed[1].reported_us);
    CHECK(registry.remove("b"));
    CHECK_FALSE(registry.remove("b"));
    CHECK(registry.list().size() == 1);
}

TEST_CASE("a worker removed while it runs registers again") {
    test::StreamGroup group;
    WorkerRegistry registry(*group.broker, group.names);
    WorkerRegistry person(*group.broker, group.names);
    CHECK(registry.report(worker("a", 3)));
    CHECK(person.remove("a"));
    CHECK(registry.report(worker("a", 4)));
    CHECK(registry.find("a")->durable.resume_seq.value == 4);
}

TEST_CASE("a restarted worker takes its entry over, and the one it replaced is told") {
    test::StreamGroup group;
    WorkerRegistry before(*group.broker, group.names);
    CHECK(before.report(worker("a", 3)));
    const auto registered = before.find("a")->registered_us;
    WorkerRegistry after(*group.broker, group.names);
    CHECK(after.report(worker("a", 2)));
    CHECK(after.find("a")->registered_us == registered);
    CHECK(after.find("a")->durable.resume_seq.value == 2);
    CHECK_THROWS_AS(before.report(worker("a", 9)), Error);
    CHECK(after.report(worker("a", 4)));
}

TEST_CASE("without a connection reporting waits") {
    test::NatsServer server;
    test::StreamGroup group(server);
    WorkerRegistry registry(*group.broker, group.names);
    CHECK(registry.report(worker("a", 3)));
    server.kill();
    CHECK_FALSE(registry.report(worker("a", 4)));
}
