// The YAML configuration file: a mapping of flag names to values, and, for `pgsluice run`, of groups. `_` in a flag's
// name counts as `-`. Values may hold references (cmd/cli/references.h).
//
//     nats-url: nats://nats:4222       # for all that follows
//     groups:
//       shop:
//         source-url: ...              # for all parts of the group
//         replicator:                  # may be empty
//           copy-and-stream: true
//         workers:
//           - sink: postgres
//             target-url: ...
#pragma once

#include <string>
#include <vector>

#include "cmd/cli/environment.h"
#include "cmd/cli/given.h"

namespace pgsluice {

// A replicator or a worker, with what is given for it alone.
struct GivenPart {
    std::string words;  // of its command
    std::string place;  // "pgsluice.yaml:7"
    GivenSettings given;
};

struct GivenGroup {
    std::string name;
    std::string place;
    GivenSettings given;  // for all its parts
    std::vector<GivenPart> parts;
};

struct ConfigFile {
    GivenSettings given;
    std::vector<GivenGroup> groups;
};

// usage Error naming file and line: not readable, not YAML, an unknown or repeated key, a value that is not a scalar
// (or, for a list, a sequence of scalars), a group that runs nothing. Keys of other commands are fine: one file may
// serve both sides.
ConfigFile read_config_file(const std::string& path, const Environment& environment);
// The same from text, for tests; `path` is for messages.
ConfigFile read_config_text(const std::string& text, const std::string& path, const Environment& environment = {});

}  // namespace pgsluice
