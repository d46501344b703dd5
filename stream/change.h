// The change model: what happened in the source, as every part of pgsluice sees it.
//
// Values are views: into the WAL message on the replicator's side, into the decoded block on the worker's. A Relation
// is immutable and shared; a new definition of the same table is a new Relation object. Within a worker's session none
// dies, so its address identifies a relation version (stream/per_relation.h).
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/lsn.h"
#include "stream/keeping.h"
#include "stream/position.h"

namespace pgsluice {

using Oid = std::uint32_t;

// One column's value: PostgreSQL's text, NULL, or "unchanged": an out-of-line (TOASTed) value which the update did not
// touch and the WAL therefore does not hold. The three are never confused; '' is a text.
class Value {
   public:
    enum class Kind : std::uint8_t { null, unchanged, text };

    constexpr Value() noexcept = default;  // NULL
    constexpr explicit Value(std::string_view text) noexcept
        : data_(text.data()), size_(static_cast<std::uint32_t>(text.size())), kind_(Kind::text) {}
    static constexpr Value unchanged() noexcept {
        Value value;
        value.kind_ = Kind::unchanged;
        return value;
    }

    [[nodiscard]] constexpr Kind kind() const noexcept { return kind_; }
    [[nodiscard]] constexpr bool is_null() const noexcept { return kind_ == Kind::null; }
    [[nodiscard]] constexpr bool is_unchanged() const noexcept { return kind_ == Kind::unchanged; }
    [[nodiscard]] constexpr bool is_text() const noexcept { return kind_ == Kind::text; }
    // The text; empty for the other kinds.
    [[nodiscard]] constexpr std::string_view text() const noexcept { return {data_, size_}; }

    // Same kind and same bytes.
    friend bool operator==(const Value& a, const Value& b) noexcept {
        return a.kind_ == b.kind_ && a.text() == b.text();
    }

   private:
    const char* data_ = nullptr;
    std::uint32_t size_ = 0;  // PostgreSQL's values are below 1 GiB
    Kind kind_ = Kind::null;
};

using Row = std::span<const Value>;  // one value per column of the relation, or empty where there is no such row

struct Column {
    std::string name;
    Oid type_oid = 0;
    std::int32_t typmod = -1;
    bool key = false;       // part of the replica identity (all columns when that is FULL)
    std::string type_name;  // as format_type() gives it, without typmod: "integer", "shop.mood", "text[]"
    Oid base_oid = 0;       // a domain's base type, followed to its end; otherwise type_oid
    Oid element_oid = 0;    // an array's element type (a domain's followed to its base); 0 when not an array
    // In a unique index that is not the replica identity, also where only its expression or predicate names the column.
    bool unique = false;
    // pg_attribute.attnum, which a rename keeps; 0 when it is not known (ColumnTypes).
    std::int16_t number = 0;

    bool operator==(const Column&) const = default;
};

// Of numeric(p,s), whose typmod has both after an offset of 4: digits after the decimal point, below 0 for tens and so
// on (PostgreSQL 15).
[[nodiscard]] constexpr int numeric_scale(std::int64_t typmod) {
    return static_cast<int>((((typmod - 4) & 0x7ff) ^ 1024) - 1024);
}

// pg_class.relreplident.
enum class ReplicaIdentity : char { default_key = 'd', nothing = 'n', full = 'f', index = 'i' };

struct QualifiedName {
    std::string schema;
    std::string table;

    bool operator==(const QualifiedName&) const = default;
};

struct Relation {
    Oid oid = 0;
    std::string schema;
    std::string table;
    ReplicaIdentity identity = ReplicaIdentity::default_key;
    std::vector<Column> columns;
    std::vector<QualifiedName> ancestors{};  // of a partition: the partitioned tables above it, the nearest first
    std::vector<std::int16_t> excluded{};    // after rules: numbers of the source's columns that were left out
    Keeping keeping{};                       // after rules
    // Under which names its rows came before: of partitioned tables that have them no longer, and of tables that have
    // become its partitions.
    std::vector<QualifiedName> came_as{};

    bool operator==(const Relation&) const = default;
};

using RelationPtr = std::shared_ptr<const Relation>;

// Whether every column's number is known.
[[nodiscard]] inline bool is_numbered(const Relation& relation) {
    return std::ranges::all_of(relation.columns, [](const Column& column) { return column.number != 0; });
}

struct Transaction {
    std::uint32_t xid = 0;
    Lsn commit_lsn;                   // of the commit record: Position::commit of every change in it
    Lsn end_lsn;                      // just after the commit record; not valid before the commit has been read
    std::int64_t commit_time_us = 0;  // microseconds since 2000-01-01 00:00 UTC, as PostgreSQL counts
    // The database that it was first made in, as database_id() (stream/origin.h), where a worker of pgsluice brought it
    // to the source; empty when it was made on the source.
    std::string_view made_in{};

    bool operator==(const Transaction&) const = default;
};

enum class Op : std::uint8_t { insert, update, del, truncate, message };

enum class OldRow : std::uint8_t {
    none,  // the key did not change and the identity is not FULL
    key,   // only the key columns are meaningful; the others are NULL
    full,  // REPLICA IDENTITY FULL
};

struct Change {
    Op op = Op::insert;
    OldRow old_kind = OldRow::none;
    bool snapshot = false;  // a row of a snapshot: an insert outside any transaction
    // update: a filter lets the new row pass and the old row is not known, so the target may not have it. A sink that
    // keeps state then inserts the row, or stops when a value needed for that is unchanged and so not in the WAL.
    bool upsert = false;
    bool cascade = false;                      // truncate
    bool restart_identity = false;             // truncate
    const Relation* relation = nullptr;        // truncate: the first of `truncated`; message: null
    const Transaction* transaction = nullptr;  // null for snapshot rows and non-transactional messages
    Position position;
    Row new_row;                             // insert, update
    Row old_row;                             // update, delete; see old_kind
    std::span<const RelationPtr> truncated;  // truncate: all its tables
    std::string_view prefix;                 // message
    std::string_view content;                // message: any bytes
};

}  // namespace pgsluice
