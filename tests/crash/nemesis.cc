#include "tests/crash/nemesis.h"

#include <csignal>
#include <thread>

#include <doctest/doctest.h>

#include "stream/group/registry.h"
#include "tests/support/stream_group.h"

namespace pgsluice::test {
namespace {

using Names = std::vector<std::string>;

// Places in the program, stream/base/failpoint.h.
const Names replicator_places = {"after-publish", "before-feedback", "after-feedback"};
const Names worker_places = {"postgres-before-commit", "postgres-after-commit", "after-apply"};
const Names file_places = {"file-write", "file-before-checkpoint", "file-after-checkpoint", "file-rename",
                           "after-apply"};

// Small enough to fill within a fault, larger than the workload's largest transaction.
constexpr const char* stream_max_bytes = "24MB";

}  // namespace

Nemesis::Nemesis(Victims victims, unsigned seed)
    : victims_(victims), pipeline_(victims.pipeline), servers_(victims.servers), random_(seed) {
    auto& file = victims_.file_worker;
    auto& webhook = victims_.webhook_worker;
    faults_ = {
        {"kill the replicator", [&] { pipeline_.kill_replicator(); }},
        {"kill the worker", [&] { pipeline_.kill_worker(); }},
        {"kill replicator and worker", [&] { pipeline_.kill_replicator(), pipeline_.kill_worker(); }},
        {"kill the file worker", [&] { file.kill(); }},
        {"kill the file worker", [&] { file.kill(); }},
        {"kill the webhook worker", [&] { webhook.kill(); }},
        {"kill all four", [&] { pipeline_.kill_replicator(), pipeline_.kill_worker(), file.kill(), webhook.kill(); }},
        {"kill nats-server", [&] { servers_.nats.kill(), pause(500), servers_.nats.start(); }},
        {"kill nats-server and the replicator",
         [&] { servers_.nats.kill(), pipeline_.kill_replicator(), servers_.nats.start(); }},
        {"kill nats-server and all workers",
         [&] { servers_.nats.kill(), pipeline_.kill_worker(), file.kill(), webhook.kill(), servers_.nats.start(); }},
        {"crash the source", [&] { servers_.source.stop_immediate(), pause(300), servers_.source.start(); }},
        {"crash the target", [&] { servers_.target.stop_immediate(), pause(300), servers_.target.start(); }},
        {"crash the target, kill the worker",
         [&] { servers_.target.stop_immediate(), pipeline_.kill_worker(), servers_.target.start(); }},
        {"pause nats-server", [&] { servers_.nats.pause(), pause(1500), servers_.nats.resume(); }},
        {"pause the replicator", [&] { stop_and_continue(pipeline_.replicator()); }},
        {"pause the worker", [&] { stop_and_continue(pipeline_.worker()); }},
        {"pause the file worker", [&] { stop_and_continue(file.process()); }},
        {"pause the webhook worker", [&] { stop_and_continue(webhook.process()); }},
        {"pause the source", [&] { stop_and_continue(servers_.source); }},
        {"pause the target", [&] { stop_and_continue(servers_.target); }},
        {"kill a backend of the source", [&] { kill_backend(servers_.source); }},
        {"kill a backend of the source", [&] { kill_backend(servers_.source); }},
        {"kill a backend of the target", [&] { kill_backend(servers_.target); }},
        {"kill a backend of the target", [&] { kill_backend(servers_.target); }},
        {"terminate the source's backends", [&] { terminate_backends(servers_.source, "true"); }},
        {"terminate the walsender", [&] { terminate_backends(servers_.source, "backend_type = 'walsender'"); }},
        {"terminate the target's backends", [&] { terminate_backends(servers_.target, "true"); }},
        {"second replicator", [&] { second_replicator(); }},
        {"second replicator", [&] { second_replicator(); }},
        {"second worker", [&] { second_worker(); }},
        {"second worker", [&] { second_worker(); }},
        {"second worker", [&] { second_worker(); }},
        {"replicator's failpoint", [&] { replicator_failpoint(); }},
        {"replicator's failpoint", [&] { replicator_failpoint(); }},
        {"worker's failpoint", [&] { worker_failpoint(); }},
        {"worker's failpoint", [&] { worker_failpoint(); }},
        {"line worker's failpoint", [&] { line_worker_failpoint(); }},
        {"line worker's failpoint", [&] { line_worker_failpoint(); }},
        {"link", [&] { trouble_link(); }},
        {"link", [&] { trouble_link(); }},
        {"link", [&] { trouble_link(); }},
        {"link", [&] { trouble_link(); }},
        {"link", [&] { trouble_link(); }},
        {"link", [&] { trouble_link(); }},
        {"fill the stream", [&] { fill_stream(); }},
        {"fill the stream", [&] { fill_stream(); }},
    };
}

void Nemesis::prepare(Pipeline& pipeline, const Links& links, unsigned seed) {
    pipeline.go_through(links.ports());
    // Outages are short here, and several follow one another while a process has not yet got going.
    const Names patience = {"--retry-max-attempts", "1000", "--retry-initial-wait", "200ms", "--retry-max-wait", "1s"};
    Names replicator = patience;
    replicator.insert(replicator.end(), {"--stream-max-bytes", stream_max_bytes, "--stream-retain", "0s"});
    if (seed % 2 == 1) replicator.insert(replicator.end(), {"--confirm", "applied"});
    pipeline.always(replicator, patience);
}

// The first worker to apply something lets the stream be trimmed; by then the others have to be registered.
void Nemesis::start() {
    pipeline_.start_replicator();
    victims_.file_worker.start();
    victims_.webhook_worker.start();
    const auto broker = connect_broker(servers_.nats.url());
    WorkerRegistry registry(*broker, names_for(pipeline_.group()));
    eventually("the file and the webhook worker are registered", [&] { return registry.list().size() == 2; });
    ensure_running();
}

std::string Nemesis::strike() {
    detail_.clear();
    pause(dice(4) == 1 ? 50 : 1000);  // now and then before the last one is got over
    const Fault& fault = one_of(faults_);
    fault.happen();
    ensure_running();
    return fault.name + (detail_.empty() ? "" : " " + detail_);
}

int Nemesis::dice(int sides) { return std::uniform_int_distribution<int>(1, sides)(random_); }

// The moment of a fault is what the seed chooses; nothing is waited for.
void Nemesis::pause(int at_most_ms) { std::this_thread::sleep_for(std::chrono::milliseconds(dice(at_most_ms))); }

void Nemesis::stop_and_continue(Process& process, int at_most_ms) {
    process.signal(SIGSTOP);
    pause(at_most_ms);
    process.signal(SIGCONT);
}

void Nemesis::stop_and_continue(PostgresServer& server) {
    server.pause();
    pause(2000);
    server.resume();
}

void Nemesis::kill_backend(PostgresServer& server) {
    const auto pids = server.rows("postgres",
                                  "SELECT pid, backend_type FROM pg_stat_activity WHERE application_name LIKE "
                                  "'pgsluice%' ORDER BY backend_type, backend_start");
    if (pids.empty()) return;
    const std::string& chosen = one_of(pids);
    detail_ = chosen.substr(chosen.find('|') + 1);
    server.kill_backend(std::stoi(chosen));
}

// One works, the other waits. Changes that came between the other's would be missing, double or out of order.
void Nemesis::second_replicator() {
    const Process second({.argv = pipeline_.replicator_argv({"--copy-and-stream"})});
    pause(1500);
    const std::vector<Fault> ends = {
        {"goes", [] {}},
        {"takes over", [&] { pipeline_.kill_replicator(), pause(2500); }},
        {"competes", [&] { terminate_backends(servers_.source, "true"), pause(2500); }},
        {"behind a paused one", [&] { stop_and_continue(pipeline_.replicator()), pause(1000); }},
    };
    const Fault& end = one_of(ends);
    detail_ = end.name;
    end.happen();
}

void Nemesis::second_worker() {
    Actor* const actors[] = {nullptr, &victims_.file_worker, &victims_.webhook_worker};
    Actor* const actor = actors[dice(3) - 1];
    const Process second({.argv = actor != nullptr ? actor->argv() : pipeline_.worker_argv("postgres", {})});
    pause(1500);
    const std::vector<Fault> ends = {
        {"goes", [] {}},
        {"takes over", [&] { actor != nullptr ? actor->kill() : pipeline_.kill_worker(), pause(5000); }},
        {"competes",
         [&] { terminate_backends(servers_.target, "true"), victims_.links.workers_to_nats.cut(), pause(3000); }},
        // For long enough that a worker whose name alone says that it is there loses it.
        {"behind a paused one",
         [&] { stop_and_continue(actor != nullptr ? actor->process() : pipeline_.worker(), 6000), pause(2000); }},
    };
    const Fault& end = one_of(ends);
    detail_ = (actor != nullptr ? actor->argv().at(2) : "postgres") + " " + end.name;
    end.happen();
}

void Nemesis::replicator_failpoint() {
    detail_ = one_of(replicator_places) + ":" + std::to_string(dice(5));  // feedback is given once a second
    pipeline_.kill_replicator();
    pipeline_.start_replicator({"--copy-and-stream"}, {{"PGSLUICE_FAILPOINT", detail_}});
    eventually("the replicator dies at " + detail_, [&] { return !pipeline_.replicator().running(); });
    pipeline_.kill_replicator();
}

void Nemesis::worker_failpoint() {
    detail_ = one_of(worker_places) + ":" + std::to_string(dice(30));
    pipeline_.kill_worker();
    pipeline_.start_worker({}, {{"PGSLUICE_FAILPOINT", detail_}});
    eventually("the worker dies at " + detail_, [&] { return !pipeline_.worker().running(); });
    pipeline_.kill_worker();
}

void Nemesis::line_worker_failpoint() {
    const bool file = dice(3) > 1;
    Actor& actor = file ? victims_.file_worker : victims_.webhook_worker;
    const std::string place = file ? one_of(file_places) : "after-apply";
    // Checkpoints come once a second, finished files now and then.
    const bool rare = place != "file-write" && place != "after-apply";
    detail_ = (file ? "file " : "webhook ") + place + ":" + std::to_string(rare ? dice(2) : dice(20));
    actor.kill();
    actor.start({{"PGSLUICE_FAILPOINT", detail_.substr(detail_.find(' ') + 1)}});
    eventually("the worker dies at " + detail_, [&] { return !actor.process().running(); });
    actor.kill();
}

void Nemesis::terminate_backends(PostgresServer& server, const std::string& which) {
    server.sql(
        "postgres",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'pgsluice%' AND " + which);
}

// A link is cut, or is silent for a while in one direction or both and then is cut, or lives on.
void Nemesis::trouble_link() {
    auto links = victims_.links.all();
    const auto& [name, proxy] = links[static_cast<std::size_t>(dice(static_cast<int>(links.size())) - 1)];
    const auto half_open = [&proxy = proxy, this](bool up, bool down) {
        proxy.hold(up, down);
        pause(2500);
        if (dice(2) == 1) proxy.cut();
        proxy.hold(false, false);
    };
    const std::vector<Fault> troubles = {
        {"cut", [&proxy = proxy] { proxy.cut(); }},
        {"cut twice", [&proxy = proxy, this] { proxy.cut(), pause(300), proxy.cut(); }},
        {"cut and refusing",
         [&proxy = proxy, this] { proxy.refuse(true), proxy.cut(), pause(1500), proxy.refuse(false); }},
        {"silent to the server", [&] { half_open(true, false); }},
        {"silent to the client", [&] { half_open(false, true); }},
        {"silent", [&] { half_open(true, true); }},
        {"cut, unknown to the server", [&proxy = proxy, this] { proxy.cut_clients(), pause(2500), proxy.cut(); }},
    };
    const Fault& trouble = one_of(troubles);
    detail_ = name + " " + trouble.name;
    trouble.happen();
}

// A worker stands still until the stream is full; then it goes on, and so must everything.
void Nemesis::fill_stream() {
    Process* const workers[] = {&pipeline_.worker(), &victims_.file_worker.process(),
                                &victims_.webhook_worker.process()};
    Process& worker = *workers[dice(3) - 1];
    const auto said = pipeline_.replicator().err().size();
    worker.signal(SIGSTOP);
    eventually("the replicator says that the stream is full", [&] {
        pipeline_.on_source("INSERT INTO log SELECT i, repeat(md5(i::text), 1000) FROM generate_series(1, 30) AS i");
        const std::string err = pipeline_.replicator().err();
        return err.find("is full", said) != std::string::npos || err.find("of at most", said) != std::string::npos;
    });
    if (dice(2) == 1) pipeline_.kill_replicator();
    worker.signal(SIGCONT);
}

void Nemesis::ensure_running() {
    if (!pipeline_.has_replicator()) pipeline_.start_replicator();
    if (!pipeline_.has_worker()) pipeline_.start_worker();
    for (Actor* const actor : {&victims_.file_worker, &victims_.webhook_worker}) {
        if (!actor->started()) actor->start();
    }
}

}  // namespace pgsluice::test
