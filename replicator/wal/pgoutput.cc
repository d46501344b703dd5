#include "replicator/wal/pgoutput.h"

#include <fmt/format.h>

#include "replicator/wal/pgoutput_cursor.h"
#include "sql/error.h"

namespace pgsluice::pgoutput {

namespace {

// Tables have at most 1600 columns; a tuple's column takes at least one byte, so what a hostile count can allocate is
// bounded by the message's own size all the same.
std::size_t column_count(Cursor& in) {
    const std::size_t count = in.int16();
    if (count > in.left()) in.fail("it is too short for its columns");
    return count;
}

// PostgreSQL sends the system catalog's schema as an empty name.
std::string_view schema_name(Cursor& in) {
    const auto name = in.text();
    return name.empty() ? "pg_catalog" : name;
}

ReplicaIdentity identity(Cursor& in) {
    switch (const char letter = in.character()) {
        case 'd':
        case 'n':
        case 'f':
        case 'i':
            return static_cast<ReplicaIdentity>(letter);
        default:
            in.fail("it names an unknown replica identity");
    }
}

Value column_value(Cursor& in) {
    switch (in.character()) {
        case 't': {
            const auto size = in.int32();
            return Value(in.bytes(size));
        }
        case 'n':
            return {};
        case 'u':
            return Value::unchanged();
        case 'b':
            in.fail("it holds a value in binary format, which was not asked for");
        default:
            in.fail("it holds a value of an unknown kind");
    }
}

Row tuple(Cursor& in, std::vector<Value>& row) {
    row.resize(column_count(in));
    for (Value& value : row) value = column_value(in);
    return row;
}

Row expect_tuple(Cursor& in, char kind, std::vector<Value>& row) {
    if (in.character() != kind) in.fail("it holds another kind of row than it must");
    return tuple(in, row);
}

Begin decode_begin(Cursor& in) {
    Begin begin;
    begin.commit_lsn = in.lsn();
    begin.commit_time_us = in.timestamp();
    begin.xid = in.int32();
    return begin;
}

Commit decode_commit(Cursor& in) {
    Commit commit;
    if (in.byte() != 0) in.fail("it has unknown flags");
    commit.commit_lsn = in.lsn();
    commit.end_lsn = in.lsn();
    commit.commit_time_us = in.timestamp();
    return commit;
}

Origin decode_origin(Cursor& in) {
    Origin origin;
    origin.commit_lsn = in.lsn();
    origin.name = in.text();
    return origin;
}

RelationMessage decode_relation(Cursor& in, std::vector<RelationColumn>& columns) {
    RelationMessage relation;
    relation.oid = in.int32();
    relation.schema = schema_name(in);
    relation.table = in.text();
    relation.identity = identity(in);
    columns.resize(column_count(in));
    for (RelationColumn& column : columns) {
        column.key = (in.byte() & 1) != 0;
        column.name = in.text();
        column.type_oid = in.int32();
        column.typmod = static_cast<std::int32_t>(in.int32());
    }
    relation.columns = columns;
    return relation;
}

Type decode_type(Cursor& in) {
    Type type;
    type.oid = in.int32();
    type.schema = schema_name(in);
    type.name = in.text();
    return type;
}

Insert decode_insert(Cursor& in, std::vector<Value>& new_row) {
    Insert insert;
    insert.relation = in.int32();
    insert.new_row = expect_tuple(in, 'N', new_row);
    return insert;
}

// 'K': the key columns of the old row, all others sent as NULL; 'O': the whole old row.
OldRow old_row_kind(Cursor& in, char letter) {
    if (letter == 'K') return OldRow::key;
    if (letter == 'O') return OldRow::full;
    in.fail("it holds a row of an unknown kind");
}

Update decode_update(Cursor& in, std::vector<Value>& old_row, std::vector<Value>& new_row) {
    Update update;
    update.relation = in.int32();
    const char letter = in.character();
    if (letter == 'N') {
        update.new_row = tuple(in, new_row);
        return update;
    }
    update.old_kind = old_row_kind(in, letter);
    update.old_row = tuple(in, old_row);
    update.new_row = expect_tuple(in, 'N', new_row);
    return update;
}

Delete decode_delete(Cursor& in, std::vector<Value>& old_row) {
    Delete del;
    del.relation = in.int32();
    del.old_kind = old_row_kind(in, in.character());
    del.old_row = tuple(in, old_row);
    return del;
}

Truncate decode_truncate(Cursor& in, std::vector<Oid>& relations) {
    Truncate truncate;
    const std::size_t count = in.int32();
    const auto options = in.byte();
    truncate.cascade = (options & 1) != 0;
    truncate.restart_identity = (options & 2) != 0;
    if (count > in.left() / sizeof(Oid)) in.fail("it is too short for its tables");
    relations.resize(count);
    for (Oid& oid : relations) oid = in.int32();
    truncate.relations = relations;
    return truncate;
}

LogicalMessage decode_message(Cursor& in) {
    LogicalMessage message;
    message.transactional = (in.byte() & 1) != 0;
    message.lsn = in.lsn();
    message.prefix = in.text();
    message.content = in.bytes(in.int32());
    return message;
}

// Reads the whole message with one of the functions above.
template <typename Read, typename... Reused>
Message whole(std::string_view bytes, const char* name, Read read, Reused&... reused) {
    Cursor in(bytes.substr(1), name);
    auto decoded = read(in, reused...);
    in.expect_end();
    return decoded;
}

}  // namespace

Message Decoder::decode(std::string_view bytes) {
    if (bytes.empty()) Cursor(bytes, "logical replication").fail("it is empty");
    switch (const char kind = bytes.front()) {
        case 'B':
            return whole(bytes, "Begin", decode_begin);
        case 'C':
            return whole(bytes, "Commit", decode_commit);
        case 'O':
            return whole(bytes, "Origin", decode_origin);
        case 'R':
            return whole(bytes, "Relation", decode_relation, columns_);
        case 'Y':
            return whole(bytes, "Type", decode_type);
        case 'I':
            return whole(bytes, "Insert", decode_insert, new_row_);
        case 'U':
            return whole(bytes, "Update", decode_update, old_row_, new_row_);
        case 'D':
            return whole(bytes, "Delete", decode_delete, old_row_);
        case 'T':
            return whole(bytes, "Truncate", decode_truncate, oids_);
        case 'M':
            return whole(bytes, "Message", decode_message);
        default:
            Cursor(bytes, "logical replication")
                .fail(fmt::format("its kind 0x{:02x} is unknown", static_cast<unsigned char>(kind)));
    }
}

}  // namespace pgsluice::pgoutput
