// A message of a group's stream: its headers and its body. FORMAT.md describes the same for readers in other languages;
// keep the two in agreement.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/lsn.h"
#include "stream/change.h"
#include "stream/position.h"

namespace pgsluice {

enum class MessageKind : std::uint8_t {
    group,           // the stream's first message: whose stream this is; written before the slot is created
    snapshot_begin,  // an epoch starts: its tables; discard what an older epoch loaded
    copy,            // rows of one table as COPY text, exactly as PostgreSQL produced them
    snapshot_end,    // the epoch is complete; changes follow
    changes,         // a JSON block of changes
    progress,        // the WAL advanced without changes for this group
};

// How a message's body is stored; only `copy` and `changes` have another than `none` (FORMAT.md, "Compressed bodies").
enum class BodyEncoding : std::uint8_t {
    none,
    zstd,  // one zstd frame
};

// What every message's headers carry. `position` is that of the last change complete in this message or any before it;
// `safe_flush_lsn` is the LSN up to which the slot may be confirmed once this message is stored: the end of the last
// transaction complete in it (or of WAL without changes for this group).
struct MessageMeta {
    MessageKind kind = MessageKind::progress;
    Position position;
    Lsn safe_flush_lsn;
    // snapshot_begin, copy, snapshot_end: of tables that joined the group later, in mid-stream. The copy holds only
    // those tables; streaming of the others continues.
    bool added = false;

    bool operator==(const MessageMeta&) const = default;
};

// Body of `group`, as JSON.
struct GroupInfo {
    std::string group;
    std::string system_identifier;  // IDENTIFY_SYSTEM: identifies the cluster
    std::uint32_t timeline = 0;
    std::string dbname;
    std::string server_version;  // "15.18"
    std::string program_version;
    std::uint32_t format = 1;  // the version of what the stream holds (format/version.h)

    bool operator==(const GroupInfo&) const = default;
};

// Body of `snapshot_begin`, as JSON.
struct SnapshotBegin {
    std::uint64_t epoch = 0;  // increases by one with every attempt
    Lsn consistent_point;     // the slot's; the rows are as of it
    std::vector<Relation> tables;
    std::vector<std::uint64_t> estimated_bytes;  // per table, for progress displays
    // Indexes of tables under whose names the group delivered rows before which are void now: the table was re-created,
    // swapped for another, or not captured for a time. A sink that keeps rows empties these first.
    std::vector<std::uint32_t> replaces{};
    std::int64_t time_us = 0;  // of the snapshot, by the source's clock, microseconds since 2000-01-01 UTC; 0: not said
    bool added = false;        // not of the body: MessageMeta::added, set by whoever reads a marker
};

// Body of `snapshot_end`, as JSON.
struct SnapshotEnd {
    std::uint64_t epoch = 0;
    Lsn consistent_point;
    std::uint64_t rows = 0;
    bool called_off = false;  // an empty copy that discards an interrupted copy of added tables
};

// Body of `progress`, as JSON.
struct Progress {
    Lsn lsn;
    std::int64_t time_us = 0;  // microseconds since 2000-01-01 UTC
};

// Headers of `copy` beside the common ones; the body is COPY text, whole lines.
struct CopyHeader {
    std::uint64_t epoch = 0;
    std::uint32_t table = 0;      // index into SnapshotBegin::tables
    std::uint64_t first_row = 0;  // running number of the body's first row within the epoch, from 1, over all tables
    std::uint64_t rows = 0;
    std::uint64_t first_page = 0;  // the page range these rows come from, [first_page, end_page)
    std::uint64_t end_page = 0;    // 0: open-ended

    bool operator==(const CopyHeader&) const = default;
};

// Part `number` of `count`, from 1.
struct MessagePart {
    std::uint32_t number = 1;
    std::uint32_t count = 1;

    [[nodiscard]] bool last() const noexcept { return number == count; }
    bool operator==(const MessagePart&) const = default;
};

// A random name for what one publisher writes from when it begins until it ends; 0: of a build that gave none.
//
// The broker fences by number alone: what a publisher had under way when another replaced it fits after messages of the
// other. So a message continues the one before it only where both are of one run; the first message of a run names what
// it continues (`follows`), which its publisher had read.
using RunId = std::uint64_t;

// Of a stored message, all of them.
struct ParsedHeaders {
    MessageMeta meta;
    CopyHeader copy;  // kind copy only
    MessagePart part;
    std::optional<StreamSeq> follows;
    std::optional<StreamSeq> fence;  // the broker's: the sequence before it
    RunId run = 0;
    BodyEncoding encoding = BodyEncoding::none;

    // Whether a message of `before`, the own one before it, can be what it was sent to continue.
    [[nodiscard]] bool continues(RunId before) const noexcept { return run == 0 || follows || run == before; }
};

// Keeps whatever a message's views point into.
using MessageOwner = std::shared_ptr<const void>;

// A message read from the stream, put together from its parts.
struct Message {
    StreamSeq first_seq;  // of its first part
    StreamSeq last_seq;   // of its last; equal to first_seq for a message of one part
    MessageMeta meta;
    CopyHeader copy;  // kind copy only
    std::string_view body;
    MessageOwner owner;  // keeps `body` alive
};

}  // namespace pgsluice
