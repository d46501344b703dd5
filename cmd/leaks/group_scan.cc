#include "cmd/leaks/group_scan.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sql/error.h"
#include "stream/base/arena.h"
#include "stream/format/block_reader.h"
#include "stream/format/copy_text.h"
#include "stream/format/markers.h"
#include "stream/recovery_hint.h"
#include "worker/dead_letters/letter.h"

namespace pgsluice {
namespace {

// Of one end: "stream", or "dead letters".
class Scan {
   public:
    Scan(Sightings& sightings, std::string end) : sightings_(sightings), end_(std::move(end)) {}

    void take(const GroupMessage& message) {
        if (!message.foreign.empty() || !message.whole) {
            // Parts are looked at with the last of them.
            if (!message.foreign.empty()) look("messages of other programs", message.body);
            return;
        }
        switch (message.headers.meta.kind) {
            case MessageKind::changes:
                return take_changes(message.body);
            case MessageKind::copy:
                return take_rows(message.headers.copy.table, message.body);
            case MessageKind::snapshot_begin:
                snapshot_ = decode_snapshot_begin(message.body);
                copied_.clear();
                break;
            default:
                break;
        }
        look("messages without rows", message.body);
    }

    void take(const DeadLetter& letter) {
        look("reasons", letter.reason);
        if (!letter.fault.empty()) return look("what cannot be read", letter.block);
        try {
            take_changes(letter.block);
        } catch (const Error& error) {
            if (error.action() != Action::stop) throw;
            look("what cannot be read", letter.block);
        }
    }

   private:
    struct Table {
        std::vector<Sightings::Place*> places;
        std::vector<rules::ValueType> types;
    };

    void look(const std::string& what, std::string_view text) {
        sightings_.look(sightings_.place(end_, what), text, rules::ValueType::text);
    }
    Table table_of(const Relation& relation) {
        Table table;
        for (const Column& column : relation.columns) {
            const std::string name = fmt::format("{}.{}.{}", relation.schema, relation.table, column.name);
            table.places.push_back(&sightings_.place(end_, name));
            table.types.push_back(rules::value_type(column));
        }
        return table;
    }
    void look(const Table& table, Row row) {
        for (std::size_t i = 0; i < row.size() && i < table.places.size(); ++i)
            if (row[i].is_text()) sightings_.look(*table.places[i], row[i].text(), table.types[i]);
    }
    void take_changes(std::string_view body) {
        const auto block = reader_.read(body);
        for (const Change& change : block->changes) {
            if (change.op == Op::message) {
                look(fmt::format("messages with the prefix {}", change.prefix), change.content);
                continue;
            }
            if (change.relation == nullptr || change.op == Op::truncate) continue;
            auto known = tables_.find(change.relation);
            if (known == tables_.end()) known = tables_.emplace(change.relation, table_of(*change.relation)).first;
            look(known->second, change.new_row);
            look(known->second, change.old_row);
        }
    }
    void take_rows(std::uint32_t number, std::string_view body) {
        if (!snapshot_ || number >= snapshot_->tables.size())  // where it begins has been trimmed
            return look("rows of a snapshot", body);
        if (!copied_.contains(number)) copied_.emplace(number, table_of(snapshot_->tables[number]));
        const Table& table = copied_.at(number);
        while (!body.empty()) {
            arena_.clear();
            look(table, parse_copy_line(take_copy_line(body), table.places.size(), arena_));
        }
    }

    Sightings& sightings_;
    const std::string end_;
    BlockReader reader_;  // its relations live as long as it does
    Arena arena_;
    std::optional<SnapshotBegin> snapshot_;  // that is being read
    std::unordered_map<const Relation*, Table> tables_;
    std::unordered_map<std::uint32_t, Table> copied_;
};

std::size_t scan_stream(Broker& broker, const Names& names, const StreamState& state, Sightings& sightings,
                        const std::stop_token& stop) {
    Scan scan(sightings, "stream");
    std::size_t messages = 0;
    for (StreamSeq seq = state.first_seq; state.messages > 0 && seq <= state.last_seq; ++seq.value) {
        if (stop.stop_requested()) throw Interrupted{};
        const auto message = broker.group_message(names.stream, seq);
        if (!message) continue;  // removed
        if (!message->fault.empty())
            throw stop_error(
                fmt::format("unable to look in message {} of stream '{}': {}", seq.value, names.stream, message->fault),
                foreign_message_hint(names.group));
        scan.take(*message);
        ++messages;
    }
    return messages;
}

std::size_t scan_dead_letters(Broker& broker, const Names& names, Sightings& sightings) {
    Scan scan(sightings, "dead letters");
    const auto letters = read_dead_letters(broker, names, {});
    for (const DeadLetter& letter : letters) scan.take(letter);
    return letters.size();
}

// By what comes before the first dot: of others it is a worker's name, or a table's number.
std::size_t scan_keys(Broker& broker, const Names& names, Sightings& sightings) {
    const auto keys = broker.kv_keys(names);
    for (const std::string& key : keys)
        if (const auto value = broker.kv_get(names, key))
            sightings.look(sightings.place("bucket", key.substr(0, key.find('.'))), value->text,
                           rules::ValueType::text);
    return keys.size();
}

}  // namespace

GroupScan scan_group(Broker& broker, const Names& names, Sightings& sightings, const std::stop_token& stop) {
    const auto state = broker.stream_state(names.stream);
    if (!state)
        throw stop_error(fmt::format("unable to look in the stream of group '{}': there is none", names.group),
                         "Give the group of a replicator that has run, or leave --stream out.");
    broker.check_sealed(names);
    GroupScan scanned;
    scanned.messages = scan_stream(broker, names, *state, sightings, stop);
    scanned.dead_letters = scan_dead_letters(broker, names, sightings);
    scanned.keys = scan_keys(broker, names, sightings);
    return scanned;
}

}  // namespace pgsluice
