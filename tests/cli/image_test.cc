// The Dockerfile's runtime stage installs the packages that the program's libraries come from, and little more.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "tests/support/process.h"

using namespace pgsluice::test;

namespace {

using Names = std::set<std::string>;

// In every Debian image; apt itself needs them.
const Names base_image{"libc6", "libgcc-s1", "libstdc++6"};

std::vector<std::string> lines(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
}

// The sonames the program itself asks for, not those its libraries ask for.
Names needed_libraries() {
    Names out;
    for (const std::string& line : lines(run({"readelf", "--dynamic", PGSLUICE_BINARY}).out)) {
        const std::size_t begin = line.find('[');
        if (line.find("(NEEDED)") == std::string::npos || begin == std::string::npos) continue;
        const std::string name = line.substr(begin + 1, line.find(']') - begin - 1);
        if (name.find("san.so") == std::string::npos) out.insert(name);  // a sanitizer's runtime
    }
    return out;
}

// "libpq.so.5 => /lib/x86_64-linux-gnu/libpq.so.5 (0x...)" -> the package that holds that file.
std::string package_of(const std::string& file) {
    for (const std::string& path : {file, "/usr" + file, std::filesystem::canonical(file).string()}) {
        const Finished found = run({"dpkg", "-S", path});
        if (found.code == 0) return found.out.substr(0, found.out.find(':'));
    }
    return "no package holds " + file;
}

Names packages_of_libraries() {
    const Names needed = needed_libraries();
    Names out;
    for (const std::string& line : lines(run({"ldd", PGSLUICE_BINARY}).out)) {
        std::istringstream words(line);
        std::string name;
        std::string arrow;
        std::string path;
        words >> name >> arrow >> path;
        if (arrow != "=>" || needed.count(name) == 0) continue;
        const std::string package = package_of(path);
        if (base_image.count(package) == 0) out.insert(package);
    }
    return out;
}

// What stands between --no-install-recommends and the next && of the last stage.
Names packages_of_image(const std::string& dockerfile) {
    const std::string last_stage = dockerfile.substr(dockerfile.rfind("\nFROM "));
    const std::string option = "--no-install-recommends";
    const std::size_t begin = last_stage.find(option) + option.size();
    std::string list = last_stage.substr(begin, last_stage.find("&&", begin) - begin);
    std::replace(list.begin(), list.end(), '\\', ' ');
    std::istringstream words(list);
    return {std::istream_iterator<std::string>(words), {}};
}

std::string dockerfile() {
    std::ifstream file(PGSLUICE_SOURCE_DIR "/Dockerfile");
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string joined(const Names& names) {
    std::string out;
    for (const std::string& name : names) out += name + " ";
    return out;
}

}  // namespace

TEST_CASE("the image holds the libraries the program asks for") {
    Names expected = packages_of_libraries();
    expected.insert({"$PACKAGES", "ca-certificates"});  // what is asked for; TLS
    CHECK(joined(packages_of_image(dockerfile())) == joined(expected));
}

TEST_CASE("the image's program is not run by root") {
    const std::string text = dockerfile();
    const std::size_t user = text.rfind("\nUSER ");
    REQUIRE(user != std::string::npos);
    CHECK(text.substr(user + 6, 5) == "10001");
    CHECK(text.rfind("\nENTRYPOINT [\"pgsluice\"]\n") > user);
}

TEST_CASE("the image asks its process how it is, where the process listens") {
    const std::string text = dockerfile();
    const std::string variable = "\nENV PGSLUICE_HTTP_LISTEN=";
    const std::size_t begin = text.rfind(variable);
    REQUIRE(begin != std::string::npos);
    CHECK(text.find("CMD [\"pgsluice\", \"health\"]", begin) != std::string::npos);
    const std::size_t value = begin + variable.size();
    const std::string address = text.substr(value, text.find('\n', value) - value);
    Process worker({{PGSLUICE_BINARY, "worker", "stdout", "--group", "shop", "--nats-url", "nats://127.0.0.1:1",
                     "--retry-max-attempts", "1000000"},
                    {{"PGSLUICE_HTTP_LISTEN", address}}});
    eventually("it answers", [&] {
        return run({PGSLUICE_BINARY, "health"}, {{"PGSLUICE_HTTP_LISTEN", address}}).code == 0;
    });
}
