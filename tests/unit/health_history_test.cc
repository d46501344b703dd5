#include "cmd/page/health_history.h"

#include <doctest/doctest.h>
#include <simdjson.h>

#include <string>

using namespace pgsluice;

namespace {

const HealthHistory::Time start = HealthHistory::Time() + std::chrono::hours(1);

GroupHealth health(double lag, double rate, int workers = 1) {
    GroupHealth made;
    made.replicator.changes_per_second = rate;
    for (int i = 0; i < workers; ++i) {
        WorkerHealth worker;
        worker.name = "w" + std::to_string(i);
        worker.behind_seconds = lag;
        made.workers.push_back(worker);
    }
    return made;
}

// The last `count` values of that line, "-" where there is none: "1 - 2".
std::string last(HealthHistory& history, HealthHistory::Time now, const char* kind, std::string_view name,
                 std::size_t count) {
    simdjson::dom::parser parser;
    const std::string json = history.json(now);
    std::string text;
    for (const simdjson::dom::element line : simdjson::dom::array(parser.parse(json)[kind])) {
        if (std::string_view(line["name"]) != name) continue;
        const simdjson::dom::array values = line["values"];
        REQUIRE(values.size() == HealthHistory::length);
        for (std::size_t i = values.size() - count; i < values.size(); ++i) {
            const simdjson::dom::element value = values.at(i).value();
            if (!text.empty()) text += ' ';
            text += value.is_null() ? "-" : std::to_string(static_cast<int>(double(value)));
        }
    }
    return text;
}

}  // namespace

TEST_CASE("a sample keeps the longest lag and the last rate of its five seconds") {
    HealthHistory history;
    history.note(health(3, 10), start);
    history.note(health(1, 20), start + std::chrono::seconds(3));
    history.note(health(2, 30), start + std::chrono::seconds(5));
    const auto now = start + std::chrono::seconds(6);
    CHECK(last(history, now, "lag", "worker w0", 3) == "- 3 2");
    CHECK(last(history, now, "rate", "replicator", 3) == "- 20 30");
}

TEST_CASE("time in which nothing was known is a hole, and all of it is after more than the ring holds") {
    HealthHistory history;
    history.note(health(1, 1), start);
    history.note(health(2, 2), start + std::chrono::seconds(15));
    CHECK(last(history, start + std::chrono::seconds(15), "lag", "worker w0", 5) == "- 1 - - 2");
    CHECK(last(history, start + std::chrono::seconds(26), "lag", "worker w0", 4) == "- 2 - -");
    const auto later = start + 3 * HealthHistory::length * HealthHistory::interval;
    history.note(health(9, 9), later);
    std::string only = "9";
    for (std::size_t i = 1; i < HealthHistory::length; ++i) only.insert(0, "- ");
    CHECK(last(history, later, "lag", "worker w0", HealthHistory::length) == only);
}

TEST_CASE("an hour later the oldest samples have made room") {
    HealthHistory history;
    for (std::size_t i = 0; i < HealthHistory::length + 3; ++i)
        history.note(health(static_cast<double>(i), 0), start + i * HealthHistory::interval);
    const auto now = start + (HealthHistory::length + 2) * HealthHistory::interval;
    CHECK(last(history, now, "lag", "worker w0", HealthHistory::length).starts_with("3 4 5 "));
    CHECK(last(history, now, "lag", "worker w0", 1) == "722");
}

TEST_CASE("its memory does not grow with the number of workers") {
    HealthHistory history;
    history.note(health(1, 1, 1000), start);
    CHECK(last(history, start, "lag", "worker w19", 1) == "1");
    CHECK(last(history, start, "lag", "worker w999", 1).empty());
    CHECK(history.json(start).size() < 2 * (HealthHistory::most_workers + 3) * HealthHistory::length * 5);
}

TEST_CASE("rows of a snapshot are a rate of their own, while it is under way") {
    HealthHistory history;
    GroupHealth copying = health(0, 0);
    copying.snapshot = SnapshotHealth{};
    copying.snapshot->rows = 1000;
    history.note(copying, start);
    copying.snapshot->rows = 1600;
    history.note(copying, start + std::chrono::seconds(3));
    CHECK(last(history, start + std::chrono::seconds(3), "rate", "rows of the snapshot", 1) == "200");
    copying.snapshot->complete = true;
    history.note(copying, start + std::chrono::seconds(6));
    CHECK(last(history, start + std::chrono::seconds(6), "rate", "rows of the snapshot", 2) == "200 -");
}
