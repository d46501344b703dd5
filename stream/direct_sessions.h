// How a worker's sessions on the source are called that read a direct snapshot, by which the replicator knows them.
#pragma once

#include <string>

namespace pgsluice {

inline std::string direct_sessions_name(const std::string& group) { return "pgsluice-direct-" + group; }

}  // namespace pgsluice
