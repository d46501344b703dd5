#include "cmd/check/nats/store.h"

#include <fmt/format.h>

#include <algorithm>

#include "cmd/check/sides.h"

namespace pgsluice {

namespace {

constexpr const char* not_synced =
    "nats-server acknowledges messages before it syncs them to disk{}: a power cut can take what the slot has already "
    "forgotten";
constexpr const char* way_to_sync =
    "Set sync_interval: always in the jetstream block of nats-server's configuration (2.10 and later), or start the "
    "replicator with --confirm applied.";

std::string limit_text(std::int64_t limit) { return limit < 0 ? "no limit" : fmt::format("{}", limit); }

// What is used of something that the account has a limit of, and whether as many more fit.
void look_at_number(const char* what, std::int64_t used, std::int64_t limit, std::int64_t more, Findings& found) {
    if (limit >= 0 && used + more > limit)
        found.fail(
            fmt::format("the NATS account may have {} {}, has {}, and {} more are needed", limit, what, used, more),
            fmt::format("Raise the account's limit of {} in nats-server's configuration (or in the account's "
                        "JWT), or remove some that are no longer needed.",
                        what));
}

void look_at_stream_limit(const StreamConfig& stream, const BrokerAccount& account, Findings& found) {
    if (account.needs_max_bytes && stream.max_bytes <= 0)
        found.fail("the NATS account takes only streams with a limit", "Set --stream-max-bytes.");
    if (account.max_stream_bytes > 0 && (stream.max_bytes <= 0 || stream.max_bytes > account.max_stream_bytes))
        found.fail(fmt::format("the NATS account takes only streams of up to {} bytes", account.max_stream_bytes),
                   fmt::format("Set --stream-max-bytes to {} or less.", account.max_stream_bytes));
}

// JetStream reserves what a stream may store.
void look_at_free(std::int64_t wanted, std::int64_t free, const char* whose, Findings& found) {
    if (wanted > free)
        found.fail(fmt::format("--stream-max-bytes is {}, and {} may store only {} bytes more", wanted, whose, free),
                   "Lower --stream-max-bytes, or raise that limit.");
}

}  // namespace

void look_at_syncing(const Settings& settings, const CheckedNats& nats, Findings& found) {
    const ReplicatorOptions& options = settings.replicator;
    if (!checks_replicator(settings)) return;
    if (options.confirm == ConfirmMode::applied)
        return found.ok("the slot keeps what no worker has durably applied yet (--confirm applied)");
    if (!nats.monitoring) {
        if (options.assume_sync_always)
            found.ok("nats-server is taken to sync each message to disk (--assume-sync-always)");
        return;
    }
    const ServerFigures& figures = nats.monitoring->figures;
    if (figures.sync_always) return found.ok("nats-server syncs each message to disk (sync_interval: always)");
    const std::string when = figures.sync_interval_ns
                                 ? fmt::format(", every {} s", *figures.sync_interval_ns / 1'000'000'000)
                                 : std::string();
    found.warn(fmt::format(fmt::runtime(not_synced), when), way_to_sync);
}

void look_at_store(const Settings& settings, const BrokerAccount& account, const CheckedNats& nats, bool exists,
                   Findings& found) {
    found.ok(
        fmt::format("JetStream: the account has stored {} bytes (limit: {}), in {} streams (limit: {}) with {} "
                    "consumers (limit: {})",
                    account.bytes, limit_text(account.max_bytes), account.streams, limit_text(account.max_streams),
                    account.consumers, limit_text(account.max_consumers)));
    if (checks_worker(settings)) look_at_number("consumers", account.consumers, account.max_consumers, 1, found);
    if (!checks_replicator(settings) || exists) return;
    look_at_number("streams", account.streams, account.max_streams, 2, found);
    const StreamConfig& stream = settings.replicator.stream;
    look_at_stream_limit(stream, account, found);
    if (account.max_bytes >= 0) look_at_free(stream.max_bytes, account.max_bytes - account.bytes, "the account", found);
    if (!nats.monitoring || !nats.monitoring->figures.jetstream) return;
    const ServerFigures& figures = nats.monitoring->figures;
    const std::int64_t free = figures.max_storage - std::max(figures.storage, figures.reserved_storage);
    look_at_free(stream.max_bytes, free, "nats-server", found);
    found.ok(fmt::format("nats-server may store {} bytes more", free));
}

}  // namespace pgsluice
