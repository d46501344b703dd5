#include "cmd/commands/dlq.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "cmd/terminal/say.h"
#include "sql/error.h"
#include "stream/full_name.h"
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
        say(describe_dead_letter(letter, decode_dead_letter(reader, letter)->changes[0]) +
            (fresh ? "" : fmt::format(" (same change as message {})", same->second.value)));
    }
    if (letters.empty()) say("there are no dead letters");
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
    // Of its tables, by their place: of a TRUNCATE of several only some may be void.
    [[nodiscard]] std::set<std::uint32_t> tables(const Change& change) const {
        std::set<std::uint32_t> found;
        if (change.op != Op::truncate && change.relation != nullptr && is_void(*change.relation, change))
            found.insert(0);
        for (std::uint32_t place = 0; place < change.truncated.size(); ++place)
            if (is_void(*change.truncated[place], change)) found.insert(place);
        return found;
    }

   private:
    [[nodiscard]] bool is_void(const Relation& table, const Change& change) const {
        const auto copied = copied_at_.find(table.oid);
        return copied != copied_at_.end() && change.position.commit < copied->second;
    }

    std::map<Oid, Lsn> copied_at_;
};

// What becomes of a letter that a replay takes.
enum class End : std::uint8_t { applied, applied_before, copied_since, replaced };

// Why it is dropped, and what is said of all that end so.
struct EndWords {
    const char* reason;
    const char* counted;  // {} how many
};

constexpr std::array<EndWords, 4> end_words{{
    {"", ""},
    {"already applied", "dropped {} whose changes had already been applied\n"},
    {"its table was copied again since", "dropped {} from before a new copy of their table\n"},
    {"delivered again by other rules since",
     "dropped {} as earlier rules had left them: the reload delivered their changes again\n"},
}};

class Replay {
   public:
    Replay(std::unique_ptr<DeadLetterReplay> sink, Broker& broker, const Settings& settings,
           const std::vector<DeadLetter>& letters, const Log& log)
        : sink_(std::move(sink)),
          earlier_(broker, settings.worker.names, settings.worker.worker, letters),
          void_(broker, settings),
          log_(log) {}

    // Returns once it may be erased.
    void take(const DeadLetter& letter) {
        const auto block = decode_dead_letter(reader_, letter);
        const End end = end_of(letter, block);
        if (end != End::applied)
            log_(LogLevel::info, fmt::format("{}, dropping the dead letter: {}", words(end).reason,
                                             describe_dead_letter(letter, block->changes[0])));
        ++ended_[static_cast<std::size_t>(end)];
    }
    void close() { sink_->close(); }

    [[nodiscard]] std::string summary(const std::string& worker) const {
        std::string text = fmt::format("replayed {} dead letters of worker '{}'\n", count(End::applied), worker);
        for (const End end : {End::applied_before, End::copied_since, End::replaced})
            if (count(end) > 0) text += fmt::format(fmt::runtime(words(end).counted), count(end));
        return text;
    }

   private:
    static const EndWords& words(End end) { return end_words[static_cast<std::size_t>(end)]; }
    [[nodiscard]] std::size_t count(End end) const { return ended_[static_cast<std::size_t>(end)]; }

    End end_of(const DeadLetter& letter, const std::shared_ptr<const Block>& block) {
        if (earlier_.made(letter)) return End::replaced;
        const Change& change = block->changes[0];
        const auto copied = void_.tables(change);
        if (copied.size() == std::max<std::size_t>(1, change.truncated.size())) return End::copied_since;
        for (const std::uint32_t place : copied)
            log_(LogLevel::info, fmt::format("left out of the truncate at {}, because it was copied again since: {}",
                                             letter.position, full_name(*change.truncated[place])));
        return sink_->apply(letter, block, copied) ? End::applied : End::applied_before;
    }

    std::unique_ptr<DeadLetterReplay> sink_;
    EarlierRules earlier_;
    Void void_;
    const Log& log_;
    BlockReader reader_;
    std::array<std::size_t, end_words.size()> ended_{};
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
    const auto broker = Broker::connect(settings.nats, log, stop);
    auto sink = make_replay(*broker, settings, log, stop);  // from now on the worker parks no more
    const auto letters = read_dead_letters(*broker, names, {});
    Replay replay(std::move(sink), *broker, settings, letters, log);
    for (const DeadLetter& letter : letters) {
        if (!is_chosen(letter, settings)) continue;
        if (stop.stop_requested()) throw Interrupted{};
        replay.take(letter);
        broker->erase_message(names.dead_letters, letter.seq);
    }
    replay.close();
    std::fputs(replay.summary(settings.worker.worker).c_str(), stdout);
}

void run_dlq_discard(Settings settings, const Log& log, std::stop_token stop) {
    const Names& names = settings.worker.names;
    const auto broker = Broker::connect(settings.nats, log, stop);
    const auto letters = read_dead_letters(*broker, names, settings.dead_letters);
    list(letters);
    if (letters.empty()) return;
    if (!settings.yes) {
        say("nothing was discarded; add --yes to discard them");
        return;
    }
    for (const DeadLetter& letter : letters) broker->erase_message(names.dead_letters, letter.seq);
    say(fmt::format("discarded {} dead letters", letters.size()));
}

}  // namespace pgsluice
