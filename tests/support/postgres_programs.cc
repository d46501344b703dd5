#include "tests/support/postgres_programs.h"

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <utility>

namespace pgsluice::test {
namespace {

namespace fs = std::filesystem;

std::string find_programs() {
    if (const char* chosen = std::getenv("PGSLUICE_TEST_POSTGRES")) return std::string(chosen) + "/";
    std::optional<std::pair<int, std::string>> newest;
    const fs::path root = "/usr/lib/postgresql";
    if (fs::exists(root)) {
        for (const auto& entry : fs::directory_iterator(root)) {
            if (!fs::exists(entry.path() / "bin" / "postgres")) continue;
            const int version = std::atoi(entry.path().filename().c_str());
            if (!newest || version > newest->first) newest = {version, (entry.path() / "bin").string() + "/"};
        }
    }
    return newest ? newest->second : std::string();
}

std::string& chosen() {
    thread_local std::string directory = find_programs();
    return directory;
}

}  // namespace

std::string postgres_programs() { return chosen(); }

OtherPrograms::OtherPrograms(std::string directory) : before_(std::exchange(chosen(), std::move(directory) + "/")) {}
OtherPrograms::~OtherPrograms() { chosen() = before_; }

}  // namespace pgsluice::test
