// What the file sink's files are called.
//
//     20261120T230501.123456Z-00000000016B2D50-12.jsonl     finished: never touched again
//     20261120T230501.123456Z-00000000016B2D50-12.jsonl.zst  the same, compressed
//     ....jsonl.part           being written
//     ....jsonl.snapshot-3     part of a copy (epoch 3) that has not ended
//
// The time is when the file was begun (UTC), then commit LSN and ordinal of its first change. Sorted by name the files
// are in commit order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "stream/position.h"

namespace pgsluice {

std::string line_file_name(std::int64_t unix_us, Position first, bool zstd);
bool is_zstd_name(std::string_view name);

struct LineFileName {
    enum class Kind { foreign, finished, part, snapshot };
    Kind kind = Kind::foreign;
    std::string finished;     // the name without the temporary suffix
    std::uint64_t epoch = 0;  // kind snapshot
};
LineFileName parse_line_file_name(std::string_view name);

}  // namespace pgsluice
