// examples/compose.yaml, as far as it can be checked without Docker: its services, files and pgsluice's own settings.
#include <doctest/doctest.h>
#include <yaml-cpp/yaml.h>

#include <filesystem>

#include "cmd/cli/invocation.h"

using namespace pgsluice;

namespace {

const std::filesystem::path examples = std::filesystem::path(PGSLUICE_SOURCE_DIR) / "examples";

Invocation invocation_of(const YAML::Node& service) {
    Environment environment;
    for (const auto& variable : service["environment"]) {
        environment[variable.first.as<std::string>()] = variable.second.as<std::string>();
    }
    return read_invocation(service["command"].as<std::vector<std::string>>(), environment);
}

}  // namespace

TEST_CASE("services depend on services, and mount what is there") {
    const YAML::Node compose = YAML::LoadFile(examples / "compose.yaml");
    for (const auto& service : compose["services"]) {
        INFO(service.first.as<std::string>());
        CHECK(service.second["image"].IsDefined());
        for (const auto& other : service.second["depends_on"]) {
            const YAML::Node awaited = compose["services"][other.first.as<std::string>()];
            CHECK(awaited.IsDefined());
            const bool tells = awaited["healthcheck"].IsDefined() || awaited["build"].IsDefined();  // or its Dockerfile
            CHECK((tells && other.second["condition"].as<std::string>() == "service_healthy"));
        }
        for (const auto& volume : service.second["volumes"]) {
            const auto text = volume.as<std::string>();
            const std::string from = text.substr(0, text.find(':'));
            const bool is_path = from.rfind("./", 0) == 0;
            INFO(from);
            const bool found =
                is_path ? std::filesystem::exists(examples / from) : compose["volumes"][from].IsDefined();
            CHECK(found);
        }
    }
    const auto context = compose["services"]["replicator"]["build"]["context"].as<std::string>();
    CHECK(std::filesystem::exists(examples / context / "Dockerfile"));
}

TEST_CASE("pgsluice takes what it is told there") {
    const YAML::Node services = YAML::LoadFile(examples / "compose.yaml")["services"];
    const Invocation replicator = invocation_of(services["replicator"]);
    const Invocation worker = invocation_of(services["worker"]);
    CHECK(replicator.command->command == command_replicator);
    CHECK(worker.command->command == command_worker_postgres);
    CHECK(replicator.settings.group == worker.settings.group);
    CHECK(replicator.settings.nats.url == worker.settings.nats.url);
    CHECK(replicator.warnings.empty());
    CHECK(worker.warnings.empty());
    CHECK(replicator.settings.replicator.source.password ==
          services["source"]["environment"]["POSTGRES_PASSWORD"].as<std::string>());
    CHECK(worker.settings.postgres.target.password ==
          services["target"]["environment"]["POSTGRES_PASSWORD"].as<std::string>());
}
