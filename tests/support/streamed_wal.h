// pgoutput's messages of transactions that are still running (protocol version 2), for tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sql/lsn.h"
#include "tests/support/pgoutput_bytes.h"

namespace pgsluice::test {

inline std::string stream_start(std::uint32_t xid, bool first) {
    return PgoutputBytes('S').int32(xid).byte(first ? 1 : 0).take();
}

inline std::string stream_stop() { return "E"; }

inline std::string stream_commit(std::uint32_t xid, Lsn commit_lsn, Lsn end_lsn) {
    return PgoutputBytes('c').int32(xid).byte(0).int64(commit_lsn.value).int64(end_lsn.value).int64(1000).take();
}

inline std::string stream_abort(std::uint32_t xid, std::uint32_t subxid) {
    return PgoutputBytes('A').int32(xid).int32(subxid).take();
}

// A message within a chunk, of this subtransaction.
inline std::string streamed(std::uint32_t subxid, std::string_view message) {
    return PgoutputBytes(message.front()).int32(subxid).take().append(message.substr(1));
}

}  // namespace pgsluice::test
