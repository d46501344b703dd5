// What the registry of workers says, without a broker.
#include <doctest/doctest.h>

#include "sql/error.h"
#include "stream/group/registry.h"

using namespace pgsluice;

namespace {

WorkerEntry worker(const std::string& name, std::uint64_t durable) {
    WorkerEntry entry;
    entry.name = name;
    entry.sink = "postgres";
    entry.applied = {{durable + 5}, {Lsn{100 + durable}, 3}};
    entry.durable = {{durable}, {Lsn{100}, 1}};
    entry.registered_us = 5;
    entry.reported_us = -6;
    entry.session = "abc";
    return entry;
}

}  // namespace

TEST_CASE("an entry is read back as it was written") {
    const auto entry = worker("a", 7);
    CHECK(decode_worker("a", encode(entry)) == entry);
    auto starting = entry;
    starting.session.clear();
    starting.starting_us = 9;
    CHECK(decode_worker("a", encode(starting)) == starting);
    CHECK_THROWS_AS(decode_worker("a", "{}"), Error);
    CHECK_THROWS_AS(decode_worker("a", "nonsense"), Error);
}

TEST_CASE("kept is what the slowest worker needs and what is young") {
    CHECK_FALSE(keep_from({}, {100}));
    CHECK(slowest({}) == nullptr);
    const std::vector<WorkerEntry> workers{worker("a", 50), worker("b", 20), worker("c", 90)};
    CHECK(slowest(workers)->name == "b");
    CHECK(keep_from(workers, {100}) == StreamSeq{20});
    CHECK(keep_from(workers, {10}) == StreamSeq{10});
    auto loading = workers;
    loading[0].loading_epoch = 1;
    loading[0].begin_seq = {3};
    CHECK(slowest(loading) == loading.data());
    CHECK(keep_from(loading, {10}) == StreamSeq{3});
}
