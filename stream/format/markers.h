// The JSON bodies of messages other than data: group, snapshot begin and end, progress (FORMAT.md, "Markers").
#pragma once

#include <string>
#include <string_view>

#include "stream/format/direct_plan.h"
#include "stream/message.h"

namespace pgsluice {

std::string encode(const GroupInfo& info);
std::string encode(const SnapshotBegin& begin);
// Of a direct snapshot: in a form that readers which know no such thing refuse.
std::string encode(const SnapshotBegin& begin, const DirectPlan& plan);
std::string encode(const SnapshotEnd& end);
std::string encode(const Progress& progress);
// A progress marker that says, too, that the rows as of its LSN are in a dump, and not in the stream before it.
std::string encode_dump_marker(const Progress& progress);

// A stop Error that names the field when the body is malformed.
GroupInfo decode_group(std::string_view body);
SnapshotBegin decode_snapshot_begin(std::string_view body);
SnapshotEnd decode_snapshot_end(std::string_view body);
Progress decode_progress(std::string_view body);
// Of the body of a progress marker: whether it is encode_dump_marker()'s. One that cannot be read is not.
bool is_dump_marker(std::string_view body);

}  // namespace pgsluice
