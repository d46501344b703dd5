// That a group's application has moved to the target: the KV key `cutover` (FORMAT.md, "Keys"), written by
// `pgsluice cutover` once the target may be written to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sql/lsn.h"
#include "stream/broker.h"
#include "stream/names.h"

namespace pgsluice {

struct CutoverRecord {
    Lsn lsn;                      // of the source: the target has all that was committed before
    std::int64_t at_us = 0;       // microseconds since 2000-01-01 UTC
    bool writes_stopped = false;  // whether the source's tables refuse writes since

    bool operator==(const CutoverRecord&) const = default;
};

std::string encode(const CutoverRecord& record);
// A stop Error when it is malformed.
CutoverRecord decode_cutover(std::string_view json);

// Nothing when the group was not cut over.
std::optional<CutoverRecord> find_cutover(Broker& broker, const Names& names);
void record_cutover(Broker& broker, const Names& names, const CutoverRecord& record);
void forget_cutover(Broker& broker, const Names& names);

}  // namespace pgsluice
