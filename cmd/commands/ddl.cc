#include "cmd/commands/ddl.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "sql/error.h"
#include "stream/base/printable.h"
#include "stream/group/ddl_keys.h"

namespace pgsluice {

namespace {

std::string described(const std::string& worker, const PendingDdl& pending) {
    return fmt::format("worker '{}': {} on {} at {}\n  {}\n  {}\n", worker, pending.kind, printable(pending.object),
                       to_string(pending.place.position), printable(pending.text), printable(pending.reason));
}

std::vector<std::string> waiting(Broker& broker, const Settings& settings) {
    std::vector<std::string> workers = DdlKeys::workers_waiting(broker, settings.worker.names);
    const std::string& wanted = settings.worker.worker;
    if (!wanted.empty()) std::erase_if(workers, [&](const std::string& worker) { return worker != wanted; });
    return workers;
}

void decide(const Settings& settings, const Log& log, std::stop_token stop, DdlDecision decision) {
    const auto broker = Broker::connect(settings.nats, log, std::move(stop));
    const auto workers = waiting(*broker, settings);
    if (workers.empty())
        throw stop_error(fmt::format("unable to decide: no worker of group '{}' waits for a decision about a command",
                                     settings.worker.names.group),
                         "A worker that waits for one says so in its log.");
    if (workers.size() > 1)
        throw usage_error(fmt::format("unable to decide: the workers {} wait for decisions", fmt::join(workers, ", ")),
                          "Name one with --worker-name.");
    DdlKeys keys(*broker, settings.worker.names, workers.front());
    const auto pending = keys.pending();
    if (!pending) throw retry_error("unable to decide: the command was decided about meanwhile");
    keys.decide(pending->place, decision);
    std::printf("%sdecided: %s; if the worker has ended, start it again\n",
                described(workers.front(), *pending).c_str(), decision == DdlDecision::apply ? "apply" : "skip");
}

}  // namespace

void run_ddl_list(Settings settings, const Log& log, std::stop_token stop) {
    const auto broker = Broker::connect(settings.nats, log, std::move(stop));
    const auto workers = waiting(*broker, settings);
    for (const std::string& worker : workers)
        if (const auto pending = DdlKeys(*broker, settings.worker.names, worker).pending())
            std::printf("%s", described(worker, *pending).c_str());
    if (workers.empty()) std::printf("no command waits for a decision\n");
}

void run_ddl_apply(Settings settings, const Log& log, std::stop_token stop) {
    decide(settings, log, std::move(stop), DdlDecision::apply);
}

void run_ddl_skip(Settings settings, const Log& log, std::stop_token stop) {
    decide(settings, log, std::move(stop), DdlDecision::skip);
}

}  // namespace pgsluice
