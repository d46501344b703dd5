#include "tests/crash/nemesis.h"

#include <csignal>
#include <thread>

#include <doctest/doctest.h>

namespace pgsluice::test {
namespace {

// Places in the program, stream/failpoint.h.
const std::vector<std::string> replicator_places = {"after_publish", "before_feedback", "after_feedback"};
const std::vector<std::string> worker_places = {"postgres_before_commit", "postgres_after_commit", "after_apply"};

}  // namespace

Nemesis::Nemesis(Pipeline& pipeline, PipelineServers servers, unsigned seed)
    : pipeline_(pipeline), servers_(servers), random_(seed) {
    faults_ = {
        {"kill the replicator", [&] { pipeline_.kill_replicator(); }},
        {"kill the worker", [&] { pipeline_.kill_worker(); }},
        {"kill both", [&] { pipeline_.kill_replicator(), pipeline_.kill_worker(); }},
        {"kill nats-server", [&] { servers_.nats.kill(), pause(500), servers_.nats.start(); }},
        {"kill nats-server and the replicator",
         [&] { servers_.nats.kill(), pipeline_.kill_replicator(), servers_.nats.start(); }},
        {"crash the source", [&] { servers_.source.stop_immediate(), pause(300), servers_.source.start(); }},
        {"crash the target", [&] { servers_.target.stop_immediate(), pause(300), servers_.target.start(); }},
        {"crash the target, kill the worker",
         [&] { servers_.target.stop_immediate(), pipeline_.kill_worker(), servers_.target.start(); }},
        {"pause nats-server", [&] { servers_.nats.pause(), pause(1500), servers_.nats.resume(); }},
        {"pause the replicator", [&] { stop_and_continue(pipeline_.replicator()); }},
        {"pause the worker", [&] { stop_and_continue(pipeline_.worker()); }},
        {"terminate the source's backends", [&] { terminate_backends(servers_.source); }},
        {"terminate the target's backends", [&] { terminate_backends(servers_.target); }},
        {"replicator's failpoint", [&] { detail_ = replicator_failpoint(); }},
        {"replicator's failpoint", [&] { detail_ = replicator_failpoint(); }},
        {"worker's failpoint", [&] { detail_ = worker_failpoint(); }},
        {"worker's failpoint", [&] { detail_ = worker_failpoint(); }},
    };
}

std::string Nemesis::strike() {
    detail_.clear();
    pause(1000);
    const Fault& fault = faults_[static_cast<std::size_t>(dice(static_cast<int>(faults_.size())) - 1)];
    fault.happen();
    ensure_running();
    return fault.name + (detail_.empty() ? "" : " " + detail_);
}

int Nemesis::dice(int sides) { return std::uniform_int_distribution<int>(1, sides)(random_); }

// The moment of a fault is what the seed chooses; nothing is waited for.
void Nemesis::pause(int at_most_ms) { std::this_thread::sleep_for(std::chrono::milliseconds(dice(at_most_ms))); }

void Nemesis::stop_and_continue(Process& process) {
    process.signal(SIGSTOP);
    pause(1500);
    process.signal(SIGCONT);
}

std::string Nemesis::replicator_failpoint() {
    const auto place =
        replicator_places[static_cast<std::size_t>(dice(static_cast<int>(replicator_places.size())) - 1)] + ":" +
        std::to_string(dice(5));  // feedback is given once a second
    pipeline_.kill_replicator();
    pipeline_.start_replicator({"--copy-and-stream"}, {{"PGSLUICE_FAILPOINT", place}});
    eventually("the replicator dies at " + place, [&] { return !pipeline_.replicator().running(); });
    pipeline_.kill_replicator();
    return place;
}

std::string Nemesis::worker_failpoint() {
    const auto place = worker_places[static_cast<std::size_t>(dice(static_cast<int>(worker_places.size())) - 1)] + ":" +
                       std::to_string(dice(30));
    pipeline_.kill_worker();
    pipeline_.start_worker({}, {{"PGSLUICE_FAILPOINT", place}});
    eventually("the worker dies at " + place, [&] { return !pipeline_.worker().running(); });
    pipeline_.kill_worker();
    return place;
}

void Nemesis::terminate_backends(PostgresServer& server) {
    server.sql("postgres",
               "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'pgsluice%'");
}

void Nemesis::ensure_running() {
    if (!pipeline_.has_replicator()) pipeline_.start_replicator();
    if (!pipeline_.has_worker()) pipeline_.start_worker();
}

}  // namespace pgsluice::test
