#include "cmd/cli/config_file.h"

#include <fmt/format.h>

#include <array>
#include <set>

#include "cmd/cli/config_reader.h"
#include "sql/error.h"
#include "stream/process/text_file.h"

namespace pgsluice {

namespace {

constexpr std::string_view groups_key = "groups";
constexpr std::string_view replicator_key = "replicator";
constexpr std::string_view workers_key = "workers";
constexpr std::string_view sink_key = "sink";

// What `groups:` says.
class GroupsReader {
   public:
    explicit GroupsReader(const ConfigReader& reader) : reader_(reader) {}

    std::vector<GivenGroup> read(const YAML::Node& groups) {
        if (!groups.IsMap()) reader_.refuse(groups, "'groups' takes a mapping of groups' names to what they run");
        for (const auto& entry : groups) add(entry.first, entry.second);
        return std::move(groups_);
    }

   private:
    void add(const YAML::Node& key, const YAML::Node& node) {
        constexpr std::array others{replicator_key, workers_key};
        if (!key.IsScalar() || key.Scalar().empty()) reader_.refuse(key, "expected the name of a group");
        if (!names_.insert(key.Scalar()).second)
            reader_.refuse(key, fmt::format("group '{}' is given twice", key.Scalar()));
        if (!node.IsMap()) reader_.refuse(key, "expected a mapping of what the group runs");
        GivenGroup group{key.Scalar(), reader_.place(key), reader_.flags_of(node, Level::group, others), {}};
        check_name(group, node);
        if (const YAML::Node replicator = node[std::string(replicator_key)])
            group.parts.push_back({"replicator", reader_.place(replicator), reader_.flags_of(replicator, Level::part)});
        if (const YAML::Node workers = node[std::string(workers_key)]) add_workers(group, workers);
        if (group.parts.empty())
            reader_.refuse(key, fmt::format("group '{}' runs nothing", group.name),
                           "Give it 'replicator:', 'workers:' or both.");
        groups_.push_back(std::move(group));
    }

    // A file that was one group's may say its name.
    void check_name(const GivenGroup& group, const YAML::Node& node) const {
        const Given* name = group.given.find("group");
        if (name != nullptr && name->values.back() != group.name)
            reader_.refuse(node, fmt::format("{} is '{}', and the group's name here is '{}'", name->where,
                                             name->values.back(), group.name));
    }

    void add_workers(GivenGroup& group, const YAML::Node& workers) const {
        if (!workers.IsSequence()) reader_.refuse(workers, "'workers' takes a list, and of each the settings");
        for (const YAML::Node& worker : workers) group.parts.push_back(worker_of(worker));
    }

    [[nodiscard]] GivenPart worker_of(const YAML::Node& node) const {
        constexpr std::array others{sink_key};
        GivenSettings given = reader_.flags_of(node, Level::part, others);
        const YAML::Node sink = node.IsMap() ? node[std::string(sink_key)] : YAML::Node(YAML::NodeType::Undefined);
        if (!sink || !sink.IsScalar())
            reader_.refuse(node, "a worker without 'sink'", "Give 'sink: postgres', or another kind.");
        return {"worker " + sink.Scalar(), reader_.place(sink), std::move(given)};
    }

    const ConfigReader& reader_;
    std::set<std::string> names_;
    std::vector<GivenGroup> groups_;
};

}  // namespace

ConfigFile read_config_text(const std::string& text, const std::string& path, const Environment& environment) {
    constexpr std::array others{groups_key};
    const ConfigReader reader(path, environment);
    const YAML::Node root = reader.parse(text);
    ConfigFile file{reader.flags_of(root, Level::config_file, others), {}};
    if (!root.IsMap()) return file;
    if (const YAML::Node groups = root[std::string(groups_key)]) file.groups = GroupsReader(reader).read(groups);
    return file;
}

ConfigFile read_config_file(const std::string& path, const Environment& environment) {
    const auto text = read_text_file(path);
    if (!text)
        throw usage_error(fmt::format("unable to read the configuration file '{}'", path),
                          "Check that the file exists, is readable and has at most 16 MiB.");
    return read_config_text(*text, path, environment);
}

}  // namespace pgsluice
