// Failpoints are armed by name; a second spelling of a name is a second point, and a test that arms it kills nothing.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace {

std::string text_of(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

std::multiset<std::string> failpoints() {
    static const std::regex point("PGSLUICE_FAILPOINT\\(\"([^\"]*)\"\\)");
    std::multiset<std::string> names;
    for (const std::string top : {"sql", "stream", "rules", "sinks", "replicator", "worker", "cmd"}) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(PGSLUICE_SOURCE_DIR "/" + top)) {
            if (entry.path().extension() != ".cc") continue;
            const std::string text = text_of(entry.path());
            for (std::sregex_iterator found(text.begin(), text.end(), point), end; found != end; ++found)
                names.insert((*found)[1]);
        }
    }
    return names;
}

}  // namespace

TEST_CASE("failpoints are named in lower case with hyphens") {
    const auto names = failpoints();
    REQUIRE(names.size() > 20);
    for (const std::string& name : names) CHECK_MESSAGE(std::regex_match(name, std::regex("[a-z]+(-[a-z]+)*")), name);
}
