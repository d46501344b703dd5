#include "worker/share/start.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "sinks/takes_over.h"
#include "sql/error.h"
#include "stream/base/failpoint.h"
#include "stream/base/pause.h"
#include "stream/group/delivered_rules.h"
#include "stream/group/schema_history.h"

namespace pgsluice {

namespace {

bool of_set(const WorkerEntry& entry, const Share& share) {
    return parse_share_worker(entry.name).share.same_set(share);
}

std::string set_text(const Share& share) {
    if (share.is_all()) return "one worker for all rows";
    return fmt::format("{} shares{}", share.count, share.by == ShareBy::table ? " by table" : "");
}

// A share that has not been started yet.
WorkerEntry not_started(const WorkerOptions& options, const std::string& base, const Share& share) {
    WorkerEntry entry;
    entry.name = share_worker(base, share);
    entry.sink = options.sink;
    entry.durable.resume_seq.value = 1;
    entry.reported_us = WorkerRegistry::now_us();
    return entry;
}

class TakingOver {
   public:
    TakingOver(const WorkerOptions& options, Broker& broker, WorkerRegistry& registry, Sink& sink, const Log& log,
               const std::stop_token& stop)
        : options_(options),
          own_(parse_share_worker(options.worker)),
          broker_(broker),
          registry_(registry),
          keeper_(dynamic_cast<TakesOver*>(&sink)),
          log_(log),
          stop_(stop) {}

    // False when another worker of our set is just doing it.
    bool run(const std::vector<WorkerEntry>& family) {
        for (const WorkerEntry& entry : family)
            if (!of_set(entry, own_.share)) {
                if (!end(entry)) return false;
                PGSLUICE_FAILPOINT("share-retired");
            }
        prepare_all();
        for (const OldShare& old : old_) {
            remove(old.worker);
            PGSLUICE_FAILPOINT("share-removed");
        }
        log_(LogLevel::info, fmt::format("{} take over from {} of worker '{}'", set_text(own_.share),
                                         set_text(old_.front().share), own_.base));
        return true;
    }

   private:
    // One that was killed no longer reports; waiting for that takes a moment.
    WorkerEntry await_end(WorkerEntry entry) {
        const auto interval = std::chrono::milliseconds(options_.registry_interval_ms);
        const auto silent = std::chrono::microseconds(WorkerRegistry::now_us() - entry.reported_us) > 10 * interval;
        for (int i = 0; i < 15 && !silent && !entry.session.empty(); ++i) {
            if (!pause(stop_, interval / 5)) throw Interrupted{};
            const auto now = registry_.find(entry.name);
            if (now && now->session == entry.session && now->reported_us != entry.reported_us) throw running(entry);
            if (now && now->session.empty()) entry = *now;
        }
        return entry;
    }

    bool end(const WorkerEntry& found) {
        const WorkerEntry entry = await_end(found);
        if (!entry.retired && !registry_.retire(entry)) {
            const auto now = registry_.find(entry.name);
            if (!now || now->retired) return false;
            throw running(entry);
        }
        OldShare old{entry.name,      parse_share_worker(entry.name).share,
                     entry.durable,   entry.loading_epoch,
                     entry.begin_seq, entry.handover ? entry.handover->parts : std::vector<DeliveredPart>{}};
        // What the target says is the truth; the entry may be older.
        const auto state = keeper_ == nullptr ? std::nullopt : keeper_->end_worker(entry.name);
        if (state) {
            old.durable = state->checkpoint;
            old.loading_epoch = state->loading_epoch;
            old.begin_seq =
                std::max(state->begin_seq, entry.loading_epoch == old.loading_epoch ? entry.begin_seq : StreamSeq{});
        }
        old_.push_back(std::move(old));
        return true;
    }

    [[nodiscard]] Error running(const WorkerEntry& entry) const {
        const Share other = parse_share_worker(entry.name).share;
        return retry_error(
            fmt::format("unable to start worker '{}': worker '{}' is running, and is of another set of shares ({})",
                        options_.worker, entry.name, set_text(other)),
            "Stop all workers of the other set first. One that was killed counts as running for a few seconds.");
    }

    void prepare_all() {
        for (std::uint32_t number = 1; number <= own_.share.count; ++number) {
            const Share share{number, own_.share.count, own_.share.by};
            WorkerEntry entry = not_started(options_, own_.base, share);
            if (registry_.find(entry.name)) continue;  // a start before this one came so far
            Handover handover = hand_over(share, old_);
            entry.durable = entry.applied = handover.start;
            entry.durable.resume_seq.value = std::max<std::uint64_t>(1, entry.durable.resume_seq.value);
            entry.loading_epoch = handover.loading_epoch;
            entry.begin_seq = handover.begin_seq;
            copy_notes(handover.before, entry.name);
            entry.handover = std::move(handover);
            registry_.prepare(entry);
            PGSLUICE_FAILPOINT("share-prepared");
        }
    }

