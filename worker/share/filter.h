// Which changes and rows are a worker's, where it has a share of them (--share), and which of those had been delivered
// before it took over from another share. Pure.
//
// An update that moves a row from one share's keys to another's is a delete of the old key there, and an insert here:
// each key's consumer sees what becomes of it, in its order. Both have the update's position; the insert has old_kind
// and old_row of the update, which tells it from other inserts (sinks/lines/event_key.h).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "stream/change.h"
#include "stream/per_relation.h"
#include "stream/share/handover.h"

namespace pgsluice {

// Which share of the set a table is in, where shares go by table.
std::uint32_t share_number(const Relation& table, const Share& share);

class ShareFilter {
   public:
    ShareFilter(const Share& share, std::vector<DeliveredPart> delivered);

    // Whether everything is to be handed on, so that nothing else need be asked.
    [[nodiscard]] bool takes_all() const noexcept { return share_.is_all() && delivered_.empty(); }

    // To be told of each definition of a table that is met, ours or not, before it is judged.
    void tell_met(std::function<void(const RelationPtr&)> met) { met_ = std::move(met); }

    enum class Half : std::uint8_t { none, whole, leaving, arriving };
    // Of an insert, update or delete in this message, as it came from the source with one of `relations`. A stop Error
    // when the log does not say what its key is.
    [[nodiscard]] Half half_of(const Change& source, std::span<const RelationPtr> relations, StreamSeq message);
    // What becomes of that by the rules, narrowed to this half; false when nothing is left.
    static bool narrow(Change& change, Half half);
    // Leaves in `change` the tables that are ours; false when none is. Its `prefix` says to whose rows the truncate
    // applies, where it is not to all (sinks/README.md): "2/4", "2/4 but 1/2".
    bool take_truncate(Change& change, StreamSeq message);
    // A message belongs to no row: every share has it.
    [[nodiscard]] bool takes_message(StreamSeq message, Position position) const;

    // A snapshot begins: what was delivered before it counts no more.
    void begin_snapshot(StreamSeq marker);
    // Whether rows of the table may be ours in the snapshot that begins there.
    [[nodiscard]] bool takes_table(const RelationPtr& table, StreamSeq marker);
    [[nodiscard]] bool takes_row(const Change& row, const RelationPtr& table, StreamSeq message);

   private:
    struct TableKey {
        explicit TableKey(RelationPtr relation);
        RelationPtr owner;  // held, so that its address is not reused
        ShareHash start;    // with the table's name
        std::uint64_t table;
        std::vector<std::size_t> columns;  // the key's; empty: the table as a whole
    };
    const TableKey& key_of(const RelationPtr& table);
    [[nodiscard]] static RowHash hash(const TableKey& table, Row row, Row otherwise);
    [[nodiscard]] bool takes(const RowHash& row, StreamSeq message, Position position) const;
    using Parts = std::vector<const DeliveredPart*>;
    [[nodiscard]] Parts that_have(StreamSeq message, Position position) const;
    // Whether a row, of this table or of any, is ours and in none of them.
    [[nodiscard]] bool has_rows_beside(const Parts& delivered, std::optional<std::uint64_t> table) const;
    [[nodiscard]] std::string scope(const Parts& delivered) const;
    std::string_view kept(std::string scope);

    const Share share_;
    std::vector<DeliveredPart> delivered_;
    std::function<void(const RelationPtr&)> met_;
    PerRelation<TableKey> tables_;
    std::vector<RelationPtr> truncated_;  // what the last truncate was left with
    std::deque<std::string> scopes_;      // of truncates
};

}  // namespace pgsluice
