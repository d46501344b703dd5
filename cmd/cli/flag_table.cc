// All flags. The order is that of --help and of cmd/README.md.
#include <vector>

#include "cmd/cli/flags/tables.h"

namespace pgsluice {

std::span<const Flag> flags() {
    static const std::vector<Flag> all = [] {
        std::vector<Flag> made;
        for (const auto table :
             {link_flags, replicator_flags, worker_flags, postgres_flags, sink_flags, tool_flags, running_flags}) {
            const std::span<const Flag> some = table();
            made.insert(made.end(), some.begin(), some.end());
        }
        return made;
    }();
    return all;
}

}  // namespace pgsluice
