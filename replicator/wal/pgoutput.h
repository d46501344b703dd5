// Decoder of logical replication protocol version 1 (manual, "Logical Replication Message Formats"; PostgreSQL's own
// reader and writer is src/backend/replication/logical/proto.c). Takes bytes, knows no socket and no catalog.
//
//   transaction  = Begin [Origin] { Relation | Type | Insert | Update | Delete | Truncate | Message } Commit
//   stream       = { transaction | Message }            (a Message outside is a non-transactional one)
//
// A Relation comes before the first change of its table, and again whenever its definition may have changed.
// Text values only: the binary format is never asked for and refused.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "sql/lsn.h"
#include "stream/change.h"

namespace pgsluice::pgoutput {

struct Begin {
    Lsn commit_lsn;  // "final LSN of the transaction": of its commit record
    std::int64_t commit_time_us = 0;
    std::uint32_t xid = 0;
};

struct Commit {
    Lsn commit_lsn;
    Lsn end_lsn;
    std::int64_t commit_time_us = 0;
};

struct Origin {
    Lsn commit_lsn;  // on the origin
    std::string_view name;
};

struct RelationColumn {
    bool key = false;
    std::string_view name;
    Oid type_oid = 0;
    std::int32_t typmod = -1;
};

struct RelationMessage {
    Oid oid = 0;
    std::string_view schema;
    std::string_view table;
    ReplicaIdentity identity = ReplicaIdentity::default_key;
    std::span<const RelationColumn> columns;
};

struct Type {
    Oid oid = 0;
    std::string_view schema;
    std::string_view name;
};

struct Insert {
    Oid relation = 0;
    Row new_row;
};

struct Update {
    Oid relation = 0;
    OldRow old_kind = OldRow::none;
    Row old_row;  // empty when old_kind is none
    Row new_row;
};

struct Delete {
    Oid relation = 0;
    OldRow old_kind = OldRow::key;
    Row old_row;
};

struct Truncate {
    bool cascade = false;
    bool restart_identity = false;
    std::span<const Oid> relations;
};

// Of pg_logical_emit_message().
struct LogicalMessage {
    bool transactional = false;
    Lsn lsn;  // the end of the message's record
    std::string_view prefix;
    std::string_view content;
};

using Message =
    std::variant<Begin, Commit, Origin, RelationMessage, Type, Insert, Update, Delete, Truncate, LogicalMessage>;

class Decoder {
   public:
    // Decodes one message; a stop Error when it is not what the protocol says. Views point into `bytes` and into the
    // decoder: they are valid until the next call, while the bytes live.
    Message decode(std::string_view bytes);

   private:
    std::vector<Value> new_row_;
    std::vector<Value> old_row_;
    std::vector<RelationColumn> columns_;
    std::vector<Oid> oids_;
};

}  // namespace pgsluice::pgoutput
