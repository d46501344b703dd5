// How a sink that makes tables learns what rules and routing mean for them.
#pragma once

#include <functional>

namespace pgsluice {

struct DefinitionMessage;

// Makes definitions of the source what a target is to have, as those in captured DDL; false when nothing is left.
using RuleDefinitions = std::function<bool(DefinitionMessage&)>;

// Implemented by sinks that make tables of their own accord.
class MakesTables {
   public:
    virtual ~MakesTables() = default;
    // Called once after open(), before anything is handed on. Without it, definitions stay as they are.
    virtual void rule_definitions(RuleDefinitions rules) = 0;
};

}  // namespace pgsluice
