// The settings of each replicator and worker that `pgsluice run` runs.
#pragma once

#include <string>
#include <vector>

#include "cmd/cli/config_file.h"
#include "cmd/cli/settings.h"

namespace pgsluice {

// From the file's groups, and what is given for the process (`process`, its file, environment and command line merged).
// usage Error that names the part and its place in the file. A setting that only a process can have is left out where a
// group or a part has it, with a warning, so that a file that was one process's can be moved here as it is.
std::vector<PartSettings> parts_of(const std::vector<GivenGroup>& groups, const GivenSettings& process,
                                   const Environment& environment, std::vector<std::string>& warnings);

// What is given in a file with groups for another command that names one of them: the file's own settings, the group's
// and those of the part that the command is, or else of its replicator and its only worker, or the one of this name.
GivenSettings given_for(const ConfigFile& file, const CommandInfo& command, const std::string& group,
                        const std::string& worker, std::vector<std::string>& warnings);

}  // namespace pgsluice
