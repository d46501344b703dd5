// The JSON bodies of messages other than data: group, snapshot begin and end, progress (FORMAT.md, "Markers").
#pragma once

#include <string>
#include <string_view>

#include "stream/message.h"

namespace pgsluice {

std::string encode(const GroupInfo& info);
std::string encode(const SnapshotBegin& begin);
std::string encode(const SnapshotEnd& end);
std::string encode(const Progress& progress);

// A stop Error that names the field when the body is malformed.
GroupInfo decode_group(std::string_view body);
SnapshotBegin decode_snapshot_begin(std::string_view body);
SnapshotEnd decode_snapshot_end(std::string_view body);
Progress decode_progress(std::string_view body);

}  // namespace pgsluice
