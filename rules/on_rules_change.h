// What a start does when rows were delivered, or published, under other rules than those of now.
#pragma once

namespace pgsluice {

// `accept`: they stay as they are. `reload`, of a worker only: they are delivered again (worker/rules/change.h).
enum class OnRulesChange { stop, accept, reload };

}  // namespace pgsluice
