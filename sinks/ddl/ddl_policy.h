// What is done with each kind of derived command: --ddl-policy 'drop table=stop, index on public.log_*=ignore'.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sinks/ddl/ddl_kind.h"
#include "stream/table_pattern.h"

namespace pgsluice {

enum class DdlAction {
    apply,
    stop,    // the worker waits before it: an operator decides (pgsluice ddl)
    ignore,  // this one is left out
};

class DdlPolicy {
   public:
    // Entries of a name and an action. A name is a kind's ("drop table"), an object's ("table": create, rename and drop
    // it), a verb ("drop"), or "all"; followed by "on" and a table's name or pattern as on the target ("drop column on
    // public.t"), it is for commands on these tables. usage Error.
    static DdlPolicy parse(std::string_view text);
    // One more entry.
    void add(std::string_view entry);

    // For a command on `tables`, which may be none. Of entries that mean it those with a table hold, and of these the
    // last. Where tables of one command differ it is stop. Nothing: no entry means the command. Then it is applied,
    // unless it destroys what only the target has.
    [[nodiscard]] std::optional<DdlAction> of(DdlKind kind, const std::vector<QualifiedName>& tables) const;

    bool operator==(const DdlPolicy&) const = default;

   private:
    using Actions = std::map<DdlKind, DdlAction>;

    [[nodiscard]] std::optional<DdlAction> of_one(DdlKind kind, const QualifiedName& table) const;

    Actions actions_;
    std::vector<std::pair<TablePattern, Actions>> of_tables_;
};

}  // namespace pgsluice
