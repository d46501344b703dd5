// What a group keeps in its KV bucket for the replicator's own use; people and tools may read it too. These are
// the keys that are written or read here; all keys are in stream/format/FORMAT.md, "Keys".
//
//   group     whose stream this is, as in the stream's `group` message, which may have been trimmed
//   epoch     number of the last copy begun or about to begin (stream/group/snapshot_start.h)
//   added_epoch  the same of copies of tables that joined later
//   begin     where that copy begins (stream/group/snapshot_start.h)
//   snapshot  the copy's figures (replicator/snapshot/report.h)
//   tables    what is replicated (stream/group/tables.h)
//   references  its foreign keys (stream/group/references.h)
//   ddl       whether DDL is tracked (stream/group/ddl_record.h)
//   lsn       what the slot was told last
//   last_changes  when each table changed last (stream/group/last_changes.h)
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "replicator/options.h"
#include "replicator/start_up.h"
#include "stream/broker.h"
#include "stream/message.h"
#include "stream/names.h"

namespace pgsluice {

// What this session says of the group. `server_version` as libpq numbers it.
GroupInfo group_info(const ReplicatorOptions& options, const StartFacts& facts, int server_version);

class GroupState {
   public:
    GroupState(Broker& broker, const Names& names) : broker_(broker), names_(names) {}

    void remember(const GroupInfo& info);
    // Above every epoch the stream may know of, and above 1 when the group starts over: workers that are left from a
    // stream and a bucket lost together take a first copy for a namesake's.
    std::uint64_t next_epoch(const std::optional<StreamState>& stream, const std::optional<LastMessage>& last,
                             bool starts_over);

    // Copies for people: failing to keep them must not stop the data.
    void show_copy(std::string_view figures) noexcept { show("snapshot", figures); }
    void show_confirmed(std::string_view lsn) noexcept { show("lsn", lsn); }
    void show_last_changes(std::string_view changes) noexcept { show("last_changes", changes); }
    // False when they are too many.
    bool show_tables(std::string_view tables) noexcept;

   private:
    void show(const char* key, std::string_view value) noexcept;

    Broker& broker_;
    const Names& names_;
};

}  // namespace pgsluice
