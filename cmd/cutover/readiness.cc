#include "cmd/cutover/readiness.h"

#include <fmt/format.h>

#include <algorithm>

#include "replicator/source/slot/health.h"
#include "sql/error.h"
#include "stream/base/pause.h"
#include "stream/group/ddl_keys.h"
#include "stream/health/gather.h"
#include "stream/share/one_worker.h"
#include "worker/compare/copies.h"

namespace pgsluice {

namespace {

constexpr std::chrono::milliseconds look_every(200);
constexpr std::chrono::seconds say_every(10);
constexpr std::uint64_t small_bytes = 1 << 20;  // where the server does not say how many seconds it is

}  // namespace

GroupHealth CutoverReadiness::look() {
    GroupHealth health = gather_health(broker_, settings_.worker.names, settings_.status.thresholds);
    health.slot = look_at_slot(source_, settings_.worker.names.slot);
    judge(health, settings_.status.thresholds);
    return health;
}

const WorkerHealth& CutoverReadiness::worker_of(const GroupHealth& health) const {
    const std::string& name = settings_.worker.worker;
    std::vector<std::string> workers;
    for (const WorkerHealth& worker : health.workers) workers.push_back(worker.name);
    require_one_worker("cut over", name, workers);
    const auto found = std::ranges::find(health.workers, name, &WorkerHealth::name);
    if (found == health.workers.end() || found->sink != "postgres")
        throw stop_error(fmt::format("unable to cut over: group '{}' has no postgres worker '{}'", health.group, name),
                         "Give its --worker-name. See the group's workers with pgsluice status.");
    const PartState state = found->state;
    if (state != PartState::streaming && state != PartState::snapshot && state != PartState::waiting)
        throw stop_error(fmt::format("unable to cut over: worker '{}' is not streaming: {}", name,
                                     state == PartState::stopped ? "it is not running" : to_text(state)),
                         "Start it, and wait until pgsluice status shows that it is streaming.");
    return *found;
}

void CutoverReadiness::require() {
    const GroupHealth health = look();
    const std::string ours = fmt::format("worker '{}'", settings_.worker.worker);
    for (const HealthFinding& finding : health.findings) {
        const bool of_others = finding.part.starts_with("worker '") && finding.part != ours;
        if (finding.level == HealthLevel::fail && !of_others)
            throw stop_error(fmt::format("unable to cut over: {}: {}", finding.part, finding.text),
                             "See pgsluice status, and run it again once that is mended.");
        log_(LogLevel::warning, fmt::format("{}: {}", finding.part, finding.text));
    }
    const WorkerHealth& worker = worker_of(health);
    if (const std::string table = uncopied(broker_, settings_.worker.names, {}); !table.empty())
        throw stop_error(fmt::format("unable to cut over: the rows of {} are still to be copied", table),
                         "Run it again once pgsluice tables shows no table as copy-due; the replicator must run.");
    if (!health.slot->active)
        throw stop_error("unable to cut over: no replicator reads the source's slot", "Start the group's replicator.");
    if (health.dead_letters.messages > 0)
        throw stop_error(fmt::format("unable to cut over: the group has {} dead letters, which the target lacks",
                                     health.dead_letters.messages),
                         "See them with pgsluice dlq list; apply them with pgsluice dlq replay, or discard them.");
    if (DdlKeys(broker_, settings_.worker.names, worker.name).pending())
        throw stop_error(
            fmt::format("unable to cut over: worker '{}' waits before a command of the source", worker.name),
            "See it with pgsluice ddl list, and decide with pgsluice ddl apply or skip.");
    if (worker.loading_epoch != 0)
        throw stop_error(fmt::format("unable to cut over: worker '{}' is in the middle of a snapshot", worker.name),
                         "Run it again once the worker's log says that the snapshot is complete.");
}

bool CutoverReadiness::is_small(const GroupHealth& health) const {
    const double most = settings_.cutover.max_lag_ms / 1000.0;
    const SlotHealth& slot = *health.slot;
    const bool slot_is_near = slot.behind_seconds ? *slot.behind_seconds <= most : slot.behind_bytes <= small_bytes;
    const WorkerHealth& worker = worker_of(health);
    return slot_is_near && worker.loading_epoch == 0 && worker.behind_seconds.value_or(0) <= most;
}

void CutoverReadiness::await_small_lag() {
    auto next_say = std::chrono::steady_clock::now() + say_every;
    for (;;) {
        await_copies(broker_, settings_.worker.names, {}, log_, source_.stop());
        const GroupHealth health = look();
        if (is_small(health)) return;
        if (std::chrono::steady_clock::now() >= next_say) {
            next_say = std::chrono::steady_clock::now() + say_every;
            log_(LogLevel::info,
                 fmt::format("waiting until the lag is small: the slot is {} bytes behind, worker '{}' "
                             "{:.1f} s and {} messages",
                             health.slot->behind_bytes, settings_.worker.worker,
                             worker_of(health).behind_seconds.value_or(0), worker_of(health).behind_messages));
        }
        if (!pause(source_.stop(), look_every)) throw Interrupted{};
    }
}

}  // namespace pgsluice
