#include "worker/dead_letters/letter.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "sql/error.h"
#include "stream/format/block_writer.h"
#include "stream/op_names.h"

namespace pgsluice {

namespace {

std::string header(const StoredMessage& message, std::string_view name) {
    for (const auto& [key, value] : message.headers) {
        if (key == name) return value;
    }
    return {};
}

std::uint64_t number(const std::string& text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}  // namespace

std::vector<DeadLetter> read_dead_letters(Broker& broker, const Names& names, const std::vector<std::uint64_t>& only) {
    std::vector<DeadLetter> letters;
    const auto state = broker.stream_state(names.dead_letters);
    if (!state || state->messages == 0) return letters;
    for (StreamSeq seq = state->first_seq; seq <= state->last_seq; ++seq.value) {
        if (!only.empty() && std::find(only.begin(), only.end(), seq.value) == only.end()) continue;
        auto message = broker.dead_letter(names, seq);
        if (!message) continue;  // erased
        letters.push_back({seq, header(*message, dead_letter_worker_header),
                           header(*message, dead_letter_position_header), header(*message, dead_letter_reason_header),
                           std::move(message->body), header(*message, dead_letter_snapshot_header) == "true",
                           number(header(*message, dead_letter_reload_header)), std::move(message->fault)});
    }
    return letters;
}

std::string encode_dead_letter(const Change& change) {
    BlockWriter writer;
    const bool message_alone = change.op == Op::message && change.transaction == nullptr;
    if (message_alone) {
        writer.change(change);
        return std::string(writer.finish());
    }
    Transaction transaction;
    if (change.transaction != nullptr) transaction = *change.transaction;
    transaction.commit_lsn = change.position.commit;
    Change alone = change;
    alone.transaction = &transaction;
    // A row that was loaded as COPY text has no position; the block must be readable all the same.
    alone.position.ordinal = std::max<std::uint64_t>(alone.position.ordinal, 1);
    writer.begin(transaction);
    writer.change(alone);
    return std::string(writer.finish());
}

std::shared_ptr<const Block> decode_dead_letter(BlockReader& reader, const DeadLetter& letter) {
    constexpr const char* hint =
        "Another program wrote it. Run pgsluice repair to see such messages, and with --yes to remove them.";
    try {
        if (!letter.fault.empty()) throw stop_error(letter.fault);
        auto block = reader.read(letter.block);
        if (block->changes.size() == 1) return block;
        throw stop_error(fmt::format("it holds {} changes instead of one", block->changes.size()));
    } catch (const Error& error) {
        throw stop_error(fmt::format("unable to read dead letter {}: {}", letter.seq.value, error.what()), hint);
    }
}

DeadLetterIdentity identity_of(const DeadLetter& letter) { return {letter.worker, letter.position, letter.snapshot}; }

std::string describe_dead_letter(const DeadLetter& letter, const Change& change) {
    const std::string table =
        change.relation == nullptr ? "" : fmt::format(" of '{}.{}'", change.relation->schema, change.relation->table);
    return fmt::format("message {}: {}{} at {}, parked by worker '{}': {}", letter.seq.value, op_name(change.op), table,
                       letter.position, letter.worker, letter.reason);
}

}  // namespace pgsluice
