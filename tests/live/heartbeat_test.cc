// --heartbeat-interval: how long a commit takes is measured where no one commits, and without a table.
#include <doctest/doctest.h>

#include <string>

#include "tests/support/http_get.h"
#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

const std::vector<std::string> serving{"--http-listen", "127.0.0.1:0"};

std::vector<std::string> beating() { return {"--copy-and-stream", "--heartbeat-interval", "1s"}; }

double of(const std::string& url, const std::string& series) { return Scrape(url).value(series).value_or(0); }

}  // namespace

TEST_CASE("an idle database's latency is measured, its slot moves, and nothing reaches the tables") {
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE items (id int PRIMARY KEY)");
    pipeline.start_replicator(beating());
    pipeline.start_worker(serving);
    const std::string url = served_at(pipeline.worker());
    pipeline.settle();
    const auto confirmed = [&] {
        return pipeline.source_scalar(
            "SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = 'pgsluice_" + pipeline.group() +
            "'");
    };
    const auto checkpoint = [&] {
        return pipeline.target_scalar("SELECT position_lsn FROM pgsluice.progress WHERE \"group\" = '" +
                                      pipeline.group() + "'");
    };
    // The mark is counted a moment after the target has it, and before the heartbeats that follow it.
    const double beats = of(url, "pgsluice_heartbeats_total");
    eventually("heartbeats follow the mark", [&] { return of(url, "pgsluice_heartbeats_total") >= beats + 2; });
    const double transactions = of(url, "pgsluice_applied_transactions_total");
    const std::string slot_before = confirmed(), checkpoint_before = checkpoint();
    const double before = of(url, "pgsluice_commit_to_visible_seconds_count");
    eventually("heartbeats arrive", [&] { return of(url, "pgsluice_heartbeats_total") >= beats + 5; });
    eventually("they are in the histogram",
               [&] { return of(url, "pgsluice_commit_to_visible_seconds_count") >= before + 2; });
    CHECK(of(url, "pgsluice_commit_to_visible_seconds_sum") < 60 * of(url, "pgsluice_commit_to_visible_seconds_count"));
    CHECK(of(url, "pgsluice_applied_transactions_total") == transactions);
    CHECK(of(url, "pgsluice_applied_ddl_total") == 0);
    eventually("the slot moves", [&] { return confirmed() != slot_before; });
    eventually("the target's checkpoint moves", [&] { return checkpoint() != checkpoint_before; });
    pipeline.stop();
}

TEST_CASE("two groups that read one database pass on their own heartbeats only") {
    Pipeline one;
    one.on_both("CREATE TABLE items (id int PRIMARY KEY)");
    Pipeline two(shared_servers(), Pipeline::Between{one.source_db(), one.target_db()});
    one.start_replicator(beating());
    two.start_replicator({"--stream"});
    two.start_worker(serving);
    const std::string url = served_at(two.worker());
    eventually("the other group beats", [&] {
        return one.source_scalar(
                   "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_logical_emit_message%' "
                   "AND datname = current_database() AND query NOT LIKE '%pg_stat_activity%'") != "0";
    });
    two.await_stream();  // what is committed before is not its
    two.on_source("INSERT INTO items VALUES (1)");
    eventually("a change passes", [&] { return two.target_scalar("SELECT count(*) FROM items") == "1"; });
    CHECK(of(url, "pgsluice_heartbeats_total") == 0);
    one.stop_replicator();
    two.stop();
}
