// What of a group's health is worth a word.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "stream/health/group_health.h"
#include "stream/share/share.h"

namespace pgsluice {

namespace {

class Judge {
   public:
    Judge(GroupHealth& health, const HealthThresholds& thresholds) : health_(health), thresholds_(thresholds) {}

    void stream() {
        const StreamHealth& stream = health_.stream;
        if (!stream.exists) return add(HealthLevel::fail, "stream", fmt::format("'{}' does not exist", stream.name));
        if (stream.max_bytes <= 0) return;
        const double share = static_cast<double>(stream.bytes) / static_cast<double>(stream.max_bytes);
        if (!thresholds_.warn_stream_share || share < *thresholds_.warn_stream_share) return;
        const std::string whom =
            stream.oldest_needed_by.empty() ? "a first worker" : fmt::format("worker '{}'", stream.oldest_needed_by);
        add(HealthLevel::warn, "stream",
            fmt::format("{:.0f} % of its limit is used, by what {} needs", share * 100, whom));
    }

    void slot() {
        if (!health_.slot) return;
        const SlotHealth& slot = *health_.slot;
        if (!slot.exists && needs_no_slot()) return;
        if (!slot.exists) return add(HealthLevel::fail, "slot", fmt::format("'{}' does not exist", slot.name));
        if (slot.invalidated || slot.wal_status == "lost")
            return add(HealthLevel::fail, "slot", "it is invalidated: it cannot be read any more");
        if (slot.wal_status == "unreserved")
            add(HealthLevel::fail, "slot", "it is about to be lost: the next checkpoint may remove WAL that it needs");
        if (!slot.active && !is_read_later()) add(HealthLevel::warn, "slot", "no replicator reads it");
        above("slot", "it is {} behind", slot.behind_seconds, thresholds_.warn_behind_seconds,
              thresholds_.fail_behind_seconds);
        if (!slot.seconds_to_loss) return;
        const double left = *slot.seconds_to_loss;
        if (const auto level = below(left, thresholds_.warn_seconds_to_loss, thresholds_.fail_seconds_to_loss))
            add(*level, "slot", fmt::format("at the present rate it is lost in {:.0f} s", left));
    }

    // Its replicator copies the tables first, or waits for a dump.
    [[nodiscard]] bool is_read_later() const {
        const PartState replicator = health_.replicator.state;
        const bool runs = replicator != PartState::stopped && replicator != PartState::dead;
        const bool copies = health_.snapshot && !health_.snapshot->complete;
        return runs && (copies || (health_.bootstrap && health_.bootstrap->state == "waiting"));
    }

    void replicator() {
        const ReplicatorHealth& replicator = health_.replicator;
        switch (replicator.state) {
            case PartState::dead:
                return add(HealthLevel::fail, "replicator", silent(replicator.report_age));
            case PartState::stopped:
                if (replicator.finished) return;
                if (replicator.failed) return add(HealthLevel::fail, "replicator", "stopped: " + replicator.last_error);
                return add(HealthLevel::warn, "replicator", "it is not running");
            case PartState::waiting:
                if (replicator.waiting.empty() && !replicator.last_error.empty())
                    return add(HealthLevel::warn, "replicator", "trying again: " + replicator.last_error);
                break;
            case PartState::stream_full:
                return add(HealthLevel::warn, "replicator", "it waits for room in the stream");
            default:
                break;
        }
        if (!replicator.waiting.empty()) add(HealthLevel::warn, "replicator", "waiting for " + replicator.waiting);
    }

    // It dies with the process that holds it.
    void bootstrap() {
        const PartState replicator = health_.replicator.state;
        const bool gone = replicator == PartState::stopped || replicator == PartState::dead;
        if (health_.bootstrap && health_.bootstrap->state == "waiting" && gone)
            add(HealthLevel::fail, "bootstrap",
                "its snapshot was lost with the replicator: no dump can begin with it any more");
        if (health_.bootstrap && health_.bootstrap->state == "unknown")
            add(HealthLevel::fail, "bootstrap",
                "the KV bucket that said whether the targets hold the dump was lost, and workers do not begin; if they "
                "hold it, run the replicator with --bootstrap complete");
    }

    void standby() {
        if (health_.standby && health_.standby->dead)
            add(HealthLevel::warn, "standby", silent(health_.standby->report_age));
    }

    void worker(const WorkerHealth& worker) {
        const std::string part = fmt::format("worker '{}'", worker.name);
        if (!worker.readable) return add(HealthLevel::fail, part, "its entry cannot be read, so nothing is trimmed");
        runs(worker, part);
        if (!worker.waiting.empty()) add(HealthLevel::warn, part, "waiting for " + worker.waiting);
        above(part, "it is {} behind", worker.behind_seconds, thresholds_.warn_behind_seconds,
              thresholds_.fail_behind_seconds);
    }

    void workers() {
        const bool wait = health_.bootstrap && health_.bootstrap->state != "streaming";  // not registered meanwhile
        if (health_.workers.empty() && health_.stream.exists && !wait)
            add(HealthLevel::warn, "workers", "none is registered; the stream keeps everything for a first one");
        for (const WorkerHealth& one : health_.workers) worker(one);
        shares();
    }

