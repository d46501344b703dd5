// The KV bucket against a user who may write some of its keys only.
#include <doctest/doctest.h>

#include "sql/error.h"
#include "tests/support/process.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

TEST_CASE("who may write one key of the bucket does not remove the others with it") {
    const auto broker = connect_broker();
    Names names;
    SUBCASE("a bucket of ours") {
        names = names_for("rolls_up_not");
        broker->ensure_stream(names, {});
    }
    SUBCASE("a bucket as the library makes it, once the replicator has started again") {
        names = names_for("rolled_up");
        broker->ensure_stream(names, {});
        broker->delete_bucket(names);
        ask_jetstream(*broker, "$JS.API.STREAM.CREATE.KV_" + names.bucket,
                      R"({"name":"KV_)" + names.bucket + R"(","subjects":["$KV.)" + names.bucket +
                          R"(.>"],"retention":"limits","num_replicas":1,"max_msgs_per_subject":1,"storage":"file",)"
                          R"("discard":"new","deny_delete":true,"allow_rollup_hdrs":true,"allow_direct":true})");
        broker->kv_put(names, "kept", "1");
        broker->ensure_stream(names, {});
    }
    broker->kv_put(names, "tables", "[]");
    broker->kv_put(names, "worker.w", "{}");
    try {
        broker->publish_one("$KV." + names.bucket + ".worker.evil", "x", {{"Nats-Rollup", "all"}});
        FAIL_CHECK("it was taken");
    } catch (const Error& error) {
        CHECK(contains(error.what(), "rollup not permitted"));
    }
    CHECK(broker->kv_get(names, "tables").value().text == "[]");
    broker->kv_put(names, "worker.w", "{1}");  // one value is kept of each key, and keys can be deleted
    CHECK(broker->kv_get(names, "worker.w").value().text == "{1}");
    broker->kv_delete(names, "worker.w");
    CHECK_FALSE(broker->kv_get(names, "worker.w"));
}
