#include "cmd/leaks/stream_scan.h"

#include <fmt/format.h>

#include <optional>
#include <unordered_map>
#include <vector>

#include "sql/error.h"
#include "stream/arena.h"
#include "stream/format/block_reader.h"
#include "stream/format/copy_text.h"
#include "stream/format/markers.h"

namespace pgsluice {
namespace {

class Scan {
   public:
    explicit Scan(Sightings& sightings) : sightings_(sightings) {}

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

   private:
    struct Table {
        std::vector<Sightings::Place*> places;
        std::vector<rules::ValueType> types;
    };

    void look(const std::string& what, std::string_view text) {
        sightings_.look(sightings_.place("stream", what), text, rules::ValueType::text);
    }
    Table table_of(const Relation& relation) {
        Table table;
        for (const Column& column : relation.columns) {
            const std::string name = fmt::format("{}.{}.{}", relation.schema, relation.table, column.name);
            table.places.push_back(&sightings_.place("stream", name));
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
    BlockReader reader_;  // its relations live as long as it does
    Arena arena_;
    std::optional<SnapshotBegin> snapshot_;  // that is being read
    std::unordered_map<const Relation*, Table> tables_;
    std::unordered_map<std::uint32_t, Table> copied_;
};

}  // namespace

std::size_t scan_stream(Broker& broker, const Names& names, Sightings& sightings, const std::stop_token& stop) {
    const auto state = broker.stream_state(names.stream);
    if (!state)
        throw stop_error(fmt::format("unable to look in the stream of group '{}': there is none", names.group),
                         "Give the group of a replicator that has run, or leave --stream out.");
    broker.check_sealed(names);
    Scan scan(sightings);
    std::size_t messages = 0;
    for (StreamSeq seq = state->first_seq; state->messages > 0 && seq <= state->last_seq; ++seq.value) {
        if (stop.stop_requested()) throw Interrupted{};
        const auto message = broker.group_message(names.stream, seq);
        if (!message) continue;  // removed
        scan.take(*message);
        ++messages;
    }
    return messages;
}

}  // namespace pgsluice
