// pgoutput messages of whole transactions, as a source would send them, for tests of what stands behind the decoder.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/lsn.h"
#include "tests/support/pgoutput_bytes.h"

namespace pgsluice::test {

using TextRow = std::vector<std::optional<std::string_view>>;  // nothing for NULL

inline std::string wal_begin(Lsn commit_lsn, std::uint32_t xid, std::int64_t commit_time_us = 1000) {
    return PgoutputBytes('B')
        .int64(commit_lsn.value)
        .int64(static_cast<std::uint64_t>(commit_time_us))
        .int32(xid)
        .take();
}

inline std::string wal_origin(Lsn commit_lsn, std::string_view name) {
    return PgoutputBytes('O').int64(commit_lsn.value).text(name).take();
}

inline std::string wal_commit(Lsn commit_lsn, Lsn end_lsn) {
    return PgoutputBytes('C').byte(0).int64(commit_lsn.value).int64(end_lsn.value).int64(1000).take();
}

// All columns of type text, the first one the key.
inline std::string wal_relation(std::uint32_t oid, std::string_view table,
                                std::initializer_list<std::string_view> columns) {
    PgoutputBytes bytes('R');
    bytes.int32(oid).text("public").text(table).character('d').int16(static_cast<std::uint16_t>(columns.size()));
    bool key = true;
    for (const auto column : columns) {
        bytes.byte(key ? 1 : 0).text(column).int32(25).int32(0xFFFFFFFF);
        key = false;
    }
    return bytes.take();
}

inline void append_row(PgoutputBytes& bytes, const TextRow& row) {
    bytes.int16(static_cast<std::uint16_t>(row.size()));
    for (const auto& value : row) {
        if (value) {
            bytes.text_value(*value);
        } else {
            bytes.null_value();
        }
    }
}

inline std::string wal_insert(std::uint32_t oid, const TextRow& row) {
    PgoutputBytes bytes('I');
    bytes.int32(oid).character('N');
    append_row(bytes, row);
    return bytes.take();
}

inline std::string wal_update(std::uint32_t oid, const TextRow& old_key, const TextRow& row) {
    PgoutputBytes bytes('U');
    bytes.int32(oid);
    if (!old_key.empty()) {
        bytes.character('K');
        append_row(bytes, old_key);
    }
    bytes.character('N');
    append_row(bytes, row);
    return bytes.take();
}

inline std::string wal_delete(std::uint32_t oid, const TextRow& old_key) {
    PgoutputBytes bytes('D');
    bytes.int32(oid).character('K');
    append_row(bytes, old_key);
    return bytes.take();
}

inline std::string wal_truncate(std::initializer_list<std::uint32_t> oids) {
    PgoutputBytes bytes('T');
    bytes.int32(static_cast<std::uint32_t>(oids.size())).byte(0);
    for (const auto oid : oids) bytes.int32(oid);
    return bytes.take();
}

inline std::string wal_message(bool transactional, Lsn lsn, std::string_view prefix, std::string_view content) {
    return PgoutputBytes('M').byte(transactional ? 1 : 0).int64(lsn.value).text(prefix).bytes(content).take();
}

// Frames as they travel in CopyBoth.
inline std::string xlog_data(std::string_view message, std::int64_t sent_us = 1000) {
    return PgoutputBytes('w').int64(1).int64(1).int64(static_cast<std::uint64_t>(sent_us)).take().append(message);
}

inline std::string keepalive(Lsn wal_end, bool reply_requested = false) {
    return PgoutputBytes('k').int64(wal_end.value).int64(1000).byte(reply_requested ? 1 : 0).take();
}

}  // namespace pgsluice::test
