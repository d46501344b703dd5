#include "cmd/commands/dlq.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include "sql/error.h"
#include "stream/base/printable.h"
#include "stream/group/delivered_rules.h"
#include "stream/group/info.h"
#include "stream/group/registry.h"
#include "stream/group/table_record.h"
#include "worker/dead_letters/letter.h"
#include "worker/dead_letters/replay.h"

namespace pgsluice {

namespace {

void list(const std::vector<DeadLetter>& letters) {
    BlockReader reader;
    std::map<DeadLetterIdentity, StreamSeq> first;
    for (const DeadLetter& letter : letters) {
        const auto [same, fresh] = first.emplace(identity_of(letter), letter.seq);
        std::printf("%s%s\n",
                    printable(describe_dead_letter(letter, decode_dead_letter(reader, letter)->changes[0])).c_str(),
                    fresh ? "" : fmt::format(" (same change as message {})", same->second.value).c_str());
    }
    if (letters.empty()) std::printf("there are no dead letters\n");
}

// The kind of sink the worker has: as it registered, or, where it is forgotten, as the flags say.
std::string sink_kind(Broker& broker, const Settings& settings) {
    const auto entry = WorkerRegistry(broker, settings.worker.names).find(settings.worker.worker);
    if (entry) return entry->sink;
    return settings.webhook.url.empty() || is_given(settings.postgres.target) ? "postgres" : "webhook";
}

std::unique_ptr<DeadLetterReplay> make_replay(Broker& broker, const Settings& settings, const Log& log,
                                              const std::stop_token& stop) {
    const std::string kind = sink_kind(broker, settings);
    const std::string& worker = settings.worker.worker;
    const Names& names = settings.worker.names;
    const auto source = find_group_info(broker, names, broker.stream_state(names.stream));
    if (kind == "postgres") {
        if (!is_given(settings.postgres.target)) {
            throw usage_error(fmt::format("unable to replay: worker '{}' is a postgres worker", worker),
                              "Give --target-url.");
        }
        return replay_to_postgres(settings.postgres, log, stop, source);
    }
    if (kind != "webhook")
        throw usage_error(
            fmt::format("unable to replay: worker '{}' is a {} worker, which has no dead letters", worker, kind));
    if (settings.webhook.url.empty()) {
        throw usage_error(fmt::format("unable to replay: worker '{}' is a webhook worker", worker),
                          "Give --webhook-url.");
    }
    return replay_to_webhook(settings.webhook, log, stop, source);
}

// Letters that hold a change as earlier rules had left it. What --on-rules-change reload has delivered again replaces
// it, and may show less; what of that was refused has a letter of its own.
class EarlierRules {
   public:
    EarlierRules(Broker& broker, const Names& names, const std::string& worker,
                 const std::vector<DeadLetter>& letters) {
        if (WorkerRegistry(broker, names).find(worker))
            reloads_ = reloads_in(DeliveredRulesKeys(broker, names, worker).load());
        for (const DeadLetter& letter : letters) {
            std::uint64_t& newest = newest_[identity_of(letter)];
            newest = std::max(newest, letter.reload);
        }
    }
    [[nodiscard]] bool made(const DeadLetter& letter) const {
        return letter.reload < std::max(reloads_, newest_.at(identity_of(letter)));
    }

