#include "cmd/dlq.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "cmd/dead_letter_stream.h"
#include "sinks/postgres.h"
#include "sql/error.h"
#include "stream/block_reader.h"

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
    auto block = reader.read(letter.block);
    if (block->changes.size() == 1) return block;
    throw stop_error(fmt::format("unable to read dead letter {}: it holds {} changes instead of one", letter.seq.value,
                                 block->changes.size()));
}

std::string describe(const DeadLetter& letter, const Change& change) {
    const std::string table =
        change.relation == nullptr ? "" : fmt::format(" of '{}.{}'", change.relation->schema, change.relation->table);
    return fmt::format("message {}: {}{} at {}, parked by worker '{}': {}", letter.seq.value, op_name(change.op), table,
                       letter.position, letter.worker, letter.reason);
}

void list(const std::vector<DeadLetter>& letters) {
    BlockReader reader;
    for (const DeadLetter& letter : letters) {
        std::printf("%s\n", describe(letter, decode(reader, letter)->changes[0]).c_str());
    }
    if (letters.empty()) std::printf("there are no dead letters\n");
}

SinkState open_for_replay(Sink& sink, const Settings& settings) {
    const auto state = sink.open();
    if (!state) {
        throw stop_error(fmt::format("unable to replay: worker '{}' of group '{}' has never written to this target",
                                     settings.worker.worker, settings.worker.names.group),
                         "give the target and the --worker-name that parked the changes");
    }
    if (state->loading_epoch != 0) {
        throw stop_error(
            fmt::format("unable to replay: worker '{}' is in the middle of a snapshot", settings.worker.worker),
            "let the worker finish it first");
    }
    return *state;
}

void apply(Sink& sink, const SinkState& state, const std::shared_ptr<const Block>& block) {
    Batch batch;
    batch.changes = block->changes;
    batch.keep.push_back(block);
    batch.upto = state.checkpoint;  // where the worker is does not change
    sink.apply(batch);
    sink.flush();
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
                           std::move(message->body)});
    }
    return letters;
}

void run_dlq_list(Settings settings, const Log& log, std::stop_token stop) {
    const auto broker = Broker::connect(settings.nats, log, std::move(stop));
    list(read_dead_letters(*broker, settings.worker.names, settings.dead_letters));
}

void run_dlq_replay(Settings settings, const Log& log, std::stop_token stop) {
    const Names& names = settings.worker.names;
    const auto broker = Broker::connect(settings.nats, log, stop);
    settings.postgres.on_error = OnError::stop;
    const auto sink = make_postgres_sink(settings.postgres, log, stop);
    const SinkState state = open_for_replay(*sink, settings);
    BlockReader reader;
    std::size_t applied = 0;
    for (const DeadLetter& letter : read_dead_letters(*broker, names, settings.dead_letters)) {
        if (letter.worker != settings.worker.worker) continue;
        if (stop.stop_requested()) throw Interrupted{};
        apply(*sink, state, decode(reader, letter));
        broker->erase_message(names.dead_letters, letter.seq);
        ++applied;
    }
    sink->close();
    std::printf("replayed %zu dead letters of worker '%s'\n", applied, settings.worker.worker.c_str());
}

void run_dlq_discard(Settings settings, const Log& log, std::stop_token stop) {
    const Names& names = settings.worker.names;
    const auto broker = Broker::connect(settings.nats, log, stop);
    const auto letters = read_dead_letters(*broker, names, settings.dead_letters);
    list(letters);
    if (letters.empty()) return;
    if (!settings.yes) {
        std::printf("nothing was discarded; --yes does it\n");
        return;
    }
    for (const DeadLetter& letter : letters) broker->erase_message(names.dead_letters, letter.seq);
    std::printf("discarded %zu dead letters\n", letters.size());
}

}  // namespace pgsluice
