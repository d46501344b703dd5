// `cmake --install` puts a program there that runs, and what belongs to it.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "cmd/cli/invocation.h"
#include "tests/support/process.h"

using namespace pgsluice::test;

TEST_CASE("the installed program runs") {
    const std::string build_directory = std::filesystem::path(PGSLUICE_BINARY).parent_path();
    const std::string prefix = temporary_directory("install");
    const Finished installed = run({"cmake", "--install", build_directory, "--prefix", prefix});
    INFO(installed.err);
    REQUIRE(installed.code == 0);
    CHECK(run({prefix + "/bin/pgsluice", "version"}).out == "pgsluice " PGSLUICE_VERSION "\n");
    CHECK(run({"cat", prefix + "/share/man/man1/pgsluice.1"}).out == run({PGSLUICE_BINARY, "man"}).out);
    for (const std::string file : {"bash-completion/completions/pgsluice", "fish/vendor_completions.d/pgsluice.fish",
                                   "zsh/site-functions/_pgsluice"})
        CHECK_MESSAGE(std::filesystem::file_size(prefix + "/share/" + file) > 0, file);
}

TEST_CASE("the units run commands that are there, with the example of a configuration") {
    const std::string build_directory = std::filesystem::path(PGSLUICE_BINARY).parent_path();
    for (const std::string role : {"replicator", "worker"}) {
        std::ifstream file(build_directory + "/packaging/pgsluice-" + role + "@.service");
        const std::string unit{std::istreambuf_iterator<char>(file), {}};
        CHECK(unit.find("\nExecStart=pgsluice " + role) != std::string::npos);
        CHECK(unit.find("\nProtectSystem=strict\n") != std::string::npos);
        CHECK(unit.find('@', unit.find("[Service]")) == unit.find("@system-service"));  // nothing is left to fill in
    }
    const std::string example = PGSLUICE_SOURCE_DIR "/packaging/example.yaml";
    CHECK_NOTHROW(pgsluice::read_invocation({"replicator", "--config", example}, {}));
    CHECK_NOTHROW(pgsluice::read_invocation({"worker", "postgres", "--config", example}, {}));
}

TEST_CASE("systemd-analyze, where it is, has no complaint about the units, and finds them hardened") {
    if (!std::filesystem::exists("/usr/bin/systemd-analyze")) return;
    const std::string build_directory = std::filesystem::path(PGSLUICE_BINARY).parent_path();
    const std::string directory = temporary_directory("units");
    for (const std::string role : {"replicator", "worker"}) {
        std::ifstream file(build_directory + "/packaging/pgsluice-" + role + "@.service");
        std::string unit{std::istreambuf_iterator<char>(file), {}};
        const std::string start = "\nExecStart=";
        unit.insert(unit.find(start) + start.size(),
                    std::string(PGSLUICE_BINARY).substr(0, build_directory.size() + 1));
        const std::string name = "pgsluice-" + role + "@shop.service";
        std::ofstream(directory + "/" + name) << unit;
        // Without our name in it a complaint is about what else is installed here.
        const Finished verified = run({"systemd-analyze", "verify", "--man=no", directory + "/" + name});
        CHECK_MESSAGE(verified.err.find("pgsluice-" + role) == std::string::npos, verified.err);
        const Finished exposure = run(
            {"systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager", directory + "/" + name});
        CHECK_MESSAGE(exposure.code == 0, exposure.out << exposure.err);
    }
}