   private:
    std::uint64_t reloads_ = 0;  // of a worker that is forgotten nothing was delivered again
    std::map<DeadLetterIdentity, std::uint64_t> newest_;
};

// Of a webhook worker: changes from before a new copy of their table. The receiver is told that what came before the
// copy is void. (A PostgreSQL target knows by itself which changes it lacks.)
class Void {
   public:
    Void(Broker& broker, const Settings& settings) {
        if (sink_kind(broker, settings) != "webhook") return;
        const auto record = find_table_records(broker, settings.worker.names);
        if (!record) return;
        for (const auto& [oid, entry] : *record) {
            if (!entry.active() || entry.state != TableState::copied) continue;
            // Of partitions that come as their root, the one copied first: a row may be another one's.
            const auto [known, added] = copied_at_.try_emplace(entry.delivered_oid, entry.lsn);
            if (!added) known->second = std::min(known->second, entry.lsn);
        }
    }
    [[nodiscard]] bool has(const Change& change) const {
        const auto is_void = [&](const Relation& table) {
            const auto copied = copied_at_.find(table.oid);
            return copied != copied_at_.end() && change.position.commit < copied->second;
        };
        if (change.op != Op::truncate) return change.relation != nullptr && is_void(*change.relation);
        return std::ranges::all_of(change.truncated, [&](const RelationPtr& table) { return is_void(*table); });
    }

   private:
    std::map<Oid, Lsn> copied_at_;
};

bool is_chosen(const DeadLetter& letter, const Settings& settings) {
    const auto& only = settings.dead_letters;
    return letter.worker == settings.worker.worker &&
           (only.empty() || std::ranges::find(only, letter.seq.value) != only.end());
}

}  // namespace

void run_dlq_list(Settings settings, const Log& log, std::stop_token stop) {
    const auto broker = Broker::connect(settings.nats, log, std::move(stop));
    list(read_dead_letters(*broker, settings.worker.names, settings.dead_letters));
}

void run_dlq_replay(Settings settings, const Log& log, std::stop_token stop) {
    const Names& names = settings.worker.names;
    const std::string& worker = settings.worker.worker;
    const auto broker = Broker::connect(settings.nats, log, stop);
    const auto replay = make_replay(*broker, settings, log, stop);
    BlockReader reader;
    std::size_t applied = 0;
    std::size_t dropped = 0;
    std::size_t replaced = 0;
    std::size_t copied = 0;
    const auto letters = read_dead_letters(*broker, names, {});
    const EarlierRules earlier(*broker, names, worker, letters);
    const Void before_copy(*broker, settings);
    for (const DeadLetter& letter : letters) {
        if (!is_chosen(letter, settings)) continue;
        if (stop.stop_requested()) throw Interrupted{};
        const auto block = decode_dead_letter(reader, letter);
        const bool by_earlier = earlier.made(letter);
        const bool is_void = !by_earlier && before_copy.has(block->changes[0]);
        const bool owed = !by_earlier && !is_void && replay->apply(letter, block);
        if (!owed)
            log(LogLevel::info, fmt::format("{}, dropping the dead letter: {}",
                                            by_earlier ? "delivered again by other rules since"
                                            : is_void  ? "its table was copied again since"
                                                       : "already applied",
                                            describe_dead_letter(letter, block->changes[0])));
        broker->erase_message(names.dead_letters, letter.seq);
        ++(by_earlier ? replaced : is_void ? copied : owed ? applied : dropped);
    }
    replay->close();
    std::printf("replayed %zu dead letters of worker '%s'\n", applied, worker.c_str());
    if (dropped > 0) std::printf("dropped %zu whose changes had already been applied\n", dropped);
    if (copied > 0) std::printf("dropped %zu from before a new copy of their table\n", copied);
    if (replaced > 0)
        std::printf("dropped %zu as earlier rules had left them: the reload delivered their changes again\n", replaced);
}

void run_dlq_discard(Settings settings, const Log& log, std::stop_token stop) {
    const Names& names = settings.worker.names;
    const auto broker = Broker::connect(settings.nats, log, stop);
    const auto letters = read_dead_letters(*broker, names, settings.dead_letters);
    list(letters);
    if (letters.empty()) return;
    if (!settings.yes) {
        std::printf("nothing was discarded; add --yes to discard them\n");
        return;
    }
    for (const DeadLetter& letter : letters) broker->erase_message(names.dead_letters, letter.seq);
    std::printf("discarded %zu dead letters\n", letters.size());
}

}  // namespace pgsluice
