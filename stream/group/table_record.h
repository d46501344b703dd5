// What a group owes and has delivered of each table: its durable record, in KV keys `record` and `record.<page>`
// (FORMAT.md, "Keys"). A table is one with rows of its own: an ordinary table, a leaf partition, an inheritance child.
//
// The publication only makes the source send changes. Whether a table's rows were delivered, and whether its changes
// have been captured without a gap since, is known from here and from nowhere else. Only the group's replicator writes,
// each page by compare-and-set.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/lsn.h"
#include "stream/broker.h"
#include "stream/change.h"
#include "stream/names.h"

namespace pgsluice {

enum class TableState : std::uint8_t {
    copy_due,    // it joined the group and its rows are still to be copied; its changes are not delivered until then
    copied,      // its rows are delivered as of `lsn`, and all changes since
    born_empty,  // it held no row when its changes began to be captured, so there was nothing to copy
    not_copied,  // mode stream: only changes since `lsn` are delivered
    assumed,     // delivered by a version that kept no record, or the record was lost: nothing is known
    left,        // not in the group since `lsn`
};

std::string_view to_string(TableState state);

struct TableRecord {
    Oid oid = 0;
    // Identity beyond the oid, which the source may give to another table later: the transaction that created it.
    std::uint32_t created_xid = 0;
    // What makes the source send its changes: its entry in the publication, and where it comes with a table above it,
    // the links up to that. Another text means that changes in between may be missing. Compare only.
    std::string capture;
    QualifiedName name;          // as last seen
    QualifiedName delivered_as;  // the table that its changes name: itself, or the partitioned root
    Oid delivered_oid = 0;       // of that table
    TableState state = TableState::copy_due;
    Lsn lsn = {};
    std::uint64_t epoch = 0;                 // of its copy, or of the attempt under way; 0: none yet
    std::optional<std::uint64_t> rows = {};  // of its copy, where known
    // copy_due: targets hold rows delivered under its name before, by itself or by a table that is gone. They are void.
    bool replaces = false;
    std::string reason = {};  // left: "dropped", "detached", ...; copy_due: why
    // After a rename that the targets were not told of: under which name they may still have the rows delivered until
    // then. Empty otherwise.
    QualifiedName rows_as = {};
    // As what its changes came before, where that was another table: a partitioned root that they no longer come as, or
    // the table itself, which comes as its root now; the last one last.
    std::vector<QualifiedName> came_as = {};
    // born_empty: it held no row then, so changes committed before add up to none. They are left out: some may not have
    // been captured, such as the TRUNCATE after them. 0/0: it held none since it was created.
    Lsn delivered_from = {};

    [[nodiscard]] bool active() const noexcept { return state != TableState::left; }
    bool operator==(const TableRecord&) const = default;
};

// The `reason` of a table that left while its copy was due: none of its changes is delivered.
inline constexpr std::string_view never_copied = "left before it was copied";
// That of a partition whose table goes on without it. It may become a table of its own.
inline constexpr std::string_view was_detached = "detached";
inline constexpr std::string_view was_renamed = "renamed";
inline constexpr std::string_view was_dropped = "dropped";

// The `came_as` of a table whose changes name this one from now on.
std::vector<QualifiedName> came_before(const TableRecord& before, Oid delivered_oid, const QualifiedName& delivered_as);

// Many tables of one page are kept under one key, so that a group of 10,000 tables needs few keys and each fits into a
// message. A table's page never changes.
constexpr Oid table_record_page(Oid oid) noexcept { return oid / 1024; }

std::string encode(std::span<const TableRecord> page);
// A stop Error when it is none.
std::vector<TableRecord> decode_table_records(std::string_view json);
// Of the key `record`. A stop Error when it is malformed.
std::uint32_t decode_record_version(std::string_view json);

// For readers: all tables by oid; nothing when the group keeps no record.
std::optional<std::map<Oid, TableRecord>> find_table_records(Broker& broker, const Names& names);

// The replicator's, in memory and in KV. One thread at a time.
class TableRecords {
   public:
    // Reads what there is.
    TableRecords(Broker& broker, const Names& names);

    // Whether the group keeps a record; begin() makes it so.
    [[nodiscard]] bool kept() const noexcept { return kept_; }
    // The record begins with these tables and no others. Safe to repeat after a crash in the middle.
    void begin(std::vector<TableRecord> tables);
    // Writes these entries, each in place of what the table had. Returns once they are stored; a retry Error when they
    // may not be, or when another replicator has written meanwhile.
    void set(std::span<const TableRecord> tables);
    // Drops the entries of these tables.
    void forget(const std::set<Oid>& tables);

    // The publication as the replicator left it last (its version in the source's catalog); empty: not known.
    [[nodiscard]] const std::string& publication() const noexcept { return publication_; }
    void note_publication(const std::string& version);

    [[nodiscard]] const std::map<Oid, TableRecord>& all() const noexcept { return tables_; }
    [[nodiscard]] const TableRecord* find(Oid oid) const;

   private:
    [[nodiscard]] std::vector<TableRecord> read_page(const std::string& name, std::string_view json) const;
    void write_page(Oid page);
    void write_head();

    Broker& broker_;
    const Names& names_;
    bool kept_ = false;
    std::string publication_;
    std::map<Oid, TableRecord> tables_;
    std::map<Oid, std::uint64_t> revisions_;  // of the pages that exist
};

}  // namespace pgsluice
