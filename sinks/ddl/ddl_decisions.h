// What an operator decides about single derived commands that stopped a worker: `pgsluice ddl`.
#pragma once

#include <optional>

#include "stream/definition/ddl_place.h"

namespace pgsluice {

class DdlDecisions {
   public:
    virtual ~DdlDecisions() = default;

    // Nothing: none was made.
    virtual std::optional<DdlDecision> find(const DdlPlace& place) = 0;
    // Shows the command to the operator. Returns once that is stored.
    virtual void ask(const PendingDdl& pending) = 0;
    // Whether the command that was asked about is still to be decided about.
    virtual bool awaits(const DdlPlace& place) = 0;
};

}  // namespace pgsluice
