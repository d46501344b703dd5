// What a group keeps in its KV bucket for the replicator's own use; people and tools may read it too.
//
//   group     whose stream this is, as in the stream's `group` message, which may have been trimmed
//   epoch     number of the last copy begun
//   snapshot  the copy's figures (copy_report.h)
//   lsn       what the slot was told last
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "sql/lsn.h"
#include "stream/broker.h"
#include "stream/message.h"
#include "stream/names.h"

namespace pgsluice {

class GroupState {
   public:
    GroupState(Broker& broker, const Names& names) : broker_(broker), names_(names) {}

    // From the stream's first message while that is there, else from KV.
    std::optional<GroupInfo> group(const std::optional<StreamState>& stream);
    void remember(const GroupInfo& info);
    // Above every epoch the stream may know of.
    std::uint64_t next_epoch(const std::optional<StreamState>& stream, const std::optional<LastMessage>& last);
    void remember_epoch(std::uint64_t epoch);

    // Copies for people: failing to keep them must not stop the data.
    void show_copy(std::string_view figures) noexcept { show("snapshot", figures); }
    void show_confirmed(Lsn lsn) noexcept { show("lsn", to_string(lsn)); }

   private:
    void show(const char* key, std::string_view value) noexcept;

    Broker& broker_;
    const Names& names_;
};

}  // namespace pgsluice
