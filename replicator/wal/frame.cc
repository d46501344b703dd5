#include "replicator/wal/frame.h"

#include "replicator/wal/pgoutput_cursor.h"

namespace pgsluice {

namespace {

XLogData parse_xlog_data(std::string_view payload) {
    pgoutput::Cursor in(payload.substr(1), "XLogData");
    in.lsn();
    in.lsn();
    const auto sent_us = in.timestamp();
    return {sent_us, in.bytes(in.left())};
}

Keepalive parse_keepalive(std::string_view payload) {
    pgoutput::Cursor in(payload.substr(1), "keepalive");
    Keepalive keepalive;
    keepalive.wal_end = in.lsn();
    in.timestamp();
    keepalive.reply_requested = in.byte() != 0;
    in.expect_end();
    return keepalive;
}

}  // namespace

std::variant<XLogData, Keepalive> parse_wal_frame(std::string_view payload) {
    if (payload.starts_with('w')) return parse_xlog_data(payload);
    if (payload.starts_with('k')) return parse_keepalive(payload);
    pgoutput::Cursor(payload, "CopyBoth").fail("its kind is unknown");
}

}  // namespace pgsluice
