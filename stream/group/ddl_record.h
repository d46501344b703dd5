// Whether a group tracks DDL: the KV key `ddl` (FORMAT.md, "Keys"), which only the replicator writes, at each start.
//
// The right to publish to the stream is not the right to run commands on a target: a DDL message is executed only where
// the group announced that there may be some. The record is not in the stream for the same reason.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "stream/broker.h"
#include "stream/names.h"
#include "stream/position.h"

namespace pgsluice {

struct DdlRecord {
    bool tracked = false;
    // Messages up to this one may hold DDL that was tracked earlier; 0 when the group never tracked any.
    StreamSeq until;

    bool operator==(const DdlRecord&) const = default;
};

std::string encode(const DdlRecord& record);
// A stop Error when it is malformed.
DdlRecord decode_ddl_record(std::string_view json);

[[nodiscard]] inline bool may_hold_ddl(const DdlRecord& record, StreamSeq message) {
    return record.tracked || message <= record.until;
}

void remember_ddl(Broker& broker, const Names& names, const DdlRecord& record);
// Nothing when there is no record, as with a replicator older than it, or one that cannot be read.
std::optional<DdlRecord> find_ddl_record(Broker& broker, const Names& names);

}  // namespace pgsluice
