#include "cmd/cli/parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "cmd/cli/invocation.h"
#include "cmd/cli/rules_of_workers.h"
#include "sql/error.h"

namespace pgsluice {

namespace {

bool is_of_process(const Flag& flag) {
    return (flag.name.starts_with("http-") && flag.name != "http-show-rows") || flag.name == "log-format";
}

GivenSettings without_process_settings(GivenSettings given, std::vector<std::string>& warnings) {
    for (const Flag& flag : flags()) {
        const Given* found = is_of_process(flag) ? given.find(flag.name) : nullptr;
        if (found == nullptr) continue;
        warnings.push_back(
            fmt::format("{} is ignored: the whole process has it, at the top of the file", found->where));
        given.remove(flag.name);
    }
    return given;
}

const CommandInfo& command_of(const GivenPart& part) {
    for (const CommandInfo& command : commands())
        if ((command.command & commands_loop) != 0 && command.words == part.words) return command;
    throw usage_error(fmt::format("{}: unknown sink '{}'", part.place, part.words.substr(part.words.find(' ') + 1)),
                      "Give one of: stdout, file, postgres, webhook, nats.");
}

std::string name_of(const GivenGroup& group, const CommandInfo& command, const Settings& settings) {
    return command.command == command_replicator ? fmt::format("{} replicator", group.name)
                                                 : fmt::format("{} worker {}", group.name, settings.worker.worker);
}

PartSettings part_of(const GivenGroup& group, const GivenPart& part, GivenSettings given,
                     const Environment& environment) {
    const CommandInfo& command = command_of(part);
    given.add({find_flag("group"), Level::part, fmt::format("group '{}' ({})", group.name, group.place), {group.name}});
    try {
        PartSettings made{{}, &command, settings_of(command, std::move(given), environment)};
        made.name = name_of(group, command, made.settings);
        return made;
    } catch (const Error& error) {
        throw usage_error(fmt::format("{}: {} of group '{}': {}", part.place, part.words, group.name, error.what()),
                          error.hint());
    }
}

// Of the group's workers, the one that a command is about; null when that is not clear.
const GivenPart* worker_for(const GivenGroup& group, const CommandInfo& command, const std::string& worker) {
    std::vector<const GivenPart*> found;
    for (const GivenPart& part : group.parts) {
        if (part.words == "replicator") continue;
        if ((command.command & commands_worker) != 0 && part.words != command.words) continue;
        const Given* name = part.given.find("worker-name");
        const std::string its = name != nullptr ? name->values.back() : part.words.substr(part.words.find(' ') + 1);
        if (worker.empty() || worker == its) found.push_back(&part);
    }
    return found.size() == 1 ? found[0] : nullptr;
}

}  // namespace

std::vector<PartSettings> parts_of(const std::vector<GivenGroup>& groups, const GivenSettings& process,
                                   const Environment& environment, std::vector<std::string>& warnings) {
    std::vector<PartSettings> parts;
    for (const GivenGroup& group : groups) {
        const GivenSettings of_group = without_process_settings(group.given, warnings);
        for (const GivenPart& part : group.parts) {
            GivenSettings given = process;
            given.add(of_group);
            // That they are the workers' is what a file with both says by itself.
            if (std::vector<std::string> unsaid; part.words == "replicator") leave_rules_to_workers(given, unsaid);
            given.add(without_process_settings(part.given, warnings));
            parts.push_back(part_of(group, part, std::move(given), environment));
        }
    }
    return parts;
}

GivenSettings given_for(const ConfigFile& file, const CommandInfo& command, const std::string& group,
                        const std::string& worker, std::vector<std::string>& warnings) {
    GivenSettings given = file.given;
    const auto found = std::ranges::find(file.groups, group, &GivenGroup::name);
    if (found != file.groups.end()) given.add(found->given.at(Level::config_file));
    if (command.command == command_replicator) leave_rules_to_workers(given, warnings);
    if (found == file.groups.end()) return given;
    if ((command.command & commands_worker) == 0)
        for (const GivenPart& part : found->parts)
            if (part.words == "replicator") given.add(part.given.at(Level::config_file));
    if (command.command == command_replicator) return given;
    if (const GivenPart* part = worker_for(*found, command, worker)) given.add(part->given.at(Level::config_file));
    return given;
}

}  // namespace pgsluice
