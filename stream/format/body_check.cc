#include "stream/format/body_check.h"

#include <algorithm>

#include "sql/error.h"
#include "stream/format/block_reader.h"
#include "stream/format/markers.h"

namespace pgsluice {

namespace {

std::string block_fault(const MessageMeta& meta, std::string_view body) {
    const auto block = BlockReader().read(body);
    for (const Change& change : block->changes)
        if (change.position > meta.position) return "it holds a change above the position in its headers";
    return {};
}

std::string rows_fault(const CopyHeader& header, std::string_view body) {
    const auto rows = static_cast<std::uint64_t>(std::count(body.begin(), body.end(), '\n'));
    const bool whole = body.empty() || body.back() == '\n';
    return whole && rows == header.rows ? "" : "it does not hold as many rows as its headers say";
}

void read_marker(MessageKind kind, std::string_view body) {
    switch (kind) {
        case MessageKind::group:
            static_cast<void>(decode_group(body));
            break;
        case MessageKind::snapshot_begin:
            static_cast<void>(decode_snapshot_begin(body));
            break;
        case MessageKind::snapshot_end:
            static_cast<void>(decode_snapshot_end(body));
            break;
        case MessageKind::progress:
            static_cast<void>(decode_progress(body));
            break;
        case MessageKind::copy:
        case MessageKind::changes:
            break;
    }
}

}  // namespace

std::string body_fault(const MessageMeta& meta, const CopyHeader& copy, std::string_view body) {
    try {
        if (meta.kind == MessageKind::copy) return rows_fault(copy, body);
        if (meta.kind == MessageKind::changes) return block_fault(meta, body);
        read_marker(meta.kind, body);
        return {};
    } catch (const Error& error) {
        return error.what();
    }
}

std::string fault_after(const ParsedHeaders& before, const ParsedHeaders& headers) {
    if (!headers.continues(before.run)) return "another replicator had replaced the one that wrote it";
    const auto kind = headers.meta.kind;
    const bool may_fall =
        kind == MessageKind::snapshot_begin || kind == MessageKind::group || kind == MessageKind::progress;
    if (may_fall || headers.meta.position >= before.meta.position) return {};
    return "its position is below that of the message before it";
}

}  // namespace pgsluice