    // One that is there without the others of its set.
    void shares() {
        std::map<std::string, std::vector<ShareWorker>> by_name;
        for (const WorkerHealth& one : health_.workers) {
            auto share = parse_share_worker(one.name);
            by_name[share.base].push_back(std::move(share));
        }
        for (const auto& [base, all] : by_name)
            for (const ShareWorker& one : all) missing_beside(base, one.share, all);
    }

    void dead_letters() {
        const std::uint64_t messages = health_.dead_letters.messages;
        if (messages == 0) return;
        const auto level = thresholds_.fail_dead_letters ? HealthLevel::fail : HealthLevel::warn;
        add(level, "dead letters", fmt::format("{} changes are parked; see pgsluice dlq list", messages));
    }

   private:
    void runs(const WorkerHealth& worker, const std::string& part) {
        switch (worker.state) {
            case PartState::dead:
                return add(HealthLevel::fail, part, silent(worker.report_age));
            case PartState::stopped:
                if (!worker.started)
                    return add(HealthLevel::fail, part, "it was never started; the stream is kept for its share");
                if (worker.failed) return add(HealthLevel::fail, part, "not running: " + worker.last_error);
                return add(HealthLevel::warn, part, "it is not running");
            case PartState::waiting:
                if (worker.waiting.empty() && !worker.last_error.empty())
                    add(HealthLevel::warn, part, "trying again: " + worker.last_error);
                return;
            default:
                return;
        }
    }

    // Said once of each set, with its first share that is there.
    void missing_beside(const std::string& base, const Share& first, const std::vector<ShareWorker>& all) {
        std::string missing;
        for (std::uint32_t number = 1; number <= first.count; ++number) {
            const Share share{number, first.count, first.by};
            const bool there = std::ranges::any_of(all, [&](const ShareWorker& one) { return one.share == share; });
            if (there && number < first.number) return;
            if (!there) missing += (missing.empty() ? "" : ", ") + to_string(share);
        }
        if (!missing.empty())
            add(HealthLevel::fail, fmt::format("worker '{}'", base),
                fmt::format("no worker is registered for the share {} of its rows", missing));
    }

    // A copy's slot is gone when it has ended, and is not the group's before.
    [[nodiscard]] bool needs_no_slot() const {
        return health_.replicator.finished || health_.replicator.state == PartState::snapshot;
    }

    void add(HealthLevel level, std::string part, std::string text) {
        health_.findings.push_back({level, std::move(part), std::move(text)});
    }

    static std::string silent(const std::optional<double>& age) {
        return fmt::format("it has not reported for {:.0f} s and did not say that it ended", age.value_or(0));
    }

    void above(const std::string& part, fmt::string_view text, const std::optional<double>& seconds,
               const std::optional<double>& warn, const std::optional<double>& fail) {
        if (!seconds) return;
        const bool fails = fail && *seconds >= *fail;
        if (!fails && !(warn && *seconds >= *warn)) return;
        add(fails ? HealthLevel::fail : HealthLevel::warn, part,
            fmt::format(fmt::runtime(text), fmt::format("{:.0f} s", *seconds)));
    }

    static std::optional<HealthLevel> below(double value, const std::optional<double>& warn,
                                            const std::optional<double>& fail) {
        if (fail && value < *fail) return HealthLevel::fail;
        if (warn && value < *warn) return HealthLevel::warn;
        return std::nullopt;
    }

    GroupHealth& health_;
    const HealthThresholds& thresholds_;
};

}  // namespace

void judge(GroupHealth& health, const HealthThresholds& thresholds) {
    health.findings.clear();
    Judge judge(health, thresholds);
    judge.stream();
    judge.slot();
    judge.replicator();
    judge.bootstrap();
    judge.standby();
    judge.workers();
    judge.dead_letters();
    std::stable_sort(health.findings.begin(), health.findings.end(),
                     [](const HealthFinding& a, const HealthFinding& b) { return a.level > b.level; });
}

HealthLevel level_of(const GroupHealth& health) {
    HealthLevel level = HealthLevel::ok;
    for (const HealthFinding& finding : health.findings) level = std::max(level, finding.level);
    return level;
}

const char* to_text(PartState state) {
    switch (state) {
        case PartState::unknown:
            return "unknown";
        case PartState::waiting:
            return "waiting";
        case PartState::snapshot:
            return "snapshot";
        case PartState::streaming:
            return "streaming";
        case PartState::stream_full:
            return "waiting for a full stream";
        case PartState::stopped:
            return "stopped";
        case PartState::dead:
            return "dead";
    }
    return "";
}

const char* to_text(HealthLevel level) {
    switch (level) {
        case HealthLevel::ok:
            return "ok";
        case HealthLevel::warn:
            return "warn";
        case HealthLevel::fail:
            return "fail";
    }
    return "";
}

}  // namespace pgsluice
