// DDL messages on their way into the stream: where the source has computed values that a target cannot compute, the
// table's rows are copied again, and the message says so.
#pragma once

#include <optional>
#include <set>

#include "replicator/ends.h"
#include "replicator/tables/gate.h"
#include "stream/definition/definition_message.h"

namespace pgsluice {

class RecopiedTables {
   public:
    // Both must outlive it.
    RecopiedTables(const ReplicatorEnds& ends, TableGate& gate) : ends_(ends), gate_(gate) {}

    // What to publish instead; nothing: the message as it is. The copies are recorded before it returns. A stop Error
    // when a table is too large for that (--ddl-recopy-limit), or the group copies no rows.
    std::optional<DefinitionMessage> pass_on(DefinitionMessage message);

   private:
    [[nodiscard]] static std::set<Oid> to_copy(const DefinitionMessage& message);
    [[nodiscard]] std::set<Oid> void_rows(std::set<Oid> tables) const;
    // Returns the tables that are to be emptied.
    std::set<Oid> mark_void(DefinitionMessage& message);
    void require_allowed(const DefinitionMessage& message, const std::set<Oid>& tables);

    const ReplicatorEnds& ends_;
    TableGate& gate_;
};

// Whether a table of this size may be copied; a limit of 0 is none.
[[nodiscard]] bool within_limit(std::uint64_t size, std::uint64_t limit);

}  // namespace pgsluice
