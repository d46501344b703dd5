// examples/kubernetes: pgsluice takes what the pods tell it, and what they refer to is in the files. Whether Kubernetes
// takes the files, tests/kubernetes/run asks its schemas.
#include <doctest/doctest.h>
#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "cmd/cli/invocation.h"
#include "tests/support/process.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

const std::filesystem::path folder = std::filesystem::path(PGSLUICE_SOURCE_DIR) / "examples/kubernetes";

// All objects of the folder, by kind and name.
std::map<std::string, YAML::Node> objects() {
    std::map<std::string, YAML::Node> all;
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
        if (file.path().extension() != ".yaml") continue;
        for (const YAML::Node& object : YAML::LoadAllFromFile(file.path()))
            all[object["kind"].as<std::string>() + "/" + object["metadata"]["name"].as<std::string>()] = object;
    }
    return all;
}

// A pod's volumes as files below a directory of this test, which stands for /etc/pgsluice.
struct Mounted {
    std::string root = temporary_directory("kubernetes");

    void add(const std::string& path, const YAML::Node& contents) {
        std::filesystem::create_directories(root + path);
        for (const auto& entry : contents) {
            std::ofstream(root + path + "/" + entry.first.as<std::string>()) << entry.second.as<std::string>();
            std::filesystem::permissions(root + path + "/" + entry.first.as<std::string>(),
                                         std::filesystem::perms::owner_read);
        }
    }
    [[nodiscard]] std::string in(std::string text) const {
        const std::string prefix = "/etc/pgsluice";
        return text.starts_with(prefix) ? root + text.substr(prefix.size()) : text;
    }
};

struct Pod {
    std::map<std::string, YAML::Node> all = objects();
    YAML::Node spec;
    YAML::Node container;
    Mounted mounted;

    explicit Pod(const std::string& object) {
        REQUIRE(all.contains(object));
        spec = all[object]["spec"]["template"]["spec"];
        container = spec["containers"][0];
        std::map<std::string, YAML::Node> volumes;
        for (const auto& volume : spec["volumes"]) {
            const bool secret = volume["secret"].IsDefined();
            const auto named = secret ? "Secret/" + volume["secret"]["secretName"].as<std::string>()
                                      : "ConfigMap/" + volume["configMap"]["name"].as<std::string>();
            REQUIRE(all.contains(named));
            volumes[volume["name"].as<std::string>()] = all[named][secret ? "stringData" : "data"];
        }
        for (const auto& mount : container["volumeMounts"]) {
            const auto name = mount["name"].as<std::string>();
            REQUIRE(volumes.contains(name));
            const std::string prefix = "/etc/pgsluice";
            mounted.add(mount["mountPath"].as<std::string>().substr(prefix.size()), volumes[name]);
        }
    }
    Invocation invocation() {
        Environment environment;
        for (const auto& from : container["envFrom"])
            for (const auto& variable : all["ConfigMap/" + from["configMapRef"]["name"].as<std::string>()]["data"])
                environment[variable.first.as<std::string>()] = mounted.in(variable.second.as<std::string>());
        std::vector<std::string> words;
        for (const auto& word : container["args"]) words.push_back(mounted.in(word.as<std::string>()));
        return read_invocation(words, environment);
    }
    void check_probes(const Invocation& found) const {
        for (const char* probe : {"livenessProbe", "readinessProbe"}) {
            const YAML::Node request = container[probe]["httpGet"];
            CHECK(request["port"].as<std::string>() == container["ports"][0]["name"].as<std::string>());
            const auto path = request["path"].as<std::string>();
            CHECK((path == "/healthz" || path == "/readyz"));
        }
        CHECK(container["ports"][0]["containerPort"].as<int>() == found.settings.http_listen->port);
    }
};

}  // namespace

TEST_CASE("Kubernetes: both roles take their flags, variables and secrets, and serve what the probes ask for") {
    Pod replicator("StatefulSet/pgsluice-replicator");
    Pod worker("Deployment/pgsluice-worker");
    const Invocation replicates = replicator.invocation();
    const Invocation works = worker.invocation();
    CHECK(replicates.command->command == command_replicator);
    CHECK(works.command->command == command_worker_postgres);
    CHECK(replicates.warnings.empty());
    CHECK(works.warnings.empty());
    CHECK(replicates.settings.group == works.settings.group);
    CHECK(replicates.settings.replicator.standby);
    replicator.check_probes(replicates);
    worker.check_probes(works);
}
