// What travels inside CopyBoth from the walsender (manual, "Streaming Replication Protocol").
//
//   XLogData  = 'w' int64:data_start int64:wal_end int64:clock  bytes     one pgoutput message
//   Keepalive = 'k' int64:wal_end int64:clock byte:reply_requested
//
// XLogData's LSNs are those of single records: they go back where transactions overlap and say nothing about progress.
// A keepalive's wal_end is how far the walsender has decoded: every commit before it was sent before the keepalive.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "sql/lsn.h"

namespace pgsluice {

struct XLogData {
    std::int64_t sent_us = 0;  // the source's clock, microseconds since 2000-01-01 UTC
    std::string_view message;
};

struct Keepalive {
    Lsn wal_end;
    bool reply_requested = false;
};

// A stop Error when it is neither. Views point into `payload`.
std::variant<XLogData, Keepalive> parse_wal_frame(std::string_view payload);

}  // namespace pgsluice