    // What the old workers met and by which rules they delivered it holds for their rows, also here.
    void copy_notes(const std::vector<std::string>& before, const std::string& next) {
        const Names& names = options_.names;
        SchemaHistory history(broker_, names, next);
        DeliveredRulesKeys delivered(broker_, names, next);
        history.clear();
        delivered.clear();
        std::map<Oid, std::string> notes;
        for (const std::string& old : before) {
            for (const auto& [table, seen] : SchemaHistory(broker_, names, old).load()) history.put(table, &seen);
            notes = of_both(std::move(notes), notes_of(old));
        }
        if (keeper_ != nullptr) return keeper_->succeed(next, before, notes);
        for (const auto& [table, rules] : notes) delivered.put(table, rules);
    }

    std::map<Oid, std::string> notes_of(const std::string& old) {
        return keeper_ != nullptr ? keeper_->notes_of(old) : DeliveredRulesKeys(broker_, options_.names, old).load();
    }

    void remove(const std::string& worker) {
        registry_.remove(worker);
        SchemaHistory(broker_, options_.names, worker).clear();
        DeliveredRulesKeys(broker_, options_.names, worker).clear();
    }

    const WorkerOptions& options_;
    const ShareWorker own_;
    Broker& broker_;
    WorkerRegistry& registry_;
    TakesOver* keeper_;
    const Log& log_;
    const std::stop_token& stop_;
    std::vector<OldShare> old_;
};

// Fenced a moment ago by another worker of our set, which starts at the same time.
bool is_under_way(const WorkerEntry& entry, const WorkerOptions& options) {
    const auto since = std::chrono::microseconds(WorkerRegistry::now_us() - entry.reported_us);
    return entry.retired && since < 10 * std::chrono::milliseconds(options.registry_interval_ms);
}

// From the stream's beginning; the stream is kept for those that are not started yet.
void prepare_set(const WorkerOptions& options, WorkerRegistry& registry) {
    const ShareWorker own = parse_share_worker(options.worker);
    for (std::uint32_t number = 1; number <= own.share.count; ++number)
        registry.prepare(not_started(options, own.base, {number, own.share.count, own.share.by}));
}

}  // namespace

ShareStart decide_share_start(const std::string& worker, const std::string& sink, const std::string& group,
                              const std::vector<WorkerEntry>& family) {
    const ShareWorker own = parse_share_worker(worker);
    std::vector<WorkerEntry> mine;
    std::vector<WorkerEntry> others;
    for (const WorkerEntry& entry : family) (of_set(entry, own.share) ? mine : others).push_back(entry);
    for (const WorkerEntry& entry : family)
        if (entry.sink != sink)
            throw stop_error(
                fmt::format("unable to start worker '{}': '{}' is a {} worker", worker, entry.name, entry.sink),
                "Give this one, and all with a share of the same rows, a --worker-name of their own.");
    if (others.empty()) return ShareStart::join;
    const Share other = parse_share_worker(others.front().name).share;
    for (const WorkerEntry& entry : others)
        if (!of_set(entry, other))
            throw stop_error(
                fmt::format("unable to start worker '{}': the change to {} has not ended", worker,
                            set_text(others.back().retired ? other : parse_share_worker(others.back().name).share)),
                "Start a worker of that set first.");
    const bool theirs_are_over = std::ranges::all_of(others, &WorkerEntry::retired);
    if (!mine.empty() && !theirs_are_over)
        throw stop_error(
            fmt::format("unable to start worker '{}': the change to {} has not ended", worker, set_text(other)),
            fmt::format("Start a worker of that set first. What is not needed any more is removed by "
                        "pgsluice forget --group {}.",
                        group));
    return ShareStart::take_over;
}

void enter_share(const WorkerOptions& options, Broker& broker, WorkerRegistry& registry, Sink& sink, const Log& log,
                 const std::stop_token& stop) {
    while (true) {
        const auto family = registry.family(parse_share_worker(options.worker).base);
        const auto start = decide_share_start(options.worker, options.sink, options.names.group, family);
        if (start == ShareStart::join && family.empty() && !options.share.is_all()) prepare_set(options, registry);
        if (start == ShareStart::join) return;
        const auto under_way = [&](const WorkerEntry& entry) { return is_under_way(entry, options); };
        if (std::ranges::none_of(family, under_way) &&
            TakingOver(options, broker, registry, sink, log, stop).run(family))
            return;
        if (!pause(stop, std::chrono::milliseconds(options.registry_interval_ms) / 5)) throw Interrupted{};
    }
}

std::optional<SinkState> begin_of_share(const WorkerOptions& options, const std::optional<WorkerEntry>& own, Sink& sink,
                                        const std::optional<SinkState>& state) {
    if (!own || !own->handover) return state;
    const bool stale = state && own->registered_us == 0;
    if (stale && dynamic_cast<TakesOver*>(&sink) != nullptr)
        throw retry_error(fmt::format("worker '{}' starts again, with its new share", options.worker));
    if (stale)
        throw stop_error(
            fmt::format("unable to start worker '{}': its {} sink remembers how far another set of shares was",
                        options.worker, options.sink),
            "Give it a new --file-output-dir or --checkpoint-file: in the old one is what was delivered before.");
    if (state || own->handover->start.resume_seq.value == 0) return state;
    return SinkState{own->handover->start, own->handover->loading_epoch, own->handover->begin_seq};
}

}  // namespace pgsluice
