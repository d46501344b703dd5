#include "cmd/check/nats/nats.h"

#include <fmt/format.h>

#include <algorithm>

#include "cmd/check/nats/rights.h"
#include "cmd/check/nats/store.h"
#include "cmd/check/sides.h"
#include "stream/broker_probe.h"
#include "stream/payload.h"

namespace pgsluice {

namespace {

void look_at_server(const BrokerProbe& probe, Findings& found) {
    const BrokerServer server = probe.server();
    found.ok(fmt::format("connected to '{}': nats-server {}, {}, max_payload {} bytes", server.name,
                         server.version.empty() ? "of an unknown version" : server.version,
                         server.cluster.empty() ? "a single server" : "cluster " + server.cluster, server.max_payload));
    if (server.max_payload < least_max_payload)
        found.fail(fmt::format("its max_payload of {} bytes has no room for a message", server.max_payload),
                   max_payload_hint);
}

void look_at_monitoring_of(const Settings& settings, CheckedNats& nats, Findings& found) {
    const std::string& url = settings.check.monitoring_url;
    if (url.empty())
        found.skipped(
            "what only monitoring shows (how often nats-server syncs its disk, what it may still store, its clock): "
            "give --nats-monitoring-url");
    else
        try {
            nats.monitoring = look_at_monitoring(url);
        } catch (const Error& error) {  // a run does not need it
            found.warn(error.what(), error.hint());
        }
}

void look_at_stream(const Settings& settings, const BrokerProbe& probe, Findings& found) {
    const Names& names = settings.replicator.names;
    if (checks_replicator(settings))
        for (const Error& fault : probe.stream_faults(names, settings.replicator.stream))
            found.fail(fault.what(), fault.hint());
    if (probe.stream_exists(names.stream)) return found.ok(fmt::format("stream '{}' is there", names.stream));
    const std::string list = probe.api_subject("STREAM.NAMES");
    if (probe.refusal({"", list, list}))
        return found.skipped(fmt::format("whether another stream has subject '{}': the user may not publish to '{}'",
                                         names.changes_subject, list));
    const std::string other = probe.stream_of_subjects(names);
    if (!other.empty())
        found.fail(
            fmt::format("unable to create stream '{}': stream '{}' already has its subjects", names.stream, other),
            fmt::format("Remove that stream (`nats stream rm {} --force`), or choose another --group.", other));
}

void look_at_seal(const Settings& settings, Findings& found, const std::stop_token& stop) {
    const Names& names = settings.replicator.names;
    const auto broker = Broker::connect(settings.nats, silent_log, stop);
    if (broker->stream_state(names.stream) && !settings.replicator.resnapshot)
        found.attempt([&](const Log&) { broker->check_sealed(names); });
}

}  // namespace

std::vector<CheckFinding> look_at_nats(const Settings& settings, CheckedNats& nats, const std::stop_token& stop) {
    Findings found("nats");
    std::optional<BrokerProbe> probe;
    const auto look = [&](const std::function<void()>& check) { return found.attempt([&](const Log&) { check(); }); };
    if (!look([&] { probe.emplace(settings.nats, silent_log, stop); })) {
        found.skipped("all else that is needed of it, for there is no connection");
        return found.take();
    }
    look([&] { look_at_server(*probe, found); });
    look([&] { look_at_monitoring_of(settings, nats, found); });
    look([&] { look_at_syncing(settings, nats, found); });
    std::optional<BrokerAccount> account;
    const bool reads = [&] {
        const std::string info = probe->api_subject("INFO");
        if (!probe->refusal({"", info, info}) && !look([&] { account = probe->account(); })) return false;
        return look_at_nats_rights(settings, *probe, found);
    }();
    if (!account) return found.take();
    look([&] {
        look_at_store(settings, *account, nats, reads && probe->stream_exists(settings.replicator.names.stream), found);
    });
    if (!reads) return found.take();
    nats.readable = true;
    look([&] { look_at_stream(settings, *probe, found); });
    look([&] { look_at_seal(settings, found, stop); });
    return found.take();
}

}  // namespace pgsluice
