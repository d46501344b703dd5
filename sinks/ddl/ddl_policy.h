// What is done with each kind of derived command: --ddl-policy 'drop table=stop, index=ignore'.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "sinks/ddl/ddl_kind.h"

namespace pgsluice {

enum class DdlAction {
    apply,
    stop,    // the worker stops before it: an operator decides (pgsluice ddl)
    ignore,  // this one is left out
};

class DdlPolicy {
   public:
    // Pairs of a name and an action. A name is a kind's ("drop table"), an object's ("table": create, rename and drop
    // it), a verb ("drop"), or "all"; of two that mean one kind the later holds. usage Error.
    static DdlPolicy parse(std::string_view text);

    // Nothing: the policy does not name the kind. Then it is applied, unless it destroys what only the target has.
    [[nodiscard]] std::optional<DdlAction> of(DdlKind kind) const;

    bool operator==(const DdlPolicy&) const = default;

   private:
    std::map<DdlKind, DdlAction> actions_;
};

}  // namespace pgsluice
