// nats-server's store goes back to an earlier copy under processes that run and writers that write. What was between is
// in no slot any more: both sides find out and stop with their own error, and --resnapshot gets out of it.
#include <doctest/doctest.h>

#include "stream/broker.h"
#include "tests/crash/seed.h"
#include "tests/crash/workload.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

void check_stopped(const std::string& name, Process& process, const std::string& reason) {
    CAPTURE(name);
    const int code = process.wait();
    CAPTURE(process.err());
    CHECK(code == 1);
    CHECK(contains(process.err(), reason));
    CHECK(contains(process.err(), "--copy-and-stream --resnapshot"));
}

// The slot has forgotten what the stream will lose, and the worker has applied it.
void run_ahead(Pipeline& pipeline, NatsServer& nats) {
    const Names names = names_for(pipeline.group());
    nats.keep_store();
    const Lsn kept = connect_broker(nats.url())->last_message(names.stream).value().meta.confirmable;
    pipeline.settle();
    eventually("the slot is confirmed beyond the copy", [&] {
        return pipeline.source_scalar("SELECT confirmed_flush_lsn > '" + to_string(kept) +
                                      "' FROM pg_replication_slots WHERE slot_name = '" + names.slot + "'") == "t";
    });
}

}  // namespace

TEST_CASE("nats-server's store goes back under running processes") {
    const unsigned seed = crash_seed();
    for (const std::string confirm : {"stream", "applied"}) {
        CAPTURE(confirm);
        NatsServer nats;
        Pipeline pipeline({shared_postgres(), shared_postgres(), nats});
        pipeline.always({"--confirm", confirm}, {});
        pipeline.on_both(Workload::schema());
        pipeline.on_source(Workload::rows());
        pipeline.start();
        pipeline.settle();
        Workload workload(shared_postgres(), pipeline.source_db(), seed, 2);
        run_ahead(pipeline, nats);
        nats.roll_back();
        check_stopped("the replicator", pipeline.replicator(), "the broker lost messages");
        check_stopped("the worker", pipeline.worker(), "restored to an earlier state");

        pipeline.start_replicator({"--copy-and-stream", "--resnapshot"});
        eventually("the new copy begins", [&] { return contains(pipeline.replicator().err(), "copying "); });
        pipeline.start_worker({"--target-existing-rows", "truncate"});
        workload.stop();
        pipeline.check_equal(Workload::tables());
        pipeline.stop();
    }
}
