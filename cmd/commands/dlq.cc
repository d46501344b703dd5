#include "cmd/commands/dlq.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <tuple>

#include "cmd/commands/dead_letter_stream.h"
#include "cmd/commands/owed_letters.h"
#include "sinks/postgres/sink.h"
#include "sinks/webhook/sink.h"
#include "sql/error.h"
#include "stream/failpoint.h"
#include "stream/format/block_reader.h"
#include "stream/group/info.h"
#include "stream/group/registry.h"

namespace pgsluice {

namespace {

std::string header(const StoredMessage& message, std::string_view name) {
    for (const auto& [key, value] : message.headers) {
        if (key == name) return value;
    }
    return {};
}

const char* op_name(Op op) {
    switch (op) {
        case Op::insert:
            return "insert";
        case Op::update:
            return "update";
        case Op::del:
            return "delete";
        case Op::truncate:
            return "truncate";
        case Op::message:
            return "message";
    }
    return "change";
}

// The block, which owns the one change in it.
std::shared_ptr<const Block> decode(BlockReader& reader, const DeadLetter& letter) {
    constexpr const char* hint = "Another program wrote it. pgsluice repair lists such messages and removes them.";
    try {
        auto block = reader.read(letter.block);
        if (block->changes.size() == 1) return block;
        throw stop_error(fmt::format("it holds {} changes instead of one", block->changes.size()));
    } catch (const Error& error) {
        throw stop_error(fmt::format("unable to read dead letter {}: {}", letter.seq.value, error.what()), hint);
    }
}

std::string describe(const DeadLetter& letter, const Change& change) {
    const std::string table =
        change.relation == nullptr ? "" : fmt::format(" of '{}.{}'", change.relation->schema, change.relation->table);
    return fmt::format("message {}: {}{} at {}, parked by worker '{}': {}", letter.seq.value, op_name(change.op), table,
                       letter.position, letter.worker, letter.reason);
}

// A worker that was killed may park a change again; the two letters then have the same identity.
using Identity = std::tuple<std::string, std::string, bool>;
Identity identity(const DeadLetter& letter) { return {letter.worker, letter.position, letter.snapshot}; }

void list(const std::vector<DeadLetter>& letters) {
    BlockReader reader;
    std::map<Identity, StreamSeq> first;
    for (const DeadLetter& letter : letters) {
        const auto [same, fresh] = first.emplace(identity(letter), letter.seq);
        std::printf("%s%s\n", describe(letter, decode(reader, letter)->changes[0]).c_str(),
                    fresh ? "" : fmt::format(" (same change as message {})", same->second.value).c_str());
    }
    if (letters.empty()) std::printf("there are no dead letters\n");
}

SinkState open_for_replay(Sink& sink, const Settings& settings) {
    const auto state = sink.open();
    if (!state) {
        throw stop_error(fmt::format("unable to replay: worker '{}' of group '{}' has never written to this target",
                                     settings.worker.worker, settings.worker.names.group),
                         "Give the target and the --worker-name of the worker that parked the changes.");
    }
    if (state->loading_epoch != 0) {
        throw stop_error(
            fmt::format("unable to replay: worker '{}' is in the middle of a snapshot", settings.worker.worker),
            "Start the worker, and let it finish the snapshot first.");
    }
    return *state;
}

// One letter at a time, in a batch of its own.
class Replay {
   public:
    virtual ~Replay() = default;
    // Returns once the letter is durably applied; false when it is no longer owed.
    virtual bool apply(const DeadLetter& letter, const std::shared_ptr<const Block>& block) = 0;
    virtual void close() = 0;
};

Batch batch_of(const DeadLetter& letter, const std::shared_ptr<const Block>& block) {
    Batch batch;
    batch.changes = block->changes;
    if (letter.snapshot) {
        batch.changes[0].snapshot = true;
        batch.changes[0].transaction = nullptr;  // the one in its block is made up
    }
    batch.keep.push_back(block);
    return batch;
}

class PostgresReplay final : public Replay {
   public:
    PostgresReplay(const Settings& settings, const Log& log, const std::stop_token& stop)
        : sink_(make_postgres_sink(settings.postgres, log, stop)),
          state_(open_for_replay(*sink_, settings)),
          owed_(settings.postgres.target, settings.worker.names.group, settings.worker.worker, stop) {}

