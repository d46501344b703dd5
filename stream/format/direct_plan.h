// What a begin marker says of a direct snapshot: its rows are not in the stream; a worker reads them from the source
// itself, from the snapshot that the replicator holds for it (FORMAT.md, "Markers").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/page_ranges.h"

namespace pgsluice {

// Where rows of a table lie: itself, or a partition whose changes come under its root's name.
struct DirectPart {
    std::uint32_t table = 0;  // index into SnapshotBegin::tables
    std::string schema;
    std::string name;
    std::uint64_t pages = 0;

    bool operator==(const DirectPart&) const = default;
};

struct DirectPlan {
    std::string snapshot;  // to be imported, as pg_export_snapshot() named it
    std::uint64_t range_pages = 1;
    std::vector<DirectPart> parts;  // those of a table one after another

    bool operator==(const DirectPlan&) const = default;
};

// What is claimed, loaded and noted as one: by its number, so that the order must stay as it is. PageRange::part is an
// index into the plan's parts.
std::vector<PageRange> ranges_of(const DirectPlan& plan);

// The plan in a begin marker's body; nothing where the rows are in the stream. A stop Error when it is malformed.
std::optional<DirectPlan> decode_direct_plan(std::string_view snapshot_begin);

}  // namespace pgsluice