    bool apply(const DeadLetter& letter, const std::shared_ptr<const Block>& block) override {
        if (!owed_.holds(letter)) return false;
        Batch batch = batch_of(letter, block);
        owed_.settle(batch, letter);
        batch.upto = state_.checkpoint;  // where the worker is does not change
        sink_->apply(batch);
        sink_->flush();
        PGSLUICE_FAILPOINT("dlq-applied");
        return true;
    }
    void close() override { sink_->close(); }

   private:
    std::unique_ptr<Sink> sink_;
    SinkState state_;
    OwedLetters owed_;
};

// The receiver knows a repeated change by its Idempotency-Key, which is the one it refused before.
class WebhookReplay final : public Replay {
   public:
    WebhookReplay(Settings settings, const Log& log, const std::stop_token& stop,
                  const std::optional<GroupInfo>& source) {
        settings.webhook.on_error = OnError::stop;
        sink_ = make_webhook_sink(settings.webhook, log, stop);
        sink_->open();
        if (source) sink_->read_from(*source);
    }

    bool apply(const DeadLetter& letter, const std::shared_ptr<const Block>& block) override {
        if (!posted_.insert(identity(letter)).second) return false;
        sink_->apply(batch_of(letter, block));
        sink_->flush();
        PGSLUICE_FAILPOINT("dlq-applied");
        return true;
    }
    void close() override { sink_->close(); }

   private:
    std::unique_ptr<Sink> sink_;
    std::set<Identity> posted_;
};

// The kind of sink the worker has: as it registered, or, where it is forgotten, as the flags say.
std::string sink_kind(Broker& broker, const Settings& settings) {
    const auto entry = WorkerRegistry(broker, settings.worker.names).find(settings.worker.worker);
    if (entry) return entry->sink;
    return settings.webhook.url.empty() || is_given(settings.postgres.target) ? "postgres" : "webhook";
}

std::unique_ptr<Replay> make_replay(Broker& broker, Settings settings, const Log& log, const std::stop_token& stop) {
    const std::string kind = sink_kind(broker, settings);
    const std::string& worker = settings.worker.worker;
    if (kind == "postgres") {
        if (!is_given(settings.postgres.target)) {
            throw usage_error(fmt::format("unable to replay: worker '{}' is a postgres worker", worker),
                              "Give --target-url.");
        }
        settings.postgres.on_error = OnError::stop;
        return std::make_unique<PostgresReplay>(settings, log, stop);
    }
    if (kind != "webhook")
        throw usage_error(
            fmt::format("unable to replay: worker '{}' is a {} worker, which has no dead letters", worker, kind));
    if (settings.webhook.url.empty()) {
        throw usage_error(fmt::format("unable to replay: worker '{}' is a webhook worker", worker),
                          "Give --webhook-url.");
    }
    const Names& names = settings.worker.names;
    return std::make_unique<WebhookReplay>(settings, log, stop,
                                           find_group_info(broker, names, broker.stream_state(names.stream)));
}

}  // namespace

std::vector<DeadLetter> read_dead_letters(Broker& broker, const Names& names, const std::vector<std::uint64_t>& only) {
    std::vector<DeadLetter> letters;
    const auto state = broker.stream_state(names.dead_letters);
    if (!state || state->messages == 0) return letters;
    for (StreamSeq seq = state->first_seq; seq <= state->last_seq; ++seq.value) {
        if (!only.empty() && std::find(only.begin(), only.end(), seq.value) == only.end()) continue;
        auto message = broker.stored_message(names.dead_letters, seq);
        if (!message) continue;  // erased
        letters.push_back({seq, header(*message, dead_letter_worker_header),
                           header(*message, dead_letter_position_header), header(*message, dead_letter_reason_header),
                           std::move(message->body), header(*message, dead_letter_snapshot_header) == "true"});
    }
    return letters;
}

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
    for (const DeadLetter& letter : read_dead_letters(*broker, names, settings.dead_letters)) {
        if (letter.worker != worker) continue;
        if (stop.stop_requested()) throw Interrupted{};
        const auto block = decode(reader, letter);
        const bool owed = replay->apply(letter, block);
        if (!owed)
            log(LogLevel::info, "already applied, dropping the dead letter: " + describe(letter, block->changes[0]));
        broker->erase_message(names.dead_letters, letter.seq);
        ++(owed ? applied : dropped);
    }
    replay->close();
    std::printf("replayed %zu dead letters of worker '%s'\n", applied, worker.c_str());
    if (dropped > 0) std::printf("dropped %zu whose changes had already been applied\n", dropped);
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
